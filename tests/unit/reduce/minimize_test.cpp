// Minimizing: the same rule, the same on every run, small; and what is taken out leaves a whole program.
#include "reduce/minimize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "device/faults.h"
#include "reduce/repair.h"
#include "scenario/scenario.h"

namespace polypath::reduce {
namespace {

std::vector<std::string> long_findings() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(POLYPATH_TEST_DATA "/findings")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

program::Program parse(const std::string& rest) {
  return scenario::load_scenario_text(R"(
name: test
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
  - nvme-ns,id=ns2,nsid=2,size=1MiB,bus=nvme1
hosts:
  - {id: host0, paths: [nvme0, nvme1]}
)" + rest,
                                      "test.yaml");
}

TEST(Minimize, TenLongFindingsKeepTheirRuleInFewSteps) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  std::vector<std::size_t> steps;
  for (const std::string& file : long_findings()) {
    const program::Program program = scenario::load_scenario_file(file);
    const Minimized small = minimize(program);
    EXPECT_TRUE(small.finished) << file;
    EXPECT_EQ(small.before.steps, 60U) << file;
    const Trial again = run_trial(small.program);
    EXPECT_TRUE(std::ranges::any_of(again.broken, [&](const Broken& b) { return b.same(small.broken); }))
        << file;
    const Trial before = run_trial(program);
    EXPECT_EQ(choose(before, "")->rule, small.broken.rule) << file;
    EXPECT_TRUE(is_a_scenario(small.program)) << file;
    EXPECT_LE(small.after.free_steps, small.before.free_steps) << file;
    steps.push_back(small.after.steps);
  }
  ASSERT_EQ(steps.size(), 10U);
  std::sort(steps.begin(), steps.end());
  EXPECT_LE(steps[4], 8U) << "the lower median";
  EXPECT_LE(steps[5], 8U) << "the upper median";
}

TEST(Minimize, GivesTheSameProgramEveryTime) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  const program::Program program = scenario::load_scenario_file(long_findings().front());
  const Minimized one = minimize(program), other = minimize(program);
  EXPECT_EQ(one.program, other.program);
  EXPECT_EQ(one.trials, other.trials);
}

TEST(Minimize, StepsKeepTheirIds) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  const program::Program program = scenario::load_scenario_file(long_findings().front());
  for (const program::Step& step : minimize(program).program.steps) {
    const auto was = std::ranges::find_if(program.steps, [&](const auto& s) { return s.id == step.id; });
    ASSERT_NE(was, program.steps.end());
    EXPECT_EQ(was->kind, step.kind);
  }
}

TEST(Minimize, TheRuleToKeepCanBeChosen) {
  const program::Program program = parse(R"(
steps:
  - write: {host: host0, ns: ns1, tag: A}
  - read: {host: host0, ns: ns1, equals: B}
  - flush: {host: host0, ns: ns1, expect: {error: 5}}
)");
  Options options;
  options.rule = "EXPECT";
  const Minimized small = minimize(program, options);
  EXPECT_EQ(small.broken.rule, "EXPECT");
  EXPECT_EQ(small.broken.step, 2U) << "the first that fails";
  ASSERT_EQ(small.program.steps.size(), 1U);
  EXPECT_EQ(small.program.steps.front().id, 2U);
  EXPECT_EQ(small.program.topology.controllers.size(), 1U);
  EXPECT_EQ(small.program.topology.namespaces.size(), 1U);
  options.rule = "INV-D-02";
  EXPECT_THROW(minimize(program, options), program::InputError);
}

TEST(Minimize, AProgramThatBreaksNothingIsRefused) {
  EXPECT_THROW(minimize(parse("steps:\n  - write: {host: host0, ns: ns1, tag: A}\n")), program::InputError);
}

TEST(Minimize, TheNumberOfTrialsIsKept) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  Options few;
  few.trials = 3;
  const Minimized small = minimize(scenario::load_scenario_file(long_findings().front()), few);
  EXPECT_EQ(small.trials, 3U);
  EXPECT_FALSE(small.finished);
}

TEST(Minimize, AStepThatOnlyTookTimeGoes) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  // The attachment is lost only within the millisecond in which nvme1 becomes ready: the waits bring it
  // there.
  program::Program program = scenario::load_scenario_text(R"(
name: test
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme,id=nvme1,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0,detached=on
steps:
  - enable: {controller: nvme0}
  - enable: {controller: nvme1, actor: other, at: 1500us}
  - wait: 200us
  - wait: 200us
  - wait: 200us
  - attach: {via: nvme0, ns: ns1, controllers: [nvme1]}
  - wait: 5ms
  - admin: {controller: nvme1, opcode: identify, cdw10: 2, length: 4096}
)",
                                                          "test.yaml");
  program.faults = {"attach-lost-while-enabling"};
  const Minimized small = minimize(program);
  EXPECT_EQ(small.broken.rule, "INV-NS-21");
  EXPECT_EQ(small.after.steps, 4U) << scenario::scenario_text(small.program);
}

TEST(Repair, WhatReferredToWhatIsGoneGoesToo) {
  program::Program program = parse(R"(
steps:
  - write: {host: host0, ns: ns1, tag: A, label: first}
  - read: {host: host0, ns: ns2, after: first}
  - attach: {via: nvme0, ns: ns1, controllers: [nvme1]}
)");
  program::Program out;
  ASSERT_TRUE(without_word(program, 2, out)) << "nvme1, and ns2 on its bus";
  EXPECT_EQ(out.topology.words.size(), 3U);
  EXPECT_EQ(out.hosts.front().paths, std::vector<std::string>{"nvme0"});
  ASSERT_EQ(out.steps.size(), 1U) << "the read of ns2 and the attach to nvme1 are gone";
  program.steps.erase(program.steps.begin());
  EXPECT_EQ(repaired(program).steps.front().after, "");
  EXPECT_FALSE(without_word(program, 99, out));
}

}  // namespace
}  // namespace polypath::reduce
