// Judges a whole trace: the verdict, what was found, and how much each rule had to do.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model/findings.h"
#include "model/options.h"
#include "trace/trace.h"

namespace polypath::check {

struct Judgement {
  model::Verdict verdict = model::Verdict::pass;
  std::vector<model::Finding> findings;                           ///< by time, then as they were found
  std::array<model::RuleStatistics, model::kRules> statistics{};  ///< in the order of model::rules()
  std::uint64_t hash = 0;                                         ///< of everything the model knew at the end
};

/// `until`: how long the trace was observed, when that is longer than its last event; engine::kForever for a
/// world in which nothing can happen any more.
Judgement judge(const trace::Trace& trace, const model::Options& options = {}, model::Time until = 0);

/// A finding for people: rule, area, what was allowed, what was seen, and the events that show it, one line
/// each.
std::string explain(const trace::Trace& trace, const model::Finding& finding);

/// Rules that were never exercised, one line each.
std::string idle_rules(const Judgement& judgement);

}  // namespace polypath::check
