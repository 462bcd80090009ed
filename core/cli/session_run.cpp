#include "session_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "device/faults.h"
#include "host/list.h"
#include "scenario/scenario.h"
#include "store/store.h"
#include "terminal.h"
#include "trace/text.h"

namespace polypath::cli {

program::Program load_program(const std::string& file, const Overrides& overrides) {
  program::Program program = scenario::load_scenario_file(file);
  if (!overrides.profile.empty()) program.profile = overrides.profile;
  if (overrides.seed_given) program.seed = overrides.seed;
  for (const std::string& fault : overrides.faults) program.faults.push_back(fault);
  const std::uint8_t latitude = overrides.latitude == "random" ? 1 : overrides.latitude == "adversarial" ? 2 : 0;
  for (program::Step& step : program.steps) {
    if (step.latitude == 0) step.latitude = latitude;
  }
  return program;
}

Ran run_program(program::Program program, const std::string& where) {
  const std::string problem = target::find_problem(program);
  if (!problem.empty()) throw program::InputError(where, problem);
  Ran ran;
  ran.program = std::move(program);
  ran.world = std::make_unique<target::World>(ran.program);
  ran.runner = std::make_unique<target::Runner>(*ran.world, ran.program);
  {
    Progress progress("running");
    std::uint64_t turns = 0;
    while (ran.runner->advance()) {
      if (++turns % 4096 == 0) progress.show(ran.runner->steps_done(), ran.program.steps.size());
    }
  }
  ran.judgement = check::judge(ran.world->trace());
  ran.trace_hash = ran.world->trace().hash();
  ran.state_hash = ran.world->hash(engine::HashKind::exact);
  for (const auto& event : ran.world->trace().events()) {
    if (event.kind == trace::Boundary::submitted) ++ran.commands;
  }
  std::string error;
  if (!device::commit_drives(ran.world->device(), error)) throw program::InputError(where, error);
  return ran;
}

bool Ran::clean() const { return verdict() != "violation"; }

std::string Ran::verdict() const {
  if (!runner->findings().empty()) return "violation";
  const std::string judged = check::verdict_name(judgement.verdict);
  if (judged == "pass" && runner->limit_reached()) return "inconclusive";
  return judged;
}

std::int64_t keep(const Ran& ran, const std::string& db) {
  store::Run row;
  row.name = ran.program.name;
  row.profile = ran.program.profile;
  row.seed = ran.program.seed;
  row.verdict = ran.verdict();
  row.program = scenario::scenario_text(ran.program);
  row.trace_hash = ran.trace_hash;
  row.state_hash = ran.state_hash;
  row.events = ran.world->trace().events().size();
  row.commands = ran.commands;
  row.virtual_ns = ran.world->engine().now();
  for (const auto& step : ran.runner->findings()) {
    store::StoredFinding f;
    f.rule = "EXPECT";
    f.scope = "scenario";
    f.area = fmt::format("step {}", step.step);
    f.time_ns = step.time;
    f.summary = step.summary;
    row.findings.push_back(f);
  }
  for (const auto& finding : ran.judgement.findings) {
    row.findings.push_back(stored(ran.world->trace(), finding));
  }
  auto store = store::Store::open(db);
  return store.add_run(row, &ran.world->trace());
}

store::StoredFinding stored(const trace::Trace& trace, const model::Finding& finding) {
  store::StoredFinding f;
  f.rule = finding.rule;
  f.scope = model::scope_name(finding.scope);
  f.area = finding.area;
  f.time_ns = finding.time;
  if (finding.controller < trace.header.controllers.size()) f.controller = trace.header.controllers[finding.controller].name;
  f.summary = finding.summary;
  f.allowed = finding.allowed;
  f.seen = finding.seen;
  for (const auto index : finding.events) f.events += trace::event_text(trace, trace.events()[index]) + "\n";
  return f;
}

}  // namespace polypath::cli
