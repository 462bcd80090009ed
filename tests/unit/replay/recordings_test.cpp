// The recordings of a real Linux host, sent to the simulator again: every status and every event is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "device/faults.h"
#include "replay/replay.h"
#include "trace/ftrace.h"
#include "trace/inflate.h"

namespace polypath::replay {
namespace {

const std::string kRecordings = POLYPATH_TEST_DATA "/recordings/";

struct Known {
  const char* file;
  std::uint64_t commands, errors, events;
};
constexpr Known kKnown[] = {
    {"01-numa.ftrace.txt.gz", 285, 0, 0},          {"02-rr.ftrace.txt.gz", 489, 0, 0},
    {"03-policy-switch.ftrace.txt.gz", 360, 0, 0}, {"04-detach-ctrl0.ftrace.txt.gz", 726, 1, 2},
    {"05-detach-0-1.ftrace.txt.gz", 2374, 2, 4},
};

program::Topology given_topology() {
  program::TopologyOptions options;
  options.memory_media = true;
  options.default_bytes = std::uint64_t{128} << 20U;
  std::vector<std::string> ignored;
  return program::parse_qemu_args(trace::read_text_file(kRecordings + "qemu-topology-args.txt"), options,
                                  &ignored);
}

class ReplayTest : public testing::TestWithParam<std::tuple<Known, bool>> {};

TEST_P(ReplayTest, EveryStatusWithDoNotRetryAndEveryNamespaceEventIsEqual) {
  const auto& [known, topology_given] = GetParam();
  const auto recording = trace::read_ftrace(kRecordings + known.file);
  ReplayOptions options;
  if (topology_given) options.topology = given_topology();
  const Replay replay = run(recording, options);
  const ReplayResult& result = replay.result;
  EXPECT_EQ(result.commands, known.commands);
  EXPECT_EQ(result.completions, known.commands);
  EXPECT_EQ(result.agree, known.commands) << summary_text(recording, result);
  EXPECT_TRUE(result.differ.empty());
  EXPECT_TRUE(result.not_replayed.empty());
  EXPECT_EQ(result.open, 0U);
  EXPECT_EQ(result.unmatched, 0U);
  EXPECT_EQ(result.events_recorded, known.events);
  EXPECT_EQ(result.events_agree, known.events);
  EXPECT_TRUE(result.events_differ.empty());
  EXPECT_TRUE(result.clean());
  const auto errors = result.statuses.find("invalid_field+DNR (0x4002)");
  EXPECT_EQ(errors == result.statuses.end() ? 0U : errors->second, known.errors);
  EXPECT_FALSE(result.inferences.empty());
  // Said at the head of the list which topology it was.
  EXPECT_EQ(result.inferences.front() == "the topology is the one given", topology_given);
}

INSTANTIATE_TEST_SUITE_P(Light, ReplayTest, testing::Combine(testing::ValuesIn(kKnown), testing::Bool()),
                         [](const auto& known) {
                           return "R" + std::string(std::get<0>(known.param).file).substr(0, 2) +
                                  (std::get<1>(known.param) ? "WithTopology" : "Inferred");
                         });

TEST(Replay, All4234CommandsAgree) {
  std::uint64_t agree = 0;
  for (const auto& known : kKnown)
    agree += run(trace::read_ftrace(kRecordings + known.file), {}).result.agree;
  EXPECT_EQ(agree, 4234U);
}

TEST(Replay, TheSameRecordingGivesTheSameHashesTwice) {
  const auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  const Replay first = run(recording, {}), second = run(recording, {});
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.state_hash, second.state_hash);
  EXPECT_EQ(first.trace, second.trace);
}

TEST(Replay, CompletionsComeWhenTheyWereRecorded) {
  const auto recording = trace::read_ftrace(kRecordings + "02-rr.ftrace.txt.gz");
  const auto stimulus = make_stimulus(recording, {});
  const Replay replay = run(recording, {});
  std::size_t seen = 0;
  for (const auto& event : replay.trace.events()) {
    const auto command = stimulus.command_of_step.find(event.cause);
    if (command == stimulus.command_of_step.end()) continue;
    const auto& recorded = recording.commands[command->second];
    if (event.kind == trace::Boundary::submitted) {
      EXPECT_EQ(event.earliest, stimulus.begin + recorded.time - recording.first_time);
    }
    if (event.kind == trace::Boundary::completed) {
      EXPECT_EQ(event.earliest, stimulus.begin + recorded.completed_at - recording.first_time);
      ++seen;
    }
  }
  EXPECT_EQ(seen, recording.commands.size());
}

TEST(Replay, AStatusThatTheDeviceWouldNotGiveIsADifferenceWithPlaceAndReason) {
  auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  const auto error = std::find_if(recording.commands.begin(), recording.commands.end(),
                                  [](const trace::RecordedCommand& command) { return command.status != 0; });
  error->status = 0x0002;  // the same without DNR
  const auto result = run(recording, {}).result;
  ASSERT_EQ(result.differ.size(), 1U);
  EXPECT_EQ(result.agree, recording.commands.size() - 1);
  EXPECT_EQ(result.differ[0].time_ns, 32'781'598'000U);
  EXPECT_EQ(result.differ[0].controller, "nvme0");
  EXPECT_EQ(result.differ[0].queue, 1U);
  EXPECT_EQ(result.differ[0].cid, 8960U);
  EXPECT_EQ(result.differ[0].recorded, "invalid_field (0x2)");
  EXPECT_EQ(result.differ[0].replayed, "invalid_field+DNR (0x4002)");
  EXPECT_NE(result.differ[0].reason.find("read nsid 1 slba 45272"), std::string::npos);
  EXPECT_FALSE(result.clean());
}

TEST(Replay, WithoutTheEventsTheAttachmentIsTakenToNameItsOwnControllerAndTheDifferenceShows) {
  auto recording = trace::read_ftrace(kRecordings + "05-detach-0-1.ftrace.txt.gz");
  recording.events.clear();
  const auto result = run(recording, {}).result;
  EXPECT_FALSE(result.clean());
  // The two failed reads of nvme0 succeed now, and nvme2, which sent the detach, loses the namespace instead.
  const auto nvme0 = std::count_if(result.differ.begin(), result.differ.end(),
                                   [](const Differing& d) { return d.controller == "nvme0"; });
  EXPECT_EQ(nvme0, 2);
  EXPECT_GT(result.differ.size(), 2U);
  EXPECT_FALSE(result.events_differ.empty());
}

TEST(Replay, ADeviceThatGoesOnServingADetachedNamespaceDiffersInTheRecordedReadThatFailed) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "planted faults are not compiled in";
  const auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  ReplayOptions options;
  options.faults = {"detached-ns-answers"};
  const auto result = run(recording, options).result;
  ASSERT_EQ(result.differ.size(), 1U);
  EXPECT_EQ(result.differ[0].recorded, "invalid_field+DNR (0x4002)");
  EXPECT_EQ(result.differ[0].replayed, "success");
}

TEST(Replay, ADeviceThatForgetsTheNamespaceEventDiffersInEvents) {
  if (!device::faults_compiled_in()) GTEST_SKIP() << "planted faults are not compiled in";
  ReplayOptions options;
  options.faults = {"event-missing"};
  const auto result = run(trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz"), options).result;
  EXPECT_LT(result.events_agree, result.events_recorded);
  EXPECT_FALSE(result.events_differ.empty());
}

TEST(Replay, AnEventMoreThanWasRecordedIsADifference) {
  auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  recording.events.push_back(recording.events.back());
  const auto result = run(recording, {}).result;
  ASSERT_EQ(result.events_differ.size(), 1U);
  EXPECT_EQ(result.events_differ[0].number, 3U);
  EXPECT_EQ(result.events_differ[0].replayed, "none");
}

TEST(Replay, ATopologyWithoutARecordedControllerIsRefused) {
  const auto recording = trace::read_ftrace(kRecordings + "02-rr.ftrace.txt.gz");
  ReplayOptions options;
  options.topology = program::parse_topology({"nvme,id=nvme0,serial=a"}, {"t:1"}, {});
  EXPECT_THROW(run(recording, options), program::InputError);
  options.topology.reset();
  options.profile = "no-such-profile";
  EXPECT_THROW(run(recording, options), program::InputError);
}

TEST(Replay, TheObservedTraceTakesWhatTheTopologyTells) {
  const auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  const auto alone = observed_trace(recording, {});
  EXPECT_EQ(alone.header.namespaces.at(0).blocks, 0U);
  ReplayOptions options;
  options.topology = given_topology();
  const auto with = observed_trace(recording, options);
  ASSERT_EQ(with.header.controllers.size(), 4U);
  EXPECT_EQ(with.header.namespaces.at(0).blocks, 262144U);
  EXPECT_FALSE(with.header.namespaces.at(0).attachment_known);
  EXPECT_EQ(with.events().size(), alone.events().size());
}

TEST(ReplaySummary, TheTextTellsCountsAndInferencesAndTheJsonHoldsWhatScriptsRelyOn) {
  const auto recording = trace::read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  const auto result = run(recording, {}).result;
  const auto text = summary_text(recording, result);
  EXPECT_NE(text.find("04-detach-ctrl0.ftrace.txt.gz: 726 commands, 726 completions, 2 events"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("get_log_page 2, identify 17, ns_attachment 2, read 352, write 353"),
            std::string::npos);
  EXPECT_NE(text.find("invalid_field+DNR (0x4002) 1, success 725"), std::string::npos);
  EXPECT_NE(text.find("replayed:    726 agree, 0 differ; 2 of 2 events agree"), std::string::npos);
  EXPECT_NE(text.find("names nvme0: it then reported a namespace event"), std::string::npos);
  const auto json = nlohmann::json::parse(summary_json(recording, result));
  EXPECT_EQ(json["commands"], 726);
  EXPECT_EQ(json["completions"], 726);
  EXPECT_EQ(json["agree"], 726);
  EXPECT_TRUE(json["differ"].is_array());
  EXPECT_EQ(json["unmatched"], 0);
  EXPECT_EQ(json["statuses"]["success"], 725);
}

}  // namespace
}  // namespace polypath::replay
