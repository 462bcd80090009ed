// A prepared world is the world of the whole program, and a run leaves nothing behind for the next one.
#include "fuzz/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "check/judge.h"
#include "device/faults.h"
#include "fuzz/loop.h"
#include "fuzz/mutate.h"
#include "target/runner.h"

namespace polypath::fuzz {
namespace {

TEST(Arena, RunsWhatTheWholeProgramRuns) {
  for (const Target* target : targets()) {
    ArenaOptions options;
    options.target = target;
    Arena arena(options);
    engine::Random dice(1, "arena");
    for (int i = 0; i < 60; ++i) {
      const Input input = generate(dice);
      const Result result = arena.run(input);
      if (result.cut) continue;
      const program::Program program = to_program(*target, input);
      target::World world(program);
      target::Runner runner(world, program);
      runner.run();
      ASSERT_EQ(world.trace().hash(), result.trace->hash()) << target->name << i;
      const auto judged = check::judge(world.trace(), {}, engine::kForever);
      ASSERT_EQ(judged.findings.size(), result.findings.size()) << target->name << i;
    }
  }
}

TEST(Arena, ARunDependsOnNoEarlierOne) {
  engine::Random dice(2, "arena");
  std::vector<Input> inputs;
  for (int i = 0; i < 40; ++i) {
    inputs.push_back(generate(dice));
    inputs.back().shape = inputs.front().shape;  // all in one world
  }
  Arena arena;
  std::vector<std::uint64_t> hashes;
  for (const Input& input : inputs) hashes.push_back(arena.run(input).trace->hash());
  for (std::size_t i = inputs.size(); i-- > 0;) EXPECT_EQ(arena.run(inputs[i]).trace->hash(), hashes[i]) << i;
}

TEST(Arena, WithoutModelNothingIsJudged) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  Input input;
  input.shape.controllers = 2;
  Arena judged({&attach_target(), "phase-not-inverted", true, false}),
      unjudged({&attach_target(), "phase-not-inverted", false, false});
  for (int i = 0; i < 40; ++i) input.moves.push_back({0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_NE(judged.run(input).violation(), nullptr);
  EXPECT_EQ(unjudged.run(input).violation(), nullptr);
}

std::size_t states(Arena& arena, const Input& input) {
  arena.run(input);
  const auto bytes = arena.counters().bytes();
  return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [](auto b) { return b != 0; }));
}

TEST(Counters, TellStatesApart) {
  Arena arena;
  Input nothing;
  nothing.shape.controllers = 2;
  Input read = nothing;
  read.moves.push_back({1, 0, 0, 0, 0, 0, 0, 0});
  Input read_after_detach = nothing;
  read_after_detach.moves.push_back({4, 1, 0, 1, 0, 0, 0, 0});  // through nvme1, from nvme0
  read_after_detach.moves.push_back(read.moves.front());
  const std::size_t none = states(arena, nothing), one = states(arena, read);
  const std::vector<std::uint8_t> attached{arena.counters().bytes().begin(), arena.counters().bytes().end()};
  EXPECT_LT(none, one);
  EXPECT_LT(one, states(arena, read_after_detach));
  const auto bytes = arena.counters().bytes();
  EXPECT_FALSE(std::equal(bytes.begin(), bytes.end(), attached.begin()));
}

Found first_finding(const std::string& fault, std::uint64_t seed, std::uint64_t& runs) {
  Loop loop({&attach_target(), fault, true, true}, seed);
  Found found;
  while (loop.runs() < 50'000 && (!loop.step(found) || found.rule != "INV-NS-10")) {
  }
  runs = loop.runs();
  return found;
}

TEST(Loop, FindsAPlantedFaultShrinksItAndDoesTheSameAgain) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  std::uint64_t runs = 0, again = 0;
  const Found found = first_finding("detached-ns-answers", 3, runs);
  ASSERT_EQ(found.rule, "INV-NS-10");
  EXPECT_LE(found.input.moves.size(), 8U);
  Arena with({&attach_target(), "detached-ns-answers", true, false}), without;
  EXPECT_NE(with.run(found.input).violation(), nullptr);
  ASSERT_EQ(without.run(found.input).violation(), nullptr);
  const Found same = first_finding("detached-ns-answers", 3, again);
  EXPECT_EQ(same.input, found.input);
  EXPECT_EQ(again, runs);
}

TEST(Loop, ReportsAShapeOnce) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  Loop loop({&attach_target(), "phase-not-inverted", true, true}, 1);
  std::set<std::string> shapes;
  Found found;
  for (int i = 0; i < 2'000; ++i) {
    if (loop.step(found)) {
      EXPECT_TRUE(shapes.insert(found.shape).second) << found.shape;
    }
  }
  EXPECT_FALSE(shapes.empty());
  EXPECT_GT(loop.violations(), shapes.size());
}

}  // namespace
}  // namespace polypath::fuzz
