// Programs that fuzzing found: each once showed a mistake of the device, or a false alarm of the model, which
// the name of the file tells by its rule. They must break no rule of the standard.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "check/judge.h"
#include "model/rules.h"
#include "scenario/scenario.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::target {
namespace {

std::vector<std::string> files() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(POLYPATH_SOURCE_DIR "/tests/regressions")) {
    if (entry.path().extension() == ".yaml") all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

class Regression : public testing::TestWithParam<std::string> {};

TEST_P(Regression, BreaksNoRuleOfTheStandard) {
  const auto program = scenario::load_scenario_file(GetParam());
  World world(program);
  RunLimits limits;
  limits.events = 500'000;
  Runner runner(world, program, limits);
  runner.run();
  const auto until = runner.limit_reached() ? engine::Time{0} : engine::kForever;
  for (const auto& finding : check::judge(world.trace(), {}, until).findings) {
    EXPECT_EQ(finding.scope(), model::Scope::hazard) << check::explain(world.trace(), finding);
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzzing, Regression, testing::ValuesIn(files()), [](const auto& one) {
  std::string name = std::filesystem::path(one.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace polypath::target
