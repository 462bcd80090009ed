// The library of scenarios: each runs, every expectation in it holds, and the model finds nothing against the
// standard.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "check/judge.h"
#include "scenario/scenario.h"
#include "target/runner.h"

namespace polypath::target {
namespace {

std::vector<std::string> files() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(POLYPATH_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

class Scenario : public ::testing::TestWithParam<std::string> {};

TEST_P(Scenario, RunsCleanAndIsJudgedToFollowTheStandard) {
  const auto program = scenario::load_scenario_file(GetParam());
  ASSERT_EQ(find_problem(program), "");
  World world(program);
  Runner runner(world, program);
  runner.run();
  EXPECT_FALSE(runner.limit_reached());
  for (const auto& finding : runner.findings())
    ADD_FAILURE() << "step " << finding.step << ": " << finding.summary;
  const auto judgement = check::judge(world.trace(), {}, engine::kForever);
  for (const auto& finding : judgement.findings) {
    EXPECT_EQ(finding.scope(), model::Scope::hazard)
        << model::row_of(finding.rule).id << ": " << finding.summary << "\n  allowed " << finding.allowed
        << "\n  seen " << finding.seen;
  }
}

// The freedoms of the standard, used: what is expected of a scenario must not depend on benign timing.
TEST_P(Scenario, IsJudgedToFollowTheStandardUnderLatitudeToo) {
  auto program = scenario::load_scenario_file(GetParam());
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    program.seed = seed;
    for (auto& step : program.steps) step.latitude = 2;
    World world(program);
    Runner runner(world, program);
    runner.run();
    const auto judgement = check::judge(world.trace(), {}, engine::kForever);
    for (const auto& finding : judgement.findings) {
      EXPECT_EQ(finding.scope(), model::Scope::hazard)
          << "seed " << seed << ", " << model::row_of(finding.rule).id << ": " << finding.summary
          << "\n  allowed " << finding.allowed << "\n  seen " << finding.seen;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Library, Scenario, ::testing::ValuesIn(files()), [](const auto& parameter) {
  return std::filesystem::path(parameter.param).stem().string();
});

}  // namespace
}  // namespace polypath::target
