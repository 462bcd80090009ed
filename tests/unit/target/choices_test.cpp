// Runs turn by turn with the choice outside: what is on offer, copies to come back to, and hashes that do not
// tell two orders of independent work apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "target/runner.h"

namespace polypath::target {
namespace {

using Kind = Runner::Choice::Kind;

program::Program two_writers(std::uint32_t other_lba) {
  return scenario::load_scenario_text(R"(
name: two writers
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
hosts:
  - {id: host0, paths: [nvme0]}
  - {id: host1, paths: [nvme1]}
steps:
  - write: {host: host0, ns: ns1, lba: 0, blocks: 1, tag: A, actor: left}
  - write: {host: host1, ns: ns1, lba: )" +
                                          std::to_string(other_lba) + ", blocks: 1, tag: B, actor: right}\n",
                                      "two.yaml");
}

struct Lab {
  explicit Lab(const program::Program& p) : program(p), world(program), runner(world, program) { settle(); }
  /// Up to the first point with more than one alternative.
  std::vector<Runner::Choice> settle() {
    std::vector<Runner::Choice> alternatives;
    for (;;) {
      runner.choices(alternatives);
      if (alternatives.size() != 1) return alternatives;
      runner.take(alternatives.front());
    }
  }
  /// Runs to the end, always taking the first or the last alternative.
  void finish(bool last) {
    for (auto alternatives = settle(); !alternatives.empty(); alternatives = settle()) {
      runner.take(last ? alternatives.back() : alternatives.front());
    }
  }
  /// One actor's work after the other's, without time passing in between.
  void finish_one_after_the_other(bool backwards) {
    for (auto alternatives = settle(); !alternatives.empty(); alternatives = settle()) {
      auto work = std::find_if(alternatives.begin(), alternatives.end(), [](const auto& c) {
        return c.kind == Kind::ready || c.kind == Kind::pending;
      });
      const bool both = alternatives.size() > 1 && alternatives[1].kind == Kind::begin;
      if (work == alternatives.end()) work = alternatives.begin() + (backwards && both ? 1 : 0);
      runner.take(*work);
    }
  }
  std::uint64_t canonical() const {
    engine::Hasher hasher;
    world.hash_canonical(hasher);
    runner.hash_canonical(hasher);
    return hasher.value();
  }
  program::Program program;
  World world;
  Runner runner;
};

TEST(Choices, BothActorsMayBegin) {
  Lab lab(two_writers(8));
  const auto alternatives = lab.settle();
  ASSERT_GE(alternatives.size(), 2U);
  EXPECT_EQ(alternatives[0].kind, Kind::begin);
  EXPECT_EQ(alternatives[1].kind, Kind::begin);
  EXPECT_EQ(lab.runner.text_of(alternatives[0]), "step 1 begins: write of left");
  EXPECT_EQ(lab.runner.text_of(alternatives[1]), "step 2 begins: write of right");
}

TEST(Choices, AFreeDurationEndsWithoutTimePassing) {
  Lab lab(two_writers(8));
  const auto now = lab.world.engine().now();
  lab.runner.take(lab.settle()[1]);  // the right writer begins
  const auto alternatives = lab.settle();
  ASSERT_EQ(alternatives.size(), 2U);
  EXPECT_EQ(alternatives[1].kind, Kind::ready);
  EXPECT_EQ(lab.runner.text_of(alternatives[1]), "nvme1 fetches from queue 1");
  lab.runner.take(alternatives[1]);
  const auto next = lab.settle();
  ASSERT_EQ(next.back().kind, Kind::pending);
  EXPECT_EQ(lab.runner.text_of(next.back()), "nvme1 executes cid 0 of queue 1: write nsid 1 slba 8 nlb 1");
  lab.runner.take(next.back());
  EXPECT_EQ(lab.world.engine().now(), now);
}

TEST(Choices, WithGrainOfCommandsAFetchFollowsAtOnce) {
  Lab lab(two_writers(8));
  lab.runner.take(lab.settle()[1]);
  std::vector<Runner::Choice> alternatives;
  lab.runner.choices(alternatives, Runner::Grain::commands);
  ASSERT_EQ(alternatives.size(), 1U);
  EXPECT_EQ(alternatives[0].kind, Kind::ready);
}

TEST(Choices, TwoOrdersOfIndependentWritesAreOneState) {
  Lab forwards(two_writers(8)), backwards(two_writers(8));
  forwards.finish_one_after_the_other(false);
  backwards.finish_one_after_the_other(true);
  EXPECT_NE(forwards.world.trace().hash(), backwards.world.trace().hash()) << "the orders differ";
  EXPECT_EQ(forwards.canonical(), backwards.canonical());
}

TEST(Choices, TwoOrdersOfWritesToOneBlockAreTwoStates) {
  Lab forwards(two_writers(0)), backwards(two_writers(0));
  forwards.finish_one_after_the_other(false);
  backwards.finish_one_after_the_other(true);
  EXPECT_NE(forwards.canonical(), backwards.canonical()) << "A or B is the last";
}

TEST(Choices, ASnapshotComesBackWithTheSameFuture) {
  Lab lab(two_writers(0));
  lab.runner.take(lab.settle()[0]);
  World::Snapshot world;
  Runner::Snapshot runner;
  lab.world.snapshot(world);
  lab.runner.snapshot(runner);
  const std::uint64_t state = lab.canonical();
  lab.finish(false);
  const std::uint64_t trace = lab.world.trace().hash(), end = lab.world.hash(engine::HashKind::exact);
  const std::uint64_t done = lab.runner.steps_done();
  lab.world.restore(world);
  lab.runner.restore(runner);
  EXPECT_EQ(lab.canonical(), state);
  lab.finish(true);
  EXPECT_NE(lab.world.trace().hash(), trace);
  lab.world.restore(world);
  lab.runner.restore(runner);
  lab.finish(false);
  EXPECT_EQ(lab.world.trace().hash(), trace);
  EXPECT_EQ(lab.world.hash(engine::HashKind::exact), end);
  EXPECT_EQ(lab.runner.steps_done(), done);
}

TEST(Choices, AStepWithATimeWaitsForItsTime) {
  program::Program program = two_writers(8);
  program.steps[1].at = engine::kSecond;
  Lab lab(program);
  const auto alternatives = lab.settle();
  EXPECT_EQ(std::count_if(alternatives.begin(), alternatives.end(),
                          [](const auto& c) { return c.kind == Kind::begin; }),
            1);
  lab.finish(false);
  EXPECT_EQ(lab.runner.steps_done(), 2U);
  EXPECT_GE(lab.world.engine().now(), engine::kSecond);
}

}  // namespace
}  // namespace polypath::target
