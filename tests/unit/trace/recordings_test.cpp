// The recordings of a real Linux host: everything in them is accounted for.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "spec/log_feature_event.h"
#include "trace/ftrace.h"
#include "trace/inferred.h"
#include "trace/partial.h"
#include "trace/text.h"

namespace polypath::trace {
namespace {

const std::string kRecordings = POLYPATH_TEST_DATA "/recordings/";

struct Known {
  const char* file;
  std::size_t commands, reads, writes, admin, events, errors;
};
constexpr Known kKnown[] = {
    {"01-numa.ftrace.txt.gz", 285, 143, 142, 0, 0, 0},
    {"02-rr.ftrace.txt.gz", 489, 244, 245, 0, 0, 0},
    {"03-policy-switch.ftrace.txt.gz", 360, 180, 180, 0, 0, 0},
    {"04-detach-ctrl0.ftrace.txt.gz", 726, 352, 353, 21, 2, 1},
    {"05-detach-0-1.ftrace.txt.gz", 2374, 1164, 1162, 48, 4, 2},
};

class RecordingTest : public testing::TestWithParam<Known> {
 protected:
  Recording recording = read_ftrace(kRecordings + GetParam().file);
};

TEST_P(RecordingTest, EveryRecordedCommandIsReadWithItsCompletion) {
  EXPECT_EQ(recording.commands.size(), GetParam().commands);
  EXPECT_EQ(recording.completions(), GetParam().commands);
  EXPECT_EQ(recording.events.size(), GetParam().events);
  EXPECT_EQ(recording.unmatched_lines, 0U);
  EXPECT_EQ(recording.lost_events, 0U);
  std::size_t reads = 0, writes = 0, admin = 0;
  for (const auto& command : recording.commands) {
    EXPECT_GE(command.completed_at, command.time);
    if (command.queue == 0) {
      ++admin;
    } else {
      reads += command.entry.opcode == 0x02;
      writes += command.entry.opcode == 0x01;
      EXPECT_NE(command.disk, kNoDisk);
      EXPECT_EQ(recording.disks[command.disk].controller, command.controller);
      EXPECT_EQ(command.entry.block_count(), 8U);  // the load generator's 4 KiB
    }
  }
  EXPECT_EQ(reads, GetParam().reads);
  EXPECT_EQ(writes, GetParam().writes);
  EXPECT_EQ(admin, GetParam().admin);
}

TEST_P(RecordingTest, TheOnlyErrorsAreInvalidFieldWithDoNotRetryOnANamespaceThatWasDetached) {
  std::size_t errors = 0;
  for (const auto& command : recording.commands) {
    if (command.status == 0) continue;
    ++errors;
    EXPECT_EQ(command.status, 0x4002);
    EXPECT_EQ(recording.controllers[command.controller].name, "nvme0");
    EXPECT_EQ(command.entry.nsid, 1U);
  }
  EXPECT_EQ(errors, GetParam().errors);
}

TEST_P(RecordingTest, EveryLineIsCountedInSomeClass) {
  // 13 comment lines stand at the head of each of these files.
  constexpr std::uint64_t comments = 13;
  EXPECT_EQ(recording.lines, comments + recording.commands.size() + recording.completions() +
                                 recording.events.size() + recording.marks.size() + recording.block_lines +
                                 recording.queue_lines + recording.other_lines + recording.unmatched_lines);
}

TEST_P(RecordingTest, ThePartialTraceHoldsEveryCommandAndEventInOrderOfTheirRecordedMoments) {
  const Trace trace = partial_trace(recording);
  std::map<Boundary, std::size_t> kinds;
  Time last = 0;
  for (const auto& event : trace.events()) {
    ++kinds[event.kind];
    EXPECT_LE(event.earliest, event.latest);
    EXPECT_GE(recorded_time(event), last);
    last = recorded_time(event);
    Parts parts;
    if (event.kind == Boundary::submitted) {
      EXPECT_TRUE(read_submitted(trace, event, parts));
    }
    if (event.kind == Boundary::completed) {
      EXPECT_TRUE(read_completed(trace, event, parts));
    }
  }
  EXPECT_EQ(kinds[Boundary::submitted], GetParam().commands);
  EXPECT_EQ(kinds[Boundary::completed], GetParam().commands);
  EXPECT_EQ(kinds[Boundary::async_event], GetParam().events);
  // Every I/O of these recordings went through a multipath head, once.
  EXPECT_EQ(kinds[Boundary::app_submit], GetParam().reads + GetParam().writes);
  EXPECT_EQ(kinds[Boundary::app_complete], GetParam().reads + GetParam().writes);
  const auto app_errors =
      std::count_if(trace.events().begin(), trace.events().end(), [](const BoundaryEvent& event) {
        return event.kind == Boundary::app_complete &&
               event.b == 95;  // EOPNOTSUPP, as the load generator saw
      });
  EXPECT_EQ(static_cast<std::size_t>(app_errors), GetParam().errors);
}

TEST_P(RecordingTest, ThePartialTraceSaysHowLittleWasObserved) {
  const Trace trace = partial_trace(recording);
  EXPECT_EQ(trace.header.source, "ftrace");
  for (const auto& controller : trace.header.controllers) {
    EXPECT_FALSE(controller.initial_state_known);
    EXPECT_EQ(controller.observed &
                  (observed::registers | observed::doorbells | observed::data | observed::fetches),
              0U);
    EXPECT_NE(controller.observed & observed::completions, 0U);
  }
  for (const auto& ns : trace.header.namespaces) {
    EXPECT_FALSE(ns.attachment_known);
    EXPECT_FALSE(ns.content_zero);
  }
}

INSTANTIATE_TEST_SUITE_P(Light, RecordingTest, testing::ValuesIn(kKnown),
                         [](const auto& known) { return "R" + std::string(known.param.file).substr(0, 2); });

TEST(RecordingsTogether, All4234CommandsAreAccountedFor) {
  std::size_t commands = 0;
  for (const auto& known : kKnown) commands += read_ftrace(kRecordings + known.file).commands.size();
  EXPECT_EQ(commands, 4234U);
}

TEST(InferredAttachment, TheDetachOf04NamesController0AndTheAttachToo) {
  const auto recording = read_ftrace(kRecordings + "04-detach-ctrl0.ftrace.txt.gz");
  const auto attachments = infer_attachments(recording);
  ASSERT_EQ(attachments.size(), 2U);
  EXPECT_FALSE(attachments[0].attach);
  EXPECT_EQ(attachments[0].controllers, (std::vector<std::uint16_t>{0}));
  EXPECT_TRUE(attachments[1].attach);
  EXPECT_EQ(attachments[1].controllers, (std::vector<std::uint16_t>{0}));
  EXPECT_EQ(
      attachments[0].sentence,
      "the Namespace Attachment at 32.742384 s on nvme0 (detach namespace 1) names nvme0: it then reported a "
      "namespace event");
}

TEST(InferredAttachment, TheDetachOf05NamesControllers0And1AndIsSentByController2) {
  const auto recording = read_ftrace(kRecordings + "05-detach-0-1.ftrace.txt.gz");
  const auto attachments = infer_attachments(recording);
  ASSERT_EQ(attachments.size(), 2U);
  for (const auto& attachment : attachments) {
    EXPECT_EQ(attachment.controllers, (std::vector<std::uint16_t>{0, 1}));
    EXPECT_EQ(recording.controllers[recording.commands[attachment.command].controller].name, "nvme2");
  }
}

TEST(InferredTopology, SharedHeadMakesOneSubsystemAndAPrivateNamespaceIsSeenByItsIdentify) {
  const auto recording = read_ftrace(kRecordings + "05-detach-0-1.ftrace.txt.gz");
  const auto topology = infer_topology(recording, infer_attachments(recording));
  EXPECT_EQ(topology.subsystems, 2U);
  EXPECT_EQ(topology.subsystem_of, (std::vector<std::uint32_t>{0, 0, 0, 1}));
  ASSERT_EQ(topology.namespaces.size(), 3U);
  EXPECT_EQ(topology.namespaces[0].nsid, 1U);
  EXPECT_TRUE(topology.namespaces[0].shared);
  EXPECT_EQ(topology.namespaces[0].attached_at_start, (std::vector<std::uint16_t>{0, 1, 2}));
  EXPECT_EQ(topology.namespaces[0].blocks_seen, 131064U);
  EXPECT_EQ(topology.namespaces[1].nsid, 2U);
  EXPECT_FALSE(topology.namespaces[1].shared);
  EXPECT_EQ(topology.namespaces[1].seen_on, (std::vector<std::uint16_t>{2}));
  EXPECT_EQ(topology.namespaces[2].nsid, 3U);
  EXPECT_EQ(topology.namespaces[2].subsystem, 1U);
  EXPECT_FALSE(topology.sentences.empty());
}

TEST(InferredTopology, ANamespaceReachedOverOnePathOnlyIsTakenAsPrivate) {
  const auto recording = read_ftrace(kRecordings + "01-numa.ftrace.txt.gz");
  const auto topology = infer_topology(recording, infer_attachments(recording));
  ASSERT_EQ(topology.namespaces.size(), 1U);
  EXPECT_FALSE(topology.namespaces[0].shared);
  EXPECT_EQ(recording.controllers.size(), 1U);
}

}  // namespace
}  // namespace polypath::trace
