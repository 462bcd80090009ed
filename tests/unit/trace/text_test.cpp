// Traces as people read them, and where two of them part.
#include "trace/text.h"

#include <gtest/gtest.h>

#include "sample.h"
#include "trace/difference.h"

namespace polypath::trace {
namespace {

TEST(TraceText, EachEventIsOneLineWithTimeControllerQueueAndMeaning) {
  TextOptions all;
  all.inside = true;
  EXPECT_EQ(trace_text(sample_trace(), all),
            "       0    0.000001000  nvme0         reg write    CC := 0x460001 (4 bytes)\n"
            "            0.000001500  [step begins] 3\n"
            "       1    0.000002000  nvme0    q1   submitted    cid 7 read nsid 1 slba 2048 nlb 8 slot 5 "
            "buffer 4096 "
            "bytes in 1 ranges\n"
            "       2    0.000002000  nvme0    q1   sq doorbell  tail 6\n"
            "       3    0.000002100  nvme0    q1   fetched      cid 7 slot 5\n"
            "       4    0.000002200  nvme0    q1   dma          cid 7 writes 4096 bytes at 0x10000\n"
            "       5    0.000002300  nvme0    q1   completed    cid 7 invalid_field+DNR (0x4002) sq 1 head "
            "6 phase 1 "
            "slot 0\n"
            "       6    0.000002400  nvme0         interrupt    vector 1\n"
            "       7    0.000002500  nvme1         async event  notice ns_attribute_changed log 0x04\n"
            "       8    0.000002600  host0         app submit   request 9 write nsid 1 slba 64 nlb 8 data "
            "0000000000abcdef\n"
            "       9    0.000002700  host0         app end      request 9 errno 95 EOPNOTSUPP\n"
            "            0.000002800  [path chosen] host 0 head 0 path 0 request 9\n");
}

TEST(TraceText, APartBeginsAndEndsWhereItIsAskedTo) {
  TextOptions part;
  part.first = 2;
  part.count = 1;
  EXPECT_EQ(trace_text(sample_trace(), part), "       2    0.000002000  nvme0    q1   sq doorbell  tail 6\n");
  part.first = 1000;
  EXPECT_EQ(trace_text(sample_trace(), part), "");
}

TEST(TraceText, ACommandIsNamedWithItsFieldsByTheCommandTable) {
  spec::SubmissionEntry entry;
  entry.opcode = 0x06;
  entry.cdw10 = 5U << 16U | 0x12;
  entry.nsid = 1;
  EXPECT_EQ(command_text(0, entry), "identify nsid 1 cns 0x12 cntid 5");
  entry = {};
  entry.opcode = 0xC7;
  entry.cdw12 = 3;
  EXPECT_EQ(command_text(0, entry), "opcode 0xc7 cdw12 0x3");
  entry = {};
  entry.opcode = 0x00;
  entry.nsid = 0xFFFFFFFF;
  EXPECT_EQ(command_text(1, entry), "flush nsid all");
}

TEST(TraceText, AStatusIsNamedWithItsRetryBits) {
  EXPECT_EQ(status_text(0), "success");
  EXPECT_EQ(status_text(0x4002), "invalid_field+DNR (0x4002)");
  EXPECT_EQ(status_text(0x6303), "ana_transition+More+DNR (0x6303)");
}

TEST(TraceText, DamagedEventsAreShownAsSuch) {
  Trace trace;
  trace.add(at(1, Boundary::submitted, 900, 1));
  trace.add(at(2, Boundary::completed));
  trace.add(at(3, Boundary::app_submit));
  trace.add(at(4, static_cast<Boundary>(200)));
  const auto text = trace_text(trace, {});
  EXPECT_NE(text.find("ctrl900"), std::string::npos);
  EXPECT_NE(text.find("damaged payload"), std::string::npos);
  EXPECT_NE(text.find("kind 200"), std::string::npos);
}

TEST(TraceDifference, EqualTracesHaveNone) { EXPECT_FALSE(first_difference(sample_trace(), sample_trace())); }

TEST(TraceDifference, TheFirstDifferingEventIsShownFromBothSidesAfterWhatWasCommon) {
  const Trace left = sample_trace();
  Trace right;
  right.header = left.header;
  for (std::size_t i = 0; i < left.events().size(); ++i) {
    auto event = left.events()[i];
    if (i == 5) event.earliest = event.latest = 2301;
    right.add(event, left.payload(left.events()[i]));
  }
  const auto difference = first_difference(left, right);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->event, 5U);
  EXPECT_NE(difference->text.find("both         4 "), std::string::npos) << difference->text;
  EXPECT_NE(difference->text.find("left         5    0.000002300"), std::string::npos) << difference->text;
  EXPECT_NE(difference->text.find("right        5    0.000002301"), std::string::npos) << difference->text;
}

TEST(TraceDifference, ADifferenceThatTheLineDoesNotShowIsSpelledOut) {
  const Trace left = sample_trace();
  Trace right;
  right.header = left.header;
  for (auto event : left.events()) {
    if (event.kind == Boundary::interrupt) event.cause = 99;
    right.add(event, left.payload(event));
  }
  const auto difference = first_difference(left, right);
  ASSERT_TRUE(difference);
  EXPECT_NE(difference->text.find("cause: 0x0 | 0x63"), std::string::npos) << difference->text;
}

TEST(TraceDifference, OneByteOfAPayloadIsFound) {
  const Trace left = sample_trace();
  Trace right;
  right.header = left.header;
  for (const auto& event : left.events()) {
    std::vector<std::byte> payload(left.payload(event).begin(), left.payload(event).end());
    if (event.kind == Boundary::submitted) payload[20] ^= std::byte{1};
    right.add(event, payload);
  }
  const auto difference = first_difference(left, right);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->event, 1U);
  EXPECT_NE(difference->text.find("equal up to byte 20"), std::string::npos) << difference->text;
}

TEST(TraceDifference, AShorterTraceAndAnotherHeaderAreDifferences) {
  const Trace left = sample_trace();
  Trace right;
  right.header = left.header;
  right.add(left.events()[0], left.payload(left.events()[0]));
  const auto shorter = first_difference(left, right);
  ASSERT_TRUE(shorter);
  EXPECT_EQ(shorter->event, 1U);
  EXPECT_NE(shorter->text.find("the trace ends here"), std::string::npos);
  right.header.seed = 8;
  const auto header = first_difference(left, right);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->in_header);
  EXPECT_NE(header->text.find("seed: 7 | 8"), std::string::npos);
}

TEST(TraceText, ACommandTellsOfTheMetadataThatItMoves) {
  Trace trace = sample_trace();
  spec::SubmissionEntry write;
  write.opcode = 0x01;
  write.cid = 8;
  write.nsid = 2;
  auto event = at(2750, Boundary::submitted, 0, 1);
  event.a = 8;
  event.b = submitted_part::metadata;
  trace.begin(event);
  trace.append_value(write);
  trace.append_value(MetadataPart{1, 8, 0, 0});
  trace.append_value(BlockGuards{0x123456789ABCDEF0, 0x12345678, 0x1234, 0});
  trace.append_value(std::uint64_t{0x3412});
  trace.commit();
  EXPECT_NE(trace_text(trace, {}).find("cid 8 write nsid 2 nlb 1 slot 0 metadata 8 bytes for each block\n"),
            std::string::npos);
}

}  // namespace
}  // namespace polypath::trace
