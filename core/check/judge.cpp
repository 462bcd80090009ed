#include "check/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/monitor.h"
#include "trace/text.h"

namespace polypath::check {

Judgement judge(const trace::Trace& trace, const model::Options& options, model::Time until) {
  model::Monitor monitor(trace, options);
  monitor.finish(until);
  Judgement judgement;
  judgement.verdict = monitor.verdict();
  judgement.findings = monitor.findings();
  std::stable_sort(judgement.findings.begin(), judgement.findings.end(),
                   [](const model::Finding& a, const model::Finding& b) { return a.time < b.time; });
  std::copy(monitor.statistics().begin(), monitor.statistics().end(), judgement.statistics.begin());
  judgement.hash = monitor.hash();
  return judgement;
}

std::string explain(const trace::Trace& trace, const model::Finding& finding) {
  const auto& rule = model::row_of(finding.rule);
  std::string out = fmt::format("{} ({}): {}\n  rule      {}\n  area      {}\n  time      {} s\n", rule.id,
                                model::scope_name(rule.scope), finding.summary, rule.title, rule.area,
                                trace::time_text(finding.time));
  if (finding.controller < trace.header.controllers.size()) {
    out += fmt::format("  on        {}\n", trace.header.controllers[finding.controller].name);
  }
  out += fmt::format("  allowed   {}\n  seen      {}\n", finding.allowed, finding.seen);
  for (const auto event : finding.events) {
    if (event >= trace.events().size()) continue;  // forgotten by the trace
    out += fmt::format("  {:>7} {}\n", event, trace::event_text(trace, trace.events()[event]));
  }
  return out;
}

std::string idle_rules(const Judgement& judgement) {
  std::string out;
  for (std::size_t i = 0; i < judgement.statistics.size(); ++i) {
    const auto& rule = model::rules()[i];
    if (judgement.statistics[i].exercised == 0) out += fmt::format("{:<12} {}\n", rule.id, rule.title);
  }
  return out;
}

}  // namespace polypath::check
