// What a recording becomes as a program, on small recordings made up for it.
#include "replay/stimulus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "replay/replay.h"
#include "trace/ftrace.h"

namespace polypath::replay {
namespace {

using program::Field;
using program::StepKind;

std::string line(const std::string& time, const std::string& text) {
  return "  iogen-267  [001] d.h1.  " + time + ": " + text + "\n";
}
/// A command that succeeds 100 microseconds after it was sent at second `time`.
std::string command(const std::string& time, const std::string& who, unsigned nsid, const std::string& what,
                    const std::string& status = "0x0") {
  return line(time + ".000000", "nvme_setup_cmd: " + who + ", nsid=" + std::to_string(nsid) +
                                    ", flags=0x0, meta=0x0, cmd=(" + what + ")") +
         line(time + ".000100",
              "nvme_complete_rq: " + who + ", res=0x0, retries=0, flags=0x0, status=" + status);
}
std::string read(const std::string& time, const std::string& who, const std::string& status = "0x0") {
  return command(time, who, 1, "nvme_cmd_read slba=8, len=7, ctrl=0x0, dsmgmt=0, reftag=0", status);
}
std::string attachment(const std::string& time, const std::string& who, bool attach) {
  return command(time, who, 1,
                 std::string("nvme_admin_ns_attach cdw10=") + (attach ? "00" : "01") + " 00 00 00");
}
std::string event(const std::string& time, const std::string& controller) {
  return line(time, "nvme_async_event: " + controller + ": NVME_AEN=0x040002 [NVME_AER_NOTICE]");
}

std::size_t count(const program::Program& program, StepKind kind) {
  return static_cast<std::size_t>(std::count_if(program.steps.begin(), program.steps.end(),
                                                [&](const auto& step) { return step.kind == kind; }));
}
bool says(const Stimulus& stimulus, const std::string& part) {
  return std::any_of(stimulus.inferences.begin(), stimulus.inferences.end(),
                     [&](const std::string& sentence) { return sentence.find(part) != std::string::npos; });
}

TEST(Stimulus, ARecordedCommandIsSubmittedAtItsTimeToItsQueueWithItsIdentifierAndDwords) {
  const auto recording = trace::parse_ftrace(read("5", "nvme0: disk=nvme0c0n1, qid=3, cmdid=4107") +
                                                 read("7", "nvme0: disk=nvme0c0n1, qid=3, cmdid=11"),
                                             "r");
  const auto stimulus = make_stimulus(recording, {});
  ASSERT_NE(stimulus.step_of_command[0], 0U);
  const auto& first = stimulus.program.steps[stimulus.step_of_command[0] - 1];
  const auto& second = stimulus.program.steps[stimulus.step_of_command[1] - 1];
  EXPECT_EQ(first.kind, StepKind::submit);
  EXPECT_EQ(first.at, stimulus.begin);
  EXPECT_EQ(second.at, stimulus.begin + 2 * engine::kSecond);
  EXPECT_EQ(first.number(Field::queue), 3U);
  EXPECT_EQ(first.number(Field::cid), 4107U);
  EXPECT_EQ(first.number(Field::opcode), 2U);
  EXPECT_EQ(first.number(Field::nsid), 1U);
  EXPECT_EQ(first.number(Field::cdw10), 8U);
  EXPECT_EQ(first.number(Field::cdw12), 7U);
  EXPECT_EQ(first.number(Field::completes_at), stimulus.begin + 100 * engine::kMicrosecond);
  EXPECT_EQ(first.find(Field::controller)->text, "nvme0");
}

TEST(Stimulus, StepsAndOperandsAreInTheOrderThatProgramsRequireAndTheBinaryFormKeepsThem) {
  const auto recording = trace::read_ftrace(POLYPATH_TEST_DATA "/recordings/04-detach-ctrl0.ftrace.txt.gz");
  const auto stimulus = make_stimulus(recording, {});
  engine::Time last = 0;
  for (std::size_t i = 0; i < stimulus.program.steps.size(); ++i) {
    const auto& step = stimulus.program.steps[i];
    EXPECT_EQ(step.id, i + 1);
    EXPECT_TRUE(std::is_sorted(step.operands.begin(), step.operands.end(),
                               [](const auto& a, const auto& b) { return a.field < b.field; }));
    if (step.at == engine::kForever) continue;
    EXPECT_GE(step.at, last);
    last = step.at;
  }
  EXPECT_EQ(program::decode(program::encode(stimulus.program)), stimulus.program);
}

TEST(Stimulus, SetUpThatWasNotRecordedIsAddedAndSaid) {
  const auto stimulus =
      make_stimulus(trace::parse_ftrace(read("5", "nvme0: disk=nvme0c0n1, qid=2, cmdid=1"), "r"), {});
  EXPECT_EQ(count(stimulus.program, StepKind::enable), 1U);
  EXPECT_EQ(count(stimulus.program, StepKind::create_queue_pair), 1U);
  EXPECT_TRUE(says(stimulus, "added for nvme0: enabling, Set Features 07h, queue pair 2, Set Features 0Bh"));
}

TEST(Stimulus, EventRequestsUseIdentifiersThatNoRecordedCommandHas) {
  std::string text;
  for (unsigned cid = 65530; cid <= 65535; ++cid) {
    text += command(std::to_string(cid - 65500), "nvme0: qid=0, cmdid=" + std::to_string(cid), 0,
                    "nvme_admin_identify cns=1, ctrlid=0");
  }
  const auto stimulus = make_stimulus(trace::parse_ftrace(text + event("90.5", "nvme0"), "r"), {});
  std::vector<std::uint64_t> cids;
  for (const auto& step : stimulus.program.steps) {
    if (step.kind == StepKind::submit && step.number(Field::opcode) == 0x0C)
      cids.push_back(step.number(Field::cid));
  }
  EXPECT_EQ(cids, (std::vector<std::uint64_t>{
                      65529, 65528}));  // at the start, and when the recorded one was used up
}

TEST(Stimulus, TheDetachNamesTheControllersThatReportedIt) {
  const auto recording =
      trace::parse_ftrace(read("1", "nvme0: disk=nvme0c0n1, qid=1, cmdid=1") +
                              read("2", "nvme1: disk=nvme0c1n1, qid=1, cmdid=1") +
                              read("3", "nvme2: disk=nvme0c2n1, qid=1, cmdid=1") +
                              attachment("5", "nvme2: qid=0, cmdid=9", false) + event("5.2", "nvme1") +
                              event("5.3", "nvme0") + event("6.5", "nvme2"),  // the last one comes too late
                          "r");
  const auto stimulus = make_stimulus(recording, {});
  const auto& step = stimulus.program.steps[stimulus.step_of_command[3] - 1];
  const auto* list = step.find(Field::controller_list);
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->list.size(), 2U);
  EXPECT_EQ(list->list[0].text, "nvme0");
  EXPECT_EQ(list->list[1].text, "nvme1");
}

TEST(Stimulus, ANamespaceThatIsAttachedFirstWasNotAttachedBefore) {
  const auto recording = trace::parse_ftrace(
      read("1", "nvme0: disk=nvme0c0n1, qid=1, cmdid=1") + attachment("2", "nvme0: qid=0, cmdid=9", true) +
          event("2.2", "nvme1") + read("3", "nvme1: disk=nvme0c1n1, qid=1, cmdid=1"),
      "r");
  const auto stimulus = make_stimulus(recording, {});
  EXPECT_TRUE(says(stimulus, "namespace 1 is detached from nvme1 before the recording begins"));
  const auto result = run(recording, {}).result;
  EXPECT_EQ(result.agree, 3U) << summary_text(recording, result);
  EXPECT_EQ(result.events_agree, 1U);
  EXPECT_TRUE(result.clean());
}

TEST(Stimulus, QueuesAreMadeWhenTheirRecordedCreateIsDue) {
  const auto recording = trace::parse_ftrace(
      command("1", "nvme0: qid=0, cmdid=1", 0, "nvme_admin_identify cns=1, ctrlid=0") +
          command("2", "nvme0: qid=0, cmdid=2", 0, "nvme_admin_set_features fid=0x7, sv=0x0, cdw11=0x10001") +
          command("3", "nvme0: qid=0, cmdid=3", 0,
                  "nvme_admin_create_cq cqid=1, qsize=63, cq_flags=0x3, irq_vector=1") +
          command("4", "nvme0: qid=0, cmdid=4", 0,
                  "nvme_admin_create_sq sqid=1, qsize=63, sq_flags=0x1, cqid=1") +
          read("5", "nvme0: disk=nvme0n1, qid=1, cmdid=1"),
      "r");
  const auto result = run(recording, {}).result;
  EXPECT_EQ(result.agree, 3U) << summary_text(recording, result);
  EXPECT_EQ(result.not_replayed.size(), 2U);
  EXPECT_TRUE(result.clean());
}

TEST(Stimulus, SetFeatures07hAfterIoMeansThatTheControllerWasReset) {
  const auto recording = trace::parse_ftrace(
      read("1", "nvme0: disk=nvme0n1, qid=1, cmdid=1") +
          command("2", "nvme0: qid=0, cmdid=1", 0, "nvme_admin_identify cns=1, ctrlid=0") +
          command("3", "nvme0: qid=0, cmdid=2", 0, "nvme_admin_set_features fid=0x7, sv=0x0, cdw11=0x0") +
          command("4", "nvme0: qid=0, cmdid=4", 0,
                  "nvme_admin_create_sq sqid=1, qsize=63, sq_flags=0x1, cqid=1") +
          read("5", "nvme0: disk=nvme0n1, qid=1, cmdid=2"),
      "r");
  const auto stimulus = make_stimulus(recording, {});
  EXPECT_TRUE(says(stimulus, "nvme0 was reset shortly before 2.000000 s"));
  EXPECT_EQ(count(stimulus.program, StepKind::disable), 1U);
  const auto result = run(recording, {}).result;
  EXPECT_TRUE(result.clean()) << summary_text(recording, result);
  EXPECT_EQ(result.agree, 4U);
}

TEST(Stimulus, WhatTheRecordingDoesNotShowTheEndOfIsOpenNotDifferent) {
  auto text = read("1", "nvme0: disk=nvme0n1, qid=1, cmdid=1") +
              read("2", "nvme0: disk=nvme0n1, qid=1, cmdid=2", "0x371") +
              read("3", "nvme0: disk=nvme0n1, qid=1, cmdid=3");
  text.resize(text.find("3.000100"));
  text.resize(text.rfind('\n') + 1);
  const auto recording = trace::parse_ftrace(text, "r");
  const auto result = run(recording, {}).result;
  EXPECT_EQ(result.commands, 3U);
  EXPECT_EQ(result.agree, 1U);
  EXPECT_EQ(result.open, 2U);  // one without an end, one that the host aborted
  EXPECT_TRUE(result.clean());
}

TEST(Stimulus, AQueueThatTheControllerCannotHaveMakesItsCommandsDifferWithTheReason) {
  const auto recording = trace::parse_ftrace(read("1", "nvme0: disk=nvme0n1, qid=60000, cmdid=1"), "r");
  const auto result = run(recording, {}).result;
  ASSERT_EQ(result.differ.size(), 1U);
  EXPECT_EQ(result.differ[0].replayed, "not sent");
  EXPECT_NE(result.differ[0].reason.find("has no queue 60000"), std::string::npos) << result.differ[0].reason;
}

TEST(Stimulus, HostileButWellFormedRecordingsAreReplayedWithoutHarm) {
  const auto recording = trace::parse_ftrace(
      command("1", "nvme0: qid=0, cmdid=1", 4294967295U, "nvme_admin_ns_attach cdw10=0f 00 00 00") +
          command("2", "nvme0: qid=0, cmdid=2", 77,
                  "0xff cdw10=ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff") +
          command("3", "nvme65535: disk=nvme65535n4294967295, qid=65535, cmdid=65535", 4294967295U,
                  "nvme_cmd_write slba=18446744073709551615, len=65535, ctrl=0xffff, dsmgmt=4294967295, "
                  "reftag=4294967295") +
          command("4", "nvme0: disk=nvme0n1, qid=1, cmdid=2", 300,
                  "nvme_cmd_read slba=1, len=0, ctrl=0x0, dsmgmt=0, reftag=0"),
      "r");
  try {
    const auto result = run(recording, {}).result;
    EXPECT_EQ(result.commands, 4U);
  } catch (
      const program::InputError& error) {  // NSID 300 is more than a subsystem may have: said, not simulated
    EXPECT_NE(std::string(error.what()).find("300"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace polypath::replay
