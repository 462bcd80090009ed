// The emulator itself: fresh each time, and how its end is told. Skipped where there is no QEMU.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "check/judge.h"
#include "program/topology.h"
#include "qemu/qemu.h"
#include "scenario/scenario.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::qemu {
namespace {

constexpr const char* kTwoControllers =
    "name: two\n"
    "topology:\n"
    "  - nvme-subsys,id=s\n"
    "  - nvme,id=nvme0,serial=x,subsys=s\n"
    "  - nvme,id=nvme1,serial=x,subsys=s\n"
    "  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=s\n"
    "steps:\n";

program::Program two_controllers(const std::string& steps) {
  return scenario::load_scenario_text(kTwoControllers + steps, "test");
}

/// What a program did on an emulator.
struct Done {
  std::vector<target::StepOutcome> outcomes;
  std::vector<target::StepFinding> findings;
  check::Judgement judgement;
};

/// Runs to the end; before step `harm_before` begins, its emulator `victim` gets a signal.
Done run(const program::Program& program, std::unique_ptr<target::Machine> machine,
         std::size_t harm_before = ~std::size_t{0}, pid_t victim = 0, int signal = 0) {
  target::World world(program, std::move(machine));
  target::RunLimits limits;
  limits.keep_data = true;
  target::Runner runner(world, program, limits);
  while (runner.steps_done() < harm_before && runner.advance()) {
  }
  if (victim > 0) kill(victim, signal);
  runner.run();
  return {runner.outcomes(), runner.findings(),
          check::judge(world.trace(), {}, runner.limit_reached() ? 0 : engine::kForever)};
}

/// The one child of this process, whichever thread forked it; 0 when there is none.
pid_t only_child() {
  pid_t child = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream(task.path() / "children") >> child;
    if (child > 0) return child;
  }
  return 0;
}

class Emulator : public ::testing::Test {
 protected:
  void SetUp() override {
    if (version().empty()) GTEST_SKIP() << command() << " is not here (install qemu-system-x86)";
  }
};

TEST_F(Emulator, EachRunFindsNothingOfTheOneBefore) {
  const program::Program program = two_controllers(
      "  - enable: {controller: nvme0}\n"
      "  - enable: {controller: nvme1}\n"
      "  - admin: {controller: nvme0, opcode: identify, nsid: 0, cdw10: 2}\n"
      "  - create_queue_pair: {controller: nvme1, queue: 1}\n"
      "  - io: {controller: nvme1, queue: 1, opcode: read, nsid: 1, lba: 0, blocks: 1}\n"
      "  - io: {controller: nvme1, queue: 1, opcode: write, nsid: 1, lba: 0, blocks: 1, tag: A}\n"
      "  - io: {controller: nvme1, queue: 1, opcode: read, nsid: 1, lba: 0, blocks: 1}\n"
      "  - detach: {ns: ns1, controllers: [nvme0], via: nvme1}\n"
      "  - admin: {controller: nvme0, opcode: identify, nsid: 0, cdw10: 2}\n");
  Pool pool(program.topology);
  for (int time = 0; time < 2; ++time) {
    const Done done = run(program, pool.take());
    EXPECT_TRUE(done.findings.empty());
    EXPECT_EQ(done.judgement.verdict, model::Verdict::pass);
    for (const auto& outcome : done.outcomes) EXPECT_EQ(outcome.status, 0) << "step " << outcome.step;
    EXPECT_EQ(done.outcomes[2].data[0], std::byte{1});              // attached
    EXPECT_EQ(done.outcomes[4].data, std::vector<std::byte>(512));  // empty
    EXPECT_NE(done.outcomes[6].data, std::vector<std::byte>(512));  // written
    EXPECT_EQ(done.outcomes[8].data[0], std::byte{0});              // and detached
  }
}

constexpr const char* kTwoIdentifies =
    "  - enable: {controller: nvme0}\n"
    "  - admin: {controller: nvme0, opcode: identify, nsid: 0, cdw10: 1}\n"
    "  - admin: {controller: nvme0, opcode: identify, nsid: 0, cdw10: 1}\n";

TEST_F(Emulator, ACrashIsAFindingWithItsSignal) {
  const program::Program program = two_controllers(kTwoIdentifies);
  auto machine = start(program.topology);
  const pid_t emulator = only_child();
  ASSERT_GT(emulator, 0);
  const Done done = run(program, std::move(machine), 2, emulator, SIGKILL);
  ASSERT_EQ(done.findings.size(), 1U);
  EXPECT_STREQ(done.findings[0].rule(), "MACHINE");
  EXPECT_EQ(done.findings[0].step, program.steps[2].id);
  EXPECT_EQ(done.findings[0].summary, "qemu " + version() + " ended: signal 9");
  EXPECT_TRUE(done.outcomes[1].done);
  EXPECT_FALSE(done.outcomes[2].done);
  EXPECT_NE(done.judgement.verdict, model::Verdict::violation);  // nobody's answer is no wrong answer
}

TEST_F(Emulator, OneThatHangsIsEndedAndAFinding) {
  const program::Program program = two_controllers(kTwoIdentifies);
  auto machine = start(program.topology, 1);
  const pid_t emulator = only_child();
  ASSERT_GT(emulator, 0);
  const Done done = run(program, std::move(machine), 2, emulator, SIGSTOP);
  ASSERT_EQ(done.findings.size(), 1U);
  EXPECT_STREQ(done.findings[0].rule(), "MACHINE");
  EXPECT_NE(done.findings[0].summary.find("no answer in 1 s to "), std::string::npos)
      << done.findings[0].summary;
  EXPECT_NE(kill(emulator, 0), 0);  // it is gone
  EXPECT_NE(done.judgement.verdict, model::Verdict::violation);
}

TEST_F(Emulator, ATopologyThatItRefusesIsBadInputWithItsOwnWords) {
  program::Program program = two_controllers("  - wait: {duration: 1us}\n");
  program.topology.namespaces[0].block_bytes = 513;
  try {
    start(program.topology);
    FAIL() << "it was taken";
  } catch (const program::InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("exit status 1"), std::string::npos) << text;
    EXPECT_NE(text.find("qemu-system-x86_64:"), std::string::npos) << text;
  }
}

TEST(Start, WithoutAnEmulatorSaysWhatToInstall) {
  setenv("POLYPATH_QEMU", "/no/such/emulator", 1);
  try {
    start(two_controllers("  - wait: {duration: 1us}\n").topology);
    FAIL() << "it was started";
  } catch (const program::InputError& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/emulator cannot be run; install qemu-system-x86"),
              std::string::npos)
        << error.what();
  }
  unsetenv("POLYPATH_QEMU");
}

}  // namespace
}  // namespace polypath::qemu
