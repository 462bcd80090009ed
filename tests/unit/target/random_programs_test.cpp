// Any bytes are a program, and the device must follow the standard in all of them, as the model sees it. The
// numbered programs are those that once showed a mistake of the device or a false alarm of the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "check/judge.h"
#include "engine/random.h"
#include "model/rules.h"
#include "program/program.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::target {
namespace {

program::Program random_program(std::uint64_t number) {
  engine::Random random(number, "determinism digest");
  std::vector<std::byte> bytes(256 + random.below(768));
  std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random.next()); });
  auto program = program::decode(bytes);
  program::use_memory_media(program.topology);
  return program;
}

/// What breaks the standard in the program, one line for each finding.
std::string broken_rules(std::uint64_t number) {
  const auto program = random_program(number);
  if (!find_problem(program).empty()) return "";
  World world(program);
  RunLimits limits;
  limits.events = 20'000;  // some ask for a load of hours
  Runner runner(world, program, limits);
  runner.run();
  const auto until = runner.limit_reached() ? engine::Time{0} : engine::kForever;
  std::string out;
  for (const auto& finding : check::judge(world.trace(), {}, until).findings) {
    if (finding.scope() == model::Scope::hazard) continue;
    out += check::explain(world.trace(), finding) + "\n";
  }
  return out;
}

TEST(RandomPrograms, FollowTheStandard) {
  for (std::uint64_t number = 0; number < 100; ++number) {
    EXPECT_EQ(broken_rules(number), "") << "program " << number;
  }
}

struct Regression {
  std::uint64_t number;
  const char* shows;
};

class RandomProgram : public testing::TestWithParam<Regression> {};

TEST_P(RandomProgram, FollowsTheStandard) { EXPECT_EQ(broken_rules(GetParam().number), ""); }

INSTANTIATE_TEST_SUITE_P(Regressions, RandomProgram,
                         testing::Values(Regression{148, "EnabledBeforeReadyWasSeenToFall"},
                                         Regression{204, "DataPointerTypeOfACommandWithoutData"},
                                         Regression{56, "NoEventIsPostedAfterShutdown"},
                                         Regression{281, "DisabledBeforeItWasReady"},
                                         Regression{470, "ConflictOfIdentifiersOnAnUndefinedController"},
                                         Regression{735, "AbortProcessedAfterALaterCommand"},
                                         Regression{1008, "ResetDropsAHeldBackMessage"},
                                         Regression{1819, "EnableAbortsAShutdownAskedForWhileDisabled"},
                                         Regression{2865, "EventOfARequestWhoseIdentifierIsUsedTwice"},
                                         Regression{2867, "ListInABufferThatAnotherCommandUses"},
                                         Regression{2885, "DeleteSubmittedBeforeTheCreateEnded"}),
                         [](const auto& one) { return std::string(one.param.shows); });

}  // namespace
}  // namespace polypath::target
