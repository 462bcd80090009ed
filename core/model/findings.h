// What the model says of a trace.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/time.h"
#include "model/rules.h"

namespace polypath::model {

using engine::Time;

enum class Verdict : std::uint8_t {
  pass,
  violation,     ///< a finding of scope standard or host
  inconclusive,  ///< none, but some facts were lost on the way, so that a rule could not be judged everywhere
};

std::string_view verdict_name(Verdict verdict);

struct Finding {
  Rule rule{};
  Time time = 0;
  std::uint16_t controller = 0;       ///< index in the header, trace::kNoController when it is about none
  std::string summary;                ///< one line
  std::string allowed, seen;          ///< what would have been right, and what came
  std::vector<std::uint64_t> events;  ///< numbers of the boundary events that show it, ascending

  Scope scope() const { return row_of(rule).scope; }
  bool operator==(const Finding&) const = default;
};

/// How much a rule had to do. A rule that was never exercised needs a reason.
struct RuleStatistics {
  std::uint64_t exercised = 0;  ///< times its precondition held
  std::uint64_t violations = 0;
  std::uint64_t inconclusive = 0;  ///< times it applied and the facts were unknown
  std::uint64_t waived = 0;        ///< violations that the profile may have
  std::uint64_t sets = 0,
                set_sizes = 0;  ///< how many sets of allowed outcomes there were, and their sizes added up

  double mean_allowed() const {
    return sets == 0 ? 0.0 : static_cast<double>(set_sizes) / static_cast<double>(sets);
  }
  bool operator==(const RuleStatistics&) const = default;
};

}  // namespace polypath::model
