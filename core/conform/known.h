// Failures that were argued before, and waivers: with reasons, for one version of one target.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conform/run.h"

namespace polypath::conform {

struct Argument {
  std::string verdict;  ///< whose side is wrong: theirs, ours; or waived
  std::string rule, argument;
  bool used = false;
};

struct Known {
  std::string file;
  std::map<std::string, Argument> cases;       ///< by id
  std::map<std::string, Argument> everywhere;  ///< by rule: broken whatever is asked
};

/// Empty when the file is for another target or version ("qemu", "7.2.22"). Throws InputError.
Known load_known(const std::string& file, const std::string& target, const std::string& version);

/// A failure that is argued becomes known; rules that are broken everywhere say nothing of one case.
void apply(Known& known, Verdict& verdict);

/// Arguments that applied to none of these: one line each. Cases that were skipped or not asked are left out.
std::vector<std::string> idle(const Known& known, const std::vector<Verdict>& verdicts);

}  // namespace polypath::conform
