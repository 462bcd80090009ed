// A program that grows while it runs is, run from its start, the same run.
#include <gtest/gtest.h>

#include "program/program.h"
#include "scenario/scenario.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::target {
namespace {

using program::Field;
using program::Program;
using program::Step;

constexpr std::string_view kWorld = R"(
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=s,subsys=subsys0
  - nvme,id=nvme1,serial=s,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
hosts:
  - {id: host0, policy: round-robin, paths: [nvme0, nvme1]}
)";

Program world() { return scenario::load_scenario_text(kWorld, "test"); }

/// Steps of a text, for the world above.
std::vector<Step> steps(const std::string& text) {
  return scenario::load_scenario_text(std::string(kWorld) + "steps:\n" + text, "test").steps;
}

struct Live {
  explicit Live(const Program& program) : world(program), runner(world, program) {}

  /// Appends a step and carries on until the script may go on.
  std::size_t step(const std::string& text) {
    const std::size_t index = runner.append(steps(text).front());
    while (!runner.outcomes()[index].started && runner.advance()) {
    }
    while (!runner.at_rest("main") && runner.advance()) {
    }
    return index;
  }

  World world;
  Runner runner;
};

void expect_same_from_the_start(Live& live) {
  World world(live.runner.program());
  Runner runner(world, live.runner.program());
  while (!runner.at_rest("main")) ASSERT_TRUE(runner.advance());
  EXPECT_EQ(world.engine().now(), live.world.engine().now());
  EXPECT_EQ(world.trace().hash(), live.world.trace().hash());
  EXPECT_EQ(world.hash(engine::HashKind::exact), live.world.hash(engine::HashKind::exact));
  live.runner.reopen();
  runner.run();
  live.runner.run();
  EXPECT_EQ(world.trace().hash(), live.world.trace().hash());
  EXPECT_EQ(world.hash(engine::HashKind::exact), live.world.hash(engine::HashKind::exact));
}

TEST(Live, StepsOneByOneAreTheProgramAtOnce) {
  Live live(world());
  live.step("  - write: {ns: ns1, lba: 0, blocks: 8, tag: A, nowait: true}");
  live.step("  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}");
  live.step("  - workload: {ns: ns1, rate: 1000, duration: 5ms}");
  live.step("  - wait: 2ms");
  live.step("  - admin: {controller: nvme0, opcode: identify, cdw10: 1}");
  EXPECT_EQ(live.runner.program().steps.size(), 5U);
  EXPECT_EQ(live.runner.program().steps.back().id, 5U);
  expect_same_from_the_start(live);
}

TEST(Live, AWithdrawnStepLeavesNothingBehind) {
  Live live(world());
  live.step("  - write: {ns: ns1, lba: 0, blocks: 1, tag: A}");
  Live plain(live.runner.program());
  plain.runner.run();
  live.step("  - register_read: {controller: {live: 0}, offset: 0}");
  live.runner.withdraw_last();
  live.step("  - io: {controller: nvme0, queue: 3, opcode: read}");  // nvme0 is its host's
  ASSERT_EQ(live.runner.findings().size(), 1U);
  EXPECT_TRUE(live.runner.findings()[0].unable);
  live.runner.withdraw_last();
  EXPECT_TRUE(live.runner.findings().empty());
  EXPECT_EQ(live.runner.program().steps.size(), 1U);
  EXPECT_EQ(live.runner.outcomes().size(), 1U);
  EXPECT_TRUE(live.runner.at_rest("main"));
}

TEST(Live, AStepLetGoGoesOnAndThePauseAfterItIsPartOfTheProgram) {
  Live live(world());
  live.step("  - workload: {ns: ns1, rate: 777, duration: 8ms}");
  const std::size_t wait = live.runner.append(steps("  - wait: 6ms").front());
  while (live.world.engine().now() < 6'000'000) ASSERT_TRUE(live.runner.advance());
  ASSERT_FALSE(live.runner.outcomes()[wait].done);
  live.runner.let_go(wait);
  EXPECT_TRUE(live.runner.program().steps[wait].nowait);
  while (live.world.engine().next_time() <= live.world.engine().now() + 1) ASSERT_TRUE(live.runner.advance());
  live.runner.append_pause("main", live.world.engine().now() + 1);
  while (!live.runner.at_rest("main")) ASSERT_TRUE(live.runner.advance());
  live.step("  - read: {ns: ns1, lba: 0, blocks: 1}");
  expect_same_from_the_start(live);
}

TEST(Live, ARunThatHasEndedGoesOn) {
  Live live(world());
  live.step("  - write: {ns: ns1, lba: 0, blocks: 1, tag: A}");
  live.runner.run();
  EXPECT_FALSE(live.runner.advance());
  live.runner.append_pause("main", live.world.engine().now() + 1);
  while (!live.runner.at_rest("main")) ASSERT_TRUE(live.runner.advance());
  live.step("  - read: {ns: ns1, lba: 0, blocks: 1, equals: A}");
  EXPECT_TRUE(live.runner.findings().empty());
  expect_same_from_the_start(live);
}

TEST(Live, LabelsAreGivenOnceAndBelongToOneStep) {
  Live live(world());
  const std::size_t first = live.step("  - wait: {duration: 1ms, label: step2}");
  const std::size_t second = live.step("  - wait: 1ms");
  EXPECT_EQ(live.runner.label(first), "step2");
  EXPECT_EQ(live.runner.label(second), "step2_");
  EXPECT_EQ(live.runner.label(second), "step2_");
}

TEST(Live, ALaterHostStartsWhenItIsGivenItsControllers) {
  Program program = world();
  program.hosts[0].later = true;
  Live live(program);
  EXPECT_TRUE(live.world.raw(0) && live.world.raw(1));
  live.step("  - enable: {controller: nvme0}");
  live.step("  - admin: {controller: nvme0, opcode: identify, cdw10: 1}");
  EXPECT_EQ(live.runner.outcomes()[1].status, 0U);
  EXPECT_EQ(live.world.hosts().namespaces_of(0).size(), 0U);
  live.step("  - give: nvme0");
  EXPECT_FALSE(live.world.raw(0));
  EXPECT_TRUE(live.world.raw(1));
  EXPECT_EQ(live.world.hosts().namespaces_of(0).size(), 1U);
  live.step("  - write: {ns: ns1, lba: 0, blocks: 1, tag: A}");
  EXPECT_EQ(live.runner.outcomes().back().error, 0);
  expect_same_from_the_start(live);
  const Program again = scenario::load_scenario_text(scenario::scenario_text(live.runner.program()), "again");
  EXPECT_TRUE(again.hosts[0].later);
  EXPECT_TRUE(program::decode(program::encode(again)).hosts[0].later);
}

}  // namespace
}  // namespace polypath::target
