// What a step of a case must answer: a set, wherever the standard leaves the answer open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scenario/yaml_tree.h"
#include "target/runner.h"

namespace polypath::conform {

struct Range {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

/// A field of the data that came back.
struct FieldWant {
  std::size_t at = 0, bytes = 1;
  std::uint64_t mask = ~std::uint64_t{0};
  std::vector<Range> is;      ///< one of these; empty: any
  std::vector<Range> is_not;  ///< none of these
  std::string same_step;      ///< equal to this field of the step of that name, when not empty
  std::string differs_step;   ///< other than this field there
  std::size_t same_at = 0;    ///< of either
};

struct Want {
  bool any = false;    ///< whatever comes
  bool waits = false;  ///< no answer yet
  bool lost = false;   ///< no completion, for a reset took it
  std::vector<std::uint16_t> statuses;
  std::vector<Range> results;  ///< of dword 0
  std::vector<FieldWant> fields;
  bool list = false;  ///< NSIDs, ascending, zeros behind
  std::vector<std::uint32_t> nsids;
  bool controller_list = false;  ///< a count and as many identifiers
  std::vector<std::uint16_t> cntlids;
  bool zeros = false;         ///< all data are
  std::string same, differs;  ///< data against the data of the step of that name
};

/// Outcomes by the name that a step has in its case.
using Named = std::map<std::string, const target::StepOutcome*>;

/// `node` is what stands behind `want:`. Throws InputError with the place.
Want read_want(const scenario::Node& node, const std::string& file);

/// Empty when the outcome is as wanted, else what was expected and what was seen.
std::string disappointment(const Want& want, const target::StepOutcome& outcome, const Named& named);

}  // namespace polypath::conform
