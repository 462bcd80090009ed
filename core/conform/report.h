// What came of a whole run, in the forms that people and their tools read.
#pragma once

#include <string>
#include <vector>

#include "conform/run.h"

namespace polypath::conform {

struct Report {
  std::string target, version, profile;
  std::vector<const Case*> cases;  ///< in the order of `verdicts`
  std::vector<Verdict> verdicts;
  std::vector<std::string> idle;  ///< arguments that apply no more
};

struct Counts {
  std::size_t passed = 0, failed = 0, known = 0, skipped = 0;
  std::size_t all() const { return passed + failed + known + skipped; }
  void add(Result result);
};

Counts count(const Report& report, const std::string& family = "");
/// In the order in which they appear.
std::vector<std::string> families(const Report& report);

std::string to_json(const Report& report);
std::string to_junit(const Report& report);
/// One page that needs nothing else.
std::string to_html(const Report& report);

/// What `to_json` wrote of an earlier run: result by case. Throws InputError.
std::vector<std::pair<std::string, std::string>> results_of_json(const std::string& text,
                                                                 const std::string& file);

}  // namespace polypath::conform
