#include "store/row.h"

#include <fmt/format.h>

#include <utility>

#include "model/rules.h"
#include "trace/text.h"

namespace polypath::store {
namespace {

StoredFinding stored(const target::StepFinding& finding) {
  StoredFinding f;
  f.rule = finding.rule();
  f.scope = "scenario";
  f.area = fmt::format("step {}", finding.step);
  f.time_ns = finding.time;
  f.summary = finding.summary;
  return f;
}

StoredFinding stored(const trace::Trace& trace, const model::Finding& finding) {
  StoredFinding f;
  const model::RuleRow& rule = model::row_of(finding.rule);
  f.rule = rule.id;
  f.scope = model::scope_name(rule.scope);
  f.area = rule.area;
  f.time_ns = finding.time;
  if (finding.controller < trace.header.controllers.size()) {
    f.controller = trace.header.controllers[finding.controller].name;
  }
  f.summary = finding.summary;
  f.allowed = finding.allowed;
  f.seen = finding.seen;
  for (const auto index : finding.events) f.events += trace::event_text(trace, trace.events()[index]) + "\n";
  return f;
}

}  // namespace

Run row_of(const program::Program& program, std::string text, const trace::Trace& trace,
           std::span<const target::StepFinding> steps, const check::Judgement& judgement) {
  Run row;
  row.name = program.name;
  row.profile = program.profile;
  row.seed = program.seed;
  row.program = std::move(text);
  row.trace_hash = trace.hash();
  row.events = trace.events().size();
  for (const auto& event : trace.events()) row.commands += event.kind == trace::Boundary::submitted ? 1U : 0U;
  for (const auto& step : steps) row.findings.push_back(stored(step));
  for (const auto& finding : judgement.findings) row.findings.push_back(stored(trace, finding));
  return row;
}

}  // namespace polypath::store
