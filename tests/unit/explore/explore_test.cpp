// Exploration: how many states the library's small scenarios have, what they can come to, and that an order
// which no ordinary run takes is found.
#include "explore/explore.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "device/faults.h"
#include "engine/random.h"
#include "explore/outcome.h"
#include "scenario/scenario.h"

namespace polypath::explore {
namespace {

program::Program load(const std::string& name) {
  return scenario::load_scenario_file(std::string(POLYPATH_SOURCE_DIR "/scenarios/explore/") + name +
                                      ".yaml");
}

std::set<std::string> outcomes(const Result& result) {
  std::set<std::string> out;
  for (const Outcome& o : result.outcomes) out.insert(o.text);
  return out;
}

std::set<std::string> rules(const Result& result) {
  std::set<std::string> out;
  for (const Found& f : result.findings) out.insert(f.rule);
  return out;
}

TEST(Explore, TwoWritersAndAReaderHaveThreeOutcomes) {
  const Result result = explore(load("two_writers_and_a_reader"));
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.states, 386U);
  EXPECT_EQ(result.transitions, 876U);
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(outcomes(result),
            (std::set<std::string>{
                "1 write ok; 2 write ok; 3 read zeros; nvme0 [1] shows [1]; nvme1 [1] shows [1]; pass",
                "1 write ok; 2 write ok; 3 read A; nvme0 [1] shows [1]; nvme1 [1] shows [1]; pass",
                "1 write ok; 2 write ok; 3 read B; nvme0 [1] shows [1]; nvme1 [1] shows [1]; pass"}));
}

TEST(Explore, FetchesAndInterruptsOfTheirOwnAddStatesAndNoOutcome) {
  Options fine;
  fine.grain = target::Runner::Grain::events;
  const program::Program program = load("two_writers_and_a_reader");
  const Result result = explore(program, fine);
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.states, 6914U);
  EXPECT_EQ(outcomes(result), outcomes(explore(program)));
}

TEST(Explore, ADetachLeavesReadsTheDataOrAnError) {
  const Result result = explore(load("detach_against_reads"));
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.states, 5282U);
  EXPECT_EQ(result.transitions, 14652U);
  EXPECT_EQ(result.outcomes.size(), 6U);
  EXPECT_TRUE(result.findings.empty());
}

TEST(Explore, AListOfAllocatedNamespacesShowsOneOfFourMoments) {
  const Result result = explore(load("create_delete_identify"));
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.states, 26315U);
  EXPECT_EQ(result.transitions, 67902U);
  EXPECT_EQ(result.outcomes.size(), 4U);
  EXPECT_TRUE(result.findings.empty());
}

TEST(Explore, AttachWriteAndResetOnTwoControllersComeToOneOutcomeInEveryOrder) {
  const Result result = explore(load("attach_write_reset"));
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.states, 61047U);
  EXPECT_EQ(result.transitions, 175267U);
  EXPECT_EQ(result.outcomes.size(), 1U);
  EXPECT_TRUE(result.findings.empty());
}

// The claim behind every count: states that are treated as one lead to the same. Here every interleaving is
// followed to its end, and the merged search must have seen all that comes of them.
TEST(Explore, MergingStatesLosesNoOutcomeAndNoFinding) {
  for (const char* fault : {"", "stale-read-on-other-path", "event-missing"}) {
    if (*fault != '\0' && !device::faults_compiled_in()) continue;
    program::Program program = load("two_writers_and_a_reader");
    if (*fault != '\0') program.faults = {fault};
    Options all;
    all.merge = false;
    const Result every = explore(program, all);
    const Result merged = explore(program);
    ASSERT_TRUE(every.exhaustive);
    EXPECT_GT(every.states, merged.states);
    EXPECT_EQ(every.merged, 0U);
    EXPECT_EQ(outcomes(every), outcomes(merged)) << fault;
    EXPECT_EQ(rules(every), rules(merged)) << fault;
  }
}

// The same for scenarios too large to follow without merging: orders drawn at random, with fetches and
// interrupts at moments of their own too.
TEST(Explore, EveryOrderDrawnAtRandomEndsAsExplorationSaysThatItMay) {
  for (const char* name : {"detach_against_reads", "create_delete_identify"}) {
    const program::Program program = load(name);
    const std::set<std::string> known = outcomes(explore(program));
    std::set<std::string> met;
    engine::Random random(1, name);
    for (int walk = 0; walk < 300; ++walk) {
      Options options;
      if (walk % 2 == 0) options.grain = target::Runner::Grain::events;
      Choices choices(80);
      for (auto& choice : choices) choice = static_cast<std::uint32_t>(random.below(4));
      const auto run = follow(program, choices, options);
      met.insert(outcome_text(program, *run.world, *run.runner, run.judgement.verdict));
    }
    EXPECT_TRUE(std::ranges::includes(known, met)) << name;
    EXPECT_GT(met.size(), 1U) << name;
  }
}

TEST(Explore, AFaultThatOneOrderShowsIsFoundThoughARunPasses) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "preset dist has no planted faults";
  program::Program program = load("attach_write_reset");
  program.faults = {"attach-lost-while-enabling"};
  target::World world(program);
  target::Runner runner(world, program);
  runner.run();
  EXPECT_EQ(check::judge(world.trace(), {}, engine::kForever).verdict, model::Verdict::pass);

  Options some;  // the whole search has 61,000 states; the finding comes early
  some.states = 5'000;
  const Result result = explore(program, some);
  ASSERT_EQ(rules(result), std::set<std::string>{"INV-NS-21"});
  const Found& found = result.findings.front();
  const auto again = follow(program, found.choices);
  EXPECT_TRUE(std::ranges::any_of(again.judgement.findings,
                                  [](const auto& f) { return model::row_of(f.rule).id == "INV-NS-21"; }));
  EXPECT_EQ(again.judgement.verdict, model::Verdict::violation);
  EXPECT_EQ(follow(program, {}).judgement.verdict, model::Verdict::pass);
}

TEST(Explore, ABoundThatStopsItIsNamed) {
  Options few;
  few.states = 20;
  Result result = explore(load("two_writers_and_a_reader"), few);
  EXPECT_FALSE(result.exhaustive);
  EXPECT_EQ(result.stopped_by, "--states 20");
  EXPECT_EQ(result.states, 20U);
  Options shallow;
  shallow.depth = 3;
  result = explore(load("two_writers_and_a_reader"), shallow);
  EXPECT_FALSE(result.exhaustive);
  EXPECT_EQ(result.stopped_by, "--depth 3");
  EXPECT_LE(result.deepest, 3U);
}

TEST(Explore, AnExpectationThatSomeOrderBreaksIsReportedWithItsStep) {
  program::Program program = load("two_writers_and_a_reader");
  program::Step& read = program.steps.back();
  program::Value tag;
  tag.text = "A";
  read.operands.push_back({program::Field::equals, tag});
  program = program::canonical(program);
  const Result result = explore(program);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().rule, "EXPECT");
  EXPECT_EQ(result.findings.front().step, 3U);
  EXPECT_FALSE(follow(program, result.findings.front().choices).runner->findings().empty());
}

TEST(Explore, ChoicesAreReadAsTheyAreWritten) {
  EXPECT_EQ(choices_text({0, 2, 1}), "0,2,1");
  EXPECT_EQ(parse_choices("0,2,1"), (Choices{0, 2, 1}));
  EXPECT_EQ(parse_choices(""), Choices{});
  EXPECT_THROW(parse_choices("0,x"), program::InputError);
}

TEST(Explore, AWorkloadIsRefusedWithItsStep) {
  const auto program = scenario::load_scenario_text(R"(
name: load
topology:
  - nvme-subsys,id=subsys0
  - nvme,id=nvme0,serial=foo,subsys=subsys0
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0
hosts:
  - {id: host0, paths: [nvme0]}
steps:
  - workload: {ns: ns1, rate: 100, duration: 1ms}
)",
                                                    "load.yaml");
  EXPECT_THROW(explore(program), program::InputError);
}

}  // namespace
}  // namespace polypath::explore
