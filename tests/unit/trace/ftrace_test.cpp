// What the importer makes of each kind of line.
#include "trace/ftrace.h"

#include <gtest/gtest.h>

#include <string>

namespace polypath::trace {
namespace {

std::string line(const std::string& time, const std::string& text) {
  return "           iogen-267     [001] d.h1.    " + time + ": " + text + "\n";
}
std::string setup(const std::string& time, const std::string& who, const std::string& command) {
  return line(time, "nvme_setup_cmd: " + who + ", nsid=1, flags=0x0, meta=0x0, cmd=(" + command + ")");
}
std::string completion(const std::string& time, const std::string& who, const std::string& status) {
  return line(time, "nvme_complete_rq: " + who + ", res=0x0, retries=0, flags=0x0, status=" + status);
}
const std::string kRead = "nvme_cmd_read slba=8, len=7, ctrl=0x0, dsmgmt=0, reftag=0";

TEST(Ftrace, TimeIsNanosecondsOfThePrintedSeconds) {
  const auto r = parse_ftrace(setup("13.756711", "nvme0: qid=1, cmdid=5", kRead), "t");
  ASSERT_EQ(r.commands.size(), 1U);
  EXPECT_EQ(r.commands[0].time, 13'756'711'000U);
  EXPECT_EQ(parse_ftrace(setup("2.5", "nvme0: qid=1, cmdid=5", kRead), "t").commands[0].time, 2'500'000'000U);
}

TEST(Ftrace, TheIdentifierOnTheWireIsTheWholeCmdidAndTheTagItsLow12Bits) {
  const auto r = parse_ftrace(setup("1.0", "nvme0: qid=1, cmdid=13056", kRead), "t");
  EXPECT_EQ(r.commands[0].entry.cid, 13056U);
  EXPECT_EQ(r.commands[0].tag(), 13056U & 0xFFF);
}

TEST(Ftrace, ReadsAndWritesShowRangeAndControl) {
  const auto r =
      parse_ftrace(setup("1.0", "nvme0: disk=nvme0c0n1, qid=3, cmdid=1",
                         "nvme_cmd_write slba=4294967304, len=15, ctrl=0x4000, dsmgmt=7, reftag=9"),
                   "t");
  const auto& entry = r.commands[0].entry;
  EXPECT_EQ(entry.opcode, 0x01);
  EXPECT_EQ(entry.slba(), 4294967304U);
  EXPECT_EQ(entry.block_count(), 16U);
  EXPECT_EQ(entry.cdw12 >> 16U, 0x4000U);
  EXPECT_EQ(entry.cdw13, 7U);
  EXPECT_EQ(entry.cdw14, 9U);
  EXPECT_EQ(r.disks[0].name, "nvme0c0n1");
  EXPECT_TRUE(r.disks[0].path);
}

TEST(Ftrace, AdminCommandsShowTheirNamedFields) {
  const auto entry = [](const std::string& command) {
    return parse_ftrace(setup("1.0", "nvme0: qid=0, cmdid=1", command), "t").commands[0].entry;
  };
  EXPECT_EQ(entry("nvme_admin_identify cns=18, ctrlid=3").cdw10, 3U << 16U | 18U);
  EXPECT_EQ(entry("nvme_admin_set_features fid=0xb, sv=0x1, cdw11=0x100").cdw10, 0x8000000BU);
  EXPECT_EQ(entry("nvme_admin_set_features fid=0xb, sv=0x1, cdw11=0x100").cdw11, 0x100U);
  EXPECT_EQ(entry("nvme_admin_create_sq sqid=1, qsize=1023, sq_flags=0x1, cqid=2").cdw10, 1023U << 16U | 1U);
  EXPECT_EQ(entry("nvme_admin_create_sq sqid=1, qsize=1023, sq_flags=0x1, cqid=2").cdw11, 2U << 16U | 1U);
  EXPECT_EQ(entry("nvme_admin_create_cq cqid=1, qsize=1023, cq_flags=0x3, irq_vector=4").cdw11,
            4U << 16U | 3U);
  EXPECT_EQ(entry("nvme_admin_delete_cq cqid=7").cdw10, 7U);
}

TEST(Ftrace, OtherCommandsShowTheirDwordsAsBytesInWireOrder) {
  const auto r = parse_ftrace(setup("1.0", "nvme0: qid=0, cmdid=1",
                                    "nvme_admin_get_log_page cdw10=04 00 ff 03 01 00 00 00 00 00 00 00 00 00 "
                                    "00 00 00 00 00 00 00 00 00 80"),
                              "t");
  EXPECT_EQ(r.commands[0].entry.opcode, 0x02);
  EXPECT_EQ(r.commands[0].entry.cdw10, 0x03FF0004U);
  EXPECT_EQ(r.commands[0].entry.cdw11, 1U);
  EXPECT_EQ(r.commands[0].entry.cdw15, 0x80000000U);
  EXPECT_TRUE(r.commands[0].tail_dwords_shown);
}

TEST(Ftrace, AnOpcodeThatTheKernelHasNoNameForIsItsNumber) {
  const auto r = parse_ftrace(setup("1.0", "nvme0: qid=0, cmdid=1", "0xc1 cdw10=00 00 00 00"), "t");
  EXPECT_EQ(r.commands[0].entry.opcode, 0xC1);
}

TEST(Ftrace, FabricsCommandsKeepTheirOpcodeOnly) {
  const auto r = parse_ftrace(
      setup("1.0", "nvme1: qid=0, cmdid=1", "nvme_fabrics_type_property_get attrib=1, ofst=0x0"), "t");
  EXPECT_EQ(r.commands[0].entry.opcode, 0x7F);
}

TEST(Ftrace, ACompletionGivesStatusWithDoNotRetry) {
  const auto r = parse_ftrace(setup("1.0", "nvme0: qid=1, cmdid=5", kRead) +
                                  completion("1.000100", "nvme0: qid=1, cmdid=5", "0x4002"),
                              "t");
  EXPECT_EQ(r.commands[0].status, 0x4002);
  EXPECT_EQ(r.commands[0].completed_at, 1'000'100'000U);
}

TEST(Ftrace, ControllersNumberTagsAndQueuesSeparately) {
  const auto r = parse_ftrace(
      setup("1.0", "nvme1: qid=1, cmdid=5", kRead) + setup("1.1", "nvme0: qid=1, cmdid=5", kRead) +
          setup("1.2", "nvme0: qid=2, cmdid=5", kRead) + completion("1.3", "nvme0: qid=1, cmdid=5", "0x2"),
      "t");
  EXPECT_EQ(r.controllers[0].name, "nvme0");  // ascending, not in order of appearance
  EXPECT_EQ(r.commands[0].controller, 1U);
  EXPECT_FALSE(r.commands[0].completed());
  EXPECT_TRUE(r.commands[1].completed());
  EXPECT_FALSE(r.commands[2].completed());
  EXPECT_EQ(r.unmatched_lines, 0U);
}

TEST(Ftrace, ACompletionWhoseCommandBeganBeforeTheRecordingIsUnmatched) {
  const auto r = parse_ftrace(completion("1.3", "nvme0: qid=1, cmdid=5", "0x0"), "t");
  EXPECT_EQ(r.commands.size(), 0U);
  ASSERT_EQ(r.unmatched.size(), 1U);
  EXPECT_EQ(r.unmatched[0].line, 1U);
}

TEST(Ftrace, AnIdentifierUsedTwiceLeavesTheFirstCommandOpen) {
  const auto r = parse_ftrace(setup("1.0", "nvme0: qid=1, cmdid=5", kRead) +
                                  setup("1.1", "nvme0: qid=1, cmdid=5", kRead) +
                                  completion("1.3", "nvme0: qid=1, cmdid=5", "0x0"),
                              "t");
  ASSERT_EQ(r.commands.size(), 2U);
  EXPECT_FALSE(r.commands[0].completed());
  EXPECT_TRUE(r.commands[1].completed());
  EXPECT_EQ(r.unmatched_lines, 1U);
}

TEST(Ftrace, AnAsynchronousEventKeepsItsDword) {
  const auto r =
      parse_ftrace(line("1.0", "nvme_async_event: nvme2: NVME_AEN=0x040002 [NVME_AER_NOTICE]"), "t");
  ASSERT_EQ(r.events.size(), 1U);
  EXPECT_EQ(r.events[0].dword, 0x040002U);
  EXPECT_EQ(r.controllers[r.events[0].controller].name, "nvme2");
}

TEST(Ftrace, BlockLayerAndOtherTracersAreOnlyCountedAndMarksKept) {
  const auto r = parse_ftrace(line("1.0", "block_bio_queue: 259,1 RS 8 + 8 [iogen]") +
                                  line("1.1", "sched_switch: prev_comm=a ==> next_comm=b") +
                                  line("1.2", "tracing_mark_write: detach-ns ns1") +
                                  line("1.3", "nvme_sq: nvme0: qid=0, head=23, tail=23") +
                                  setup("1.4", "nvme0: qid=1, cmdid=5", kRead),
                              "t");
  EXPECT_EQ(r.block_lines, 1U);
  EXPECT_EQ(r.other_lines, 1U);
  EXPECT_EQ(r.queue_lines, 1U);
  ASSERT_EQ(r.marks.size(), 1U);
  EXPECT_EQ(r.marks[0].text, "detach-ns ns1");
}

TEST(Ftrace, EventsThatTheTracerDroppedAreCounted) {
  const auto r = parse_ftrace("# entries-in-buffer/entries-written: 100/140   #P:2\nCPU:1 [LOST 7 EVENTS]\n" +
                                  setup("1.4", "nvme0: qid=1, cmdid=5", kRead),
                              "t");
  EXPECT_EQ(r.lost_events, 47U);
}

TEST(Ftrace, ATaskNameMayHoldAnything) {
  const auto r =
      parse_ftrace("  a: [2] b [x]-9 [001] .....  1.5: " +
                       setup("0.0", "nvme0: qid=1, cmdid=5", kRead)
                           .substr(std::string("           iogen-267     [001] d.h1.    0.0: ").size()),
                   "t");
  EXPECT_EQ(r.commands.size(), 1U);
}

TEST(Ftrace, TheColumnOfInterruptFlagsMayBeSwitchedOff) {
  const auto r = parse_ftrace(
      "  iogen-9 [001]  1.5: nvme_async_event: nvme2: NVME_AEN=0x040002 [NVME_AER_NOTICE]\n", "t");
  EXPECT_EQ(r.events.size(), 1U);
}

TEST(Ftrace, ALineThatTheEndOfTheFileCutsIsUnmatchedNotAnError) {
  auto text = setup("1.0", "nvme0: qid=1, cmdid=5", kRead) + setup("1.1", "nvme0: qid=1, cmdid=6", kRead);
  text.resize(text.size() - 20);
  const auto r = parse_ftrace(text, "t");
  EXPECT_EQ(r.commands.size(), 1U);
  EXPECT_EQ(r.unmatched_lines, 1U);
}

TEST(Ftrace, AnyPrefixAndAnyFlippedByteOfARecordingIsReadOrRefusedNeverWorse) {
  const std::string text = setup("1.0", "nvme0: disk=nvme0c0n1, qid=1, cmdid=5", kRead) +
                           completion("1.1", "nvme0: disk=nvme0c0n1, qid=1, cmdid=5", "0x0") +
                           line("1.2", "nvme_async_event: nvme0: NVME_AEN=0x040002 [NVME_AER_NOTICE]");
  std::size_t read = 0, refused = 0;
  const auto attempt = [&](const std::string& bytes) {
    try {
      parse_ftrace(bytes, "t");
      ++read;
    } catch (const ImportError&) {
      ++refused;
    }
  };
  for (std::size_t length = 0; length <= text.size(); ++length) attempt(text.substr(0, length));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const unsigned mask : {1U, 0x10U, 0x80U}) {
      auto bytes = text;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ mask);
      attempt(bytes);
    }
  }
  EXPECT_GT(read, 0U);
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace polypath::trace
