// How a recording becomes a partially observed trace: what is said, and what is left open.
#include "trace/partial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "trace/ftrace.h"

namespace polypath::trace {
namespace {

std::string line(const std::string& time, const std::string& text) {
  return "  iogen-267  [001] d.h1.  " + time + ": " + text + "\n";
}
std::string write(const std::string& time, const std::string& who, unsigned slba) {
  return line(time, "nvme_setup_cmd: " + who + ", nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_write slba=" +
                        std::to_string(slba) + ", len=7, ctrl=0x0, dsmgmt=0, reftag=0)");
}
std::string end(const std::string& time, const std::string& who, const std::string& status,
                const std::string& retries = "0") {
  return line(time,
              "nvme_complete_rq: " + who + ", res=0x0, retries=" + retries + ", flags=0x0, status=" + status);
}
const std::string kPath0 = "nvme0: disk=nvme0c0n1, qid=1, cmdid=5",
                  kPath1 = "nvme1: disk=nvme0c1n1, qid=1, cmdid=5";

std::vector<Boundary> kinds(const Trace& trace) {
  std::vector<Boundary> out;
  for (const auto& event : trace.events()) out.push_back(event.kind);
  return out;
}
using enum Boundary;

TEST(PartialTrace, ACommandTookEffectBetweenItsRecordedSubmissionAndItsRecordedCompletion) {
  const auto trace = partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.5", kPath0, "0x0"), "r"));
  ASSERT_EQ(kinds(trace), (std::vector<Boundary>{app_submit, submitted, completed, app_complete}));
  const auto& sent = trace.events()[1];
  const auto& done = trace.events()[2];
  EXPECT_EQ(sent.earliest, engine::kSecond);
  EXPECT_EQ(sent.latest, 1500 * engine::kMillisecond);
  EXPECT_EQ(done.earliest, engine::kSecond);
  EXPECT_EQ(done.latest, 1500 * engine::kMillisecond);
  EXPECT_EQ(sent.slot, kUnknownSlot);
  EXPECT_EQ(sent.b, submitted_part::no_data_pointer | submitted_part::no_tail_dwords);
  EXPECT_EQ(done.b, completed_part::status_only);
}

TEST(PartialTrace, APathErrorIsTriedAgainDownAnotherPathAsTheSameRequest) {
  const auto trace = partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x302") +
                                                    write("1.2", kPath1, 8) + end("1.3", kPath1, "0x0"),
                                                "r"));
  ASSERT_EQ(kinds(trace),
            (std::vector<Boundary>{app_submit, submitted, completed, submitted, completed, app_complete}));
  EXPECT_EQ(trace.events()[0].a, trace.events()[5].a);
  EXPECT_EQ(trace.events()[5].b, 0U);
}

TEST(PartialTrace, ACommandThatTheHostAbortedHasNoCompletionEntryAndItsRequestGoesOn) {
  const auto trace = partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x371") +
                                                    write("1.2", kPath1, 8) + end("1.3", kPath1, "0x0"),
                                                "r"));
  EXPECT_EQ(kinds(trace), (std::vector<Boundary>{app_submit, submitted, submitted, completed, app_complete}));
}

TEST(PartialTrace, DoNotRetryReachesTheApplicationWithLinuxsErrno) {
  const auto trace = partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x4002"), "r"));
  ASSERT_EQ(kinds(trace), (std::vector<Boundary>{app_submit, submitted, completed, app_complete}));
  EXPECT_EQ(trace.events()[3].b, 95U);
}

TEST(PartialTrace, AnErrorIsFinalWhenItsRetriesAreSpent) {
  const auto once =
      partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x6", "4"), "r"));
  EXPECT_EQ(kinds(once), (std::vector<Boundary>{app_submit, submitted, completed}));
  const auto spent =
      partial_trace(parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x6", "5"), "r"));
  EXPECT_EQ(kinds(spent), (std::vector<Boundary>{app_submit, submitted, completed, app_complete}));
  EXPECT_EQ(spent.events()[3].b, 5U);
}

TEST(PartialTrace, DisksWithoutAMultipathHeadShowNoApplication) {
  const std::string who = "nvme3: disk=nvme3n1, qid=1, cmdid=5";
  const auto trace = partial_trace(parse_ftrace(write("1.0", who, 8) + end("1.1", who, "0x0"), "r"));
  EXPECT_EQ(kinds(trace), (std::vector<Boundary>{submitted, completed}));
}

TEST(PartialTrace, ACommandWithoutACompletionStaysOpenToTheEndOfTheRecording) {
  const auto trace =
      partial_trace(parse_ftrace(write("1.0", kPath0, 8) + line("9.0", "tracing_mark_write: end"), "r"));
  ASSERT_EQ(kinds(trace), (std::vector<Boundary>{app_submit, submitted}));
  EXPECT_EQ(trace.events()[1].latest, 9 * engine::kSecond);
}

TEST(PartialTrace, AGivenTopologyIsTakenByTheNamesOfItsControllers) {
  TraceHeader known;
  known.subsystems = {"nqn"};
  for (const char* name : {"nvme1", "nvme0"}) {
    ControllerHeader controller;
    controller.name = name;
    known.controllers.push_back(controller);
  }
  NamespaceHeader ns;
  ns.nsid = 1;
  ns.blocks = 4096;
  known.namespaces.push_back(ns);
  const auto recording = parse_ftrace(write("1.0", kPath0, 8) + end("1.1", kPath0, "0x0"), "r");
  const auto trace = partial_trace(recording, &known);
  EXPECT_EQ(trace.events()[1].controller, 1U);
  EXPECT_EQ(trace.header.namespaces[0].blocks, 4096U);
  EXPECT_FALSE(trace.header.namespaces[0].attachment_known);
  known.controllers.pop_back();
  EXPECT_THROW(partial_trace(recording, &known), ImportError);
}

}  // namespace
}  // namespace polypath::trace
