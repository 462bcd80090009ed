#include "conform/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "check/judge.h"
#include "model/rules.h"
#include "scenario/scenario.h"
#include "spec/registers.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::conform {
namespace {

// No case needs more; a controller that hangs is cut off here.
constexpr engine::Time kLongest = 120 * engine::kSecond;
constexpr std::uint64_t kMostEvents = 1'000'000;

}  // namespace

std::string_view result_name(Result result) {
  switch (result) {
    case Result::passed:
      return "passed";
    case Result::failed:
      return "failed";
    case Result::known:
      return "known";
    case Result::skipped:
      return "skipped";
  }
  return "";
}

Announced ask_announced(const Case& one, const MakeMachine& make) {
  const std::string& id = one.program.topology.controllers.front().id;
  program::Program program = scenario::load_scenario_text(
      fmt::format("name: what is announced\ntopology: [\"nvme,id={0},serial=x\"]\nsteps:\n"
                  "  - register_read: {{controller: {0}, offset: 0, bytes: 8}}\n"
                  "  - register_read: {{controller: {0}, offset: 8, bytes: 4}}\n"
                  "  - enable: {{controller: {0}}}\n"
                  "  - admin: {{controller: {0}, opcode: identify, cdw10: 1}}\n"
                  "  - admin: {{controller: {0}, opcode: get_features, cdw10: 0x304}}\n"
                  "  - admin: {{controller: {0}, opcode: identify, nsid: 1, cdw10: 5, cdw11: 0x2000000}}\n"
                  "  - admin: {{controller: {0}, opcode: identify, nsid: 1, cdw10: 0}}\n",
                  id),
      "needs");
  program.topology = one.program.topology;
  program.profile = one.program.profile;
  target::World world(program, make ? make(program.topology) : nullptr);
  target::RunLimits limits;
  limits.keep_data = true;
  target::Runner runner(world, program, limits);
  runner.run();
  Announced out;
  const auto& outcomes = runner.outcomes();
  out.cap = std::uint64_t{outcomes[0].dw1} << 32U | outcomes[0].dw0;
  out.vs = outcomes[1].dw0;
  out.identify = outcomes[3].data;
  const target::StepOutcome& told = outcomes.at(4);
  if (told.done && !told.lost && told.status == 0) out.capabilities = told.dw0;
  const target::StepOutcome& zones = outcomes.at(5);
  if (zones.done && !zones.lost && zones.status == 0) out.zoned = zones.data;
  const target::StepOutcome& ns = outcomes.at(6);
  if (ns.done && !ns.lost && ns.status == 0) out.ns = ns.data;
  return out;
}

Verdict run_case(const Case& one, const Announced& announced, const MakeMachine& make,
                 const std::vector<std::string>& faults) {
  Verdict verdict;
  verdict.id = one.id;
  verdict.reason = unmet_need(one.needs, announced);
  if (verdict.reason.empty() && make) verdict.reason = target::find_machine_problem(one.program);
  if (!verdict.reason.empty()) {
    verdict.result = Result::skipped;
    return verdict;
  }
  program::Program program = one.program;
  program.faults = faults;
  target::World world(program, make ? make(program.topology) : nullptr);
  target::RunLimits limits;
  limits.keep_data = true;
  limits.virtual_time = kLongest;
  limits.events = kMostEvents;
  target::Runner runner(world, program, limits);
  runner.run();
  Named named;
  for (std::size_t i = 0; i < one.steps.size(); ++i) {
    const StepWant& step = one.steps[i];
    const target::StepOutcome& outcome = runner.outcomes()[one.setup + i];
    if (!step.name.empty()) named[step.name] = &outcome;
    if (!step.want) continue;
    const std::string problem = disappointment(*step.want, outcome, named);
    if (!problem.empty()) verdict.problems.push_back(fmt::format("{}: {}", step.words, problem));
  }
  if (runner.limit_reached()) verdict.problems.emplace_back("the run came to no end and was cut");
  for (const auto& finding : runner.findings()) {
    verdict.problems.push_back(fmt::format("step {}: {}", finding.step, finding.summary));
  }
  const model::Time until = runner.limit_reached() ? 0 : engine::kForever;
  const check::Judgement judgement = check::judge(world.trace(), {}, until);
  verdict.statistics = judgement.statistics;
  for (const auto& finding : judgement.findings) {
    const bool device = finding.scope() == model::Scope::standard;
    const bool host = finding.scope() == model::Scope::host && one.judged == Judged::host;
    const std::string rule(model::row_of(finding.rule).id);
    if ((!device && !host) ||
        std::find(verdict.rules.begin(), verdict.rules.end(), rule) != verdict.rules.end()) {
      continue;
    }
    verdict.rules.push_back(rule);
    verdict.problems.push_back(fmt::format("{}: {}", rule, finding.summary));
  }
  if (!verdict.problems.empty()) verdict.result = Result::failed;
  return verdict;
}

}  // namespace polypath::conform
