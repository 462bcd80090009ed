// Programs run on simulated worlds: steps, waiting, names, expectations, snapshots, hashes.
#include "target/runner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scenario/scenario.h"
#include "spec/status.h"

namespace polypath::target {
namespace {

constexpr const char* kTopology = R"(
name: test
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme,id=nvme2,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=16MiB,subsys=subsys0
  - nvme-ns,id=ns2,nsid=2,size=16MiB,bus=nvme2
  - nvme-ns,id=ns4,nsid=4,size=16MiB,subsys=subsys0,detached=on
)";
constexpr const char* kHost = R"(
hosts:
  - {id: host0, policy: round-robin, paths: [nvme0, nvme1, nvme2]}
)";

program::Program parse(const std::string& text) {
  return scenario::load_scenario_text(std::string(kTopology) + text, "test.yaml");
}
program::Program with_host(const std::string& steps) {
  return parse(std::string(kHost) + "steps:\n" + steps);
}
program::Program without_host(const std::string& steps) { return parse("steps:\n" + steps); }

struct Done {
  explicit Done(const program::Program& p, RunLimits limits = {})
      : program(p), world(program), runner(world, program, limits) {
    runner.run();
  }
  std::string findings() const {
    std::string text;
    for (const auto& f : runner.findings()) text += std::to_string(f.step) + ": " + f.summary + "\n";
    return text;
  }
  program::Program program;
  World world;
  Runner runner;
};

TEST(Runner, AWriteIsReadBackThroughEveryPath) {
  const Done done(with_host(R"(
  - write: {ns: ns1, lba: 0, blocks: 8, tag: A}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: A}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: A}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: A}
)"));
  EXPECT_EQ(done.findings(), "");
  EXPECT_EQ(done.runner.steps_done(), 4U);
}

TEST(Runner, AReadThatExpectsOtherDataIsAFinding) {
  const Done done(with_host(R"(
  - write: {ns: ns1, lba: 0, blocks: 8, tag: A}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: B}
)"));
  ASSERT_EQ(done.runner.findings().size(), 1U);
  EXPECT_NE(done.findings().find("differs from tag B at byte 0"), std::string::npos) << done.findings();
}

TEST(Runner, DetachAndAttachChangeWhatControllersListAndHostsReach) {
  const Done done(with_host(R"(
  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - expect: {list: {nvme0: [], nvme1: [ns1], nvme2: [ns1, ns2]}, heads: {ns1: [nvme1, nvme2]}}
  - attach: {via: nvme2, ns: ns1, controllers: [nvme0]}
  - wait: 10ms
  - expect: {list: {nvme0: [ns1]}, heads: {ns1: [nvme0, nvme1, nvme2]}}
)"));
  EXPECT_EQ(done.findings(), "");
}

TEST(Runner, AnExpectationThatDoesNotHoldNamesBothSides) {
  const Done done(with_host("  - expect: {list: {nvme0: [ns1, ns2]}}\n"));
  ASSERT_EQ(done.runner.findings().size(), 1U);
  EXPECT_NE(done.findings().find("nvme0 should list [ns1, ns2] but lists [ns1]"), std::string::npos)
      << done.findings();
}

TEST(Runner, ANamespaceIsCreatedNamedAttachedUsedAndDeleted) {
  const Done done(with_host(R"(
  - create: {via: nvme0, size: 4MiB}
    as: n5
  - attach: {via: nvme0, ns: n5, controllers: [nvme0, nvme1]}
  - wait: 10ms
  - write: {ns: n5, lba: 0, blocks: 4, tag: X}
  - read: {ns: n5, lba: 0, blocks: 4, equals: X}
  - delete: {via: nvme1, ns: n5}
  - wait: 10ms
  - expect: {list: {nvme0: [ns1], nvme1: [ns1]}}
)"));
  EXPECT_EQ(done.findings(), "");
}

TEST(Runner, ExpectedStatusesAreCompared) {
  const Done good(
      with_host("  - attach: {via: nvme0, ns: ns1, controllers: [nvme0], expect: {status: 1/18}}\n"));
  EXPECT_EQ(good.findings(), "");
  const Done bad(
      with_host("  - attach: {via: nvme0, ns: ns1, controllers: [nvme0], expect: {status: success}}\n"));
  EXPECT_NE(bad.findings().find("expected status success, got namespace_already_attached"), std::string::npos)
      << bad.findings();
}

TEST(Runner, RawDriversReachEveryRegisterAndQueue) {
  const Done done(without_host(R"(
  - register_read: {controller: nvme0, offset: 0x1c, value: 0}
  - enable: {controller: nvme0}
  - register_read: {controller: nvme0, offset: 0x1c, value: 1}
  - create_queue_pair: {controller: nvme0, queue: 1, depth: 8}
  - io: {controller: nvme0, queue: 1, opcode: write, nsid: ns1, lba: 5, blocks: 1, tag: T, expect: {status: success}}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: ns1, lba: 5, blocks: 1, equals: T}
  - io: {controller: nvme0, queue: 1, opcode: read, nsid: 9, expect: {status: 0x4002}}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1, expect: {status: success}}
  - delete_queue_pair: {controller: nvme0, queue: 1}
  - disable: {controller: nvme0}
  - register_read: {controller: nvme0, offset: 0x1c, value: 0}
)"));
  EXPECT_EQ(done.findings(), "");
}

TEST(Runner, AdminCommandsOnAHostsControllerGoThroughItsDriver) {
  const Done done(with_host(R"(
  - admin: {controller: nvme1, opcode: identify, cdw10: 0x13, expect: {status: success}}
  - admin: {controller: nvme1, opcode: 0xC5, expect: {status: invalid_opcode}}
)"));
  EXPECT_EQ(done.findings(), "");
}

TEST(Runner, AControllerChangesHandsAndComesBack) {
  const Done done(with_host(R"(
  - take: {controller: nvme0}
  - enable: {controller: nvme0}
  - admin: {controller: nvme0, opcode: identify, cdw10: 1, expect: {status: success}}
  - disable: {controller: nvme0}
  - give: {controller: nvme0}
  - wait: 50ms
  - expect: {heads: {ns1: [nvme0, nvme1, nvme2]}}
)"));
  EXPECT_EQ(done.findings(), "");
}

TEST(Runner, AStepThatCannotRunSaysWhy) {
  const Done done(without_host("  - io: {controller: nvme0, queue: 3, opcode: read, nsid: 1}\n"));
  ASSERT_EQ(done.runner.findings().size(), 1U);
  EXPECT_TRUE(done.runner.findings()[0].unable);
  EXPECT_NE(done.findings().find("has no queue 3"), std::string::npos) << done.findings();
}

TEST(Runner, ActorsAreSequentialAndOrderedByLabels) {
  const Done done(with_host(R"(
  - {actor: b, after: written, read: {ns: ns1, lba: 0, blocks: 1, equals: A}}
  - {actor: a, wait: 5ms}
  - {actor: a, label: written, write: {ns: ns1, lba: 0, blocks: 1, tag: A}}
)"));
  EXPECT_EQ(done.findings(), "");
  EXPECT_EQ(done.runner.steps_done(), 3U);
}

TEST(Runner, AStepWaitsForItsTime) {
  const Done done(with_host("  - {at: 3s, write: {ns: ns1, lba: 0, blocks: 1, tag: A}}\n"));
  const auto& events = done.world.trace().events();
  const auto write = std::find_if(events.begin(), events.end(),
                                  [](const auto& e) { return e.kind == trace::Boundary::app_submit; });
  ASSERT_NE(write, events.end());
  EXPECT_EQ(write->earliest, 3 * engine::kSecond);
}

TEST(Runner, AWorkloadRunsBesideTheSteps) {
  const Done done(with_host(R"(
  - workload: {ns: ns1, rate: 1000, duration: 100ms, blocks: 8}
    label: load
  - reset: {controller: nvme1}
  - {after: load, wait: 1ms}
)"));
  EXPECT_EQ(done.findings(), "");
  EXPECT_EQ(done.runner.outcomes()[0].dw0, 100U) << "one request each millisecond";
  EXPECT_EQ(done.runner.outcomes()[0].dw1, 0U) << "no error reaches the application";
}

const char* const kBusy = R"(
  - workload: {ns: ns1, rate: 2000, duration: 60ms, blocks: 8}
  - wait: 10ms
  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - reset: {controller: nvme2}
  - attach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - wait: 20ms
)";

TEST(World, TheSameProgramGivesTheSameHashes) {
  const Done first(with_host(kBusy)), second(with_host(kBusy));
  EXPECT_EQ(first.world.trace().hash(), second.world.trace().hash());
  EXPECT_EQ(first.world.hash(engine::HashKind::exact), second.world.hash(engine::HashKind::exact));
}

TEST(World, AnotherSeedGivesOtherData) {
  auto program = with_host(kBusy);
  const Done first(program);
  program.seed = 99;
  const Done second(program);
  EXPECT_NE(first.world.trace().hash(), second.world.trace().hash());
}

// The property that time travel, minimization and exploration stand on.
TEST(World, ARestoredWorldHasTheSameFuture) {
  const auto program = with_host(kBusy);
  for (const int stop : {0, 7, 100, 333, 700}) {
    World world(program);
    engine::Event event;
    bool ours = false;
    for (std::uint32_t h = 0; h < program.hosts.size(); ++h)
      world.hosts().start(world.host_surroundings(), h);
    for (int i = 0; i < stop && world.step(engine::kForever, event, ours); ++i) {
    }
    World::Snapshot snapshot;
    world.snapshot(snapshot);
    while (world.step(engine::kForever, event, ours)) {
    }
    const auto trace_hash = world.trace().hash();
    const auto state_hash = world.hash(engine::HashKind::exact);
    const auto events = world.trace().events().size();
    world.restore(snapshot);
    while (world.step(engine::kForever, event, ours)) {
    }
    EXPECT_EQ(world.trace().hash(), trace_hash) << stop;
    EXPECT_EQ(world.hash(engine::HashKind::exact), state_hash) << stop;
    EXPECT_EQ(world.trace().events().size(), events) << stop;
  }
}

TEST(World, LatitudeChangesTheOrderOfWorkButNoOutcome) {
  auto program = with_host(R"(
  - write: {ns: ns1, lba: 0, blocks: 8, tag: A}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: A}
  - detach: {via: nvme1, ns: ns1, controllers: [nvme0]}
  - read: {ns: ns1, lba: 0, blocks: 8, equals: A}
)");
  const Done benign(program);
  for (auto& step : program.steps) step.latitude = 3;
  const Done free(program);
  EXPECT_EQ(benign.findings() + free.findings(), "");
  EXPECT_NE(benign.world.trace().hash(), free.world.trace().hash());
}

TEST(World, ARunIsCutAtItsLimits) {
  RunLimits limits;
  limits.events = 100;
  const Done done(with_host(kBusy), limits);
  EXPECT_TRUE(done.runner.limit_reached());
}

TEST(World, ProblemsOfAProgramAreSaidInOneLine) {
  auto program = with_host("  - wait: 1ms\n");
  EXPECT_EQ(find_problem(program), "");
  program.faults = {"no-such-fault"};
  EXPECT_NE(find_problem(program).find("no-such-fault"), std::string::npos);
  program.faults.clear();
  program.profile = "imaginary";
  EXPECT_NE(find_problem(program).find("known: spec"), std::string::npos);
}

}  // namespace
}  // namespace polypath::target
