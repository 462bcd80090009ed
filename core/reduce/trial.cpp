#include "reduce/trial.h"

#include <algorithm>

#include "check/judge.h"
#include "target/world.h"

namespace polypath::reduce {

Trial run_trial(const program::Program& program, const target::RunLimits& limits) {
  Trial trial;
  trial.problem = target::find_problem(program);
  if (!trial.problem.empty()) return trial;
  target::World world(program);
  world.trace().keep_inside(false);
  target::Runner runner(world, program, limits);
  while (runner.advance()) ++trial.turns;
  const auto judgement = check::judge(world.trace(), {}, runner.limit_reached() ? 0 : engine::kForever);
  for (const model::Finding& f : judgement.findings) {
    trial.broken.push_back(
        {std::string(model::row_of(f.rule).id), 0, f.scope() == model::Scope::hazard, f.time, f.summary});
  }
  for (const target::StepFinding& f : runner.findings()) {
    if (!f.unable) trial.broken.push_back({"EXPECT", f.step, false, f.time, f.summary});
  }
  std::stable_sort(trial.broken.begin(), trial.broken.end(),
                   [](const Broken& a, const Broken& b) { return a.time < b.time; });
  return trial;
}

std::vector<engine::Time> begin_times(const program::Program& program, const target::RunLimits& limits) {
  target::World world(program);
  target::Runner runner(world, program, limits);
  runner.run();
  std::vector<engine::Time> out;
  for (const target::StepOutcome& outcome : runner.outcomes()) {
    out.push_back(outcome.started ? outcome.begun_at : engine::kForever);
  }
  return out;
}

const Broken* choose(const Trial& trial, const std::string& rule) {
  const Broken* chosen = nullptr;
  for (const Broken& broken : trial.broken) {
    if (!rule.empty() && broken.rule != rule) continue;
    if (chosen == nullptr || (chosen->hazard && !broken.hazard)) chosen = &broken;
  }
  return chosen;
}

}  // namespace polypath::reduce
