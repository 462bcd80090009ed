// The observer knows queues only from what passes by, and reads commands and data from host memory itself.
#include "port/observer.h"
#include "port/sgl.h"

#include <gtest/gtest.h>

#include "spec/registers.h"

namespace polypath::port {
namespace {

using trace::Boundary;

class ObserverTest : public ::testing::Test {
 protected:
  ObserverTest() : observer_(0) {
    make_trace();
    write(spec::reg::aqa, 3U << 16U | 3U, 4);
    write(spec::reg::asq, kAsq, 8);
    write(spec::reg::acq, kAcq, 8);
    write(spec::reg::cc, 0x00460001, 4);
  }
  static constexpr std::uint64_t kAsq = 0x200000, kAcq = 0x201000, kData = 0x300000;

  void make_trace() {
    trace_.header.subsystems = {"nqn"};
    trace_.header.controllers.resize(1);
    blocks_.learn(1, {4096, {}}, 0);
  }
  Observer::Scene scene() { return {trace_, engine_, memory_, blocks_}; }
  void write(std::uint32_t offset, std::uint64_t value, unsigned bytes) {
    observer_.register_write(scene(), offset, value, bytes);
  }
  void put(std::uint64_t base, std::uint32_t slot, const spec::SubmissionEntry& entry) {
    memory_.write_value(base + std::uint64_t{64} * slot, entry);
  }
  void complete(std::uint16_t sqid, std::uint16_t cid, std::uint64_t base = kAcq, std::uint32_t slot = 0) {
    spec::CompletionEntry entry;
    entry.sqid = sqid;
    entry.cid = cid;
    entry.status_word = 1;
    observer_.completed(scene(), sqid == 0 ? std::uint16_t{0} : std::uint16_t{1},
                        base + std::uint64_t{16} * slot, entry);
  }
  const trace::BoundaryEvent& last() { return trace_.events().back(); }
  std::size_t count(Boundary kind) {
    std::size_t n = 0;
    for (const auto& e : trace_.events()) n += e.kind == kind ? 1 : 0;
    return n;
  }

  trace::Trace trace_;
  engine::Engine engine_{1};
  HostMemory memory_;
  BlockSizes blocks_;
  Observer observer_;
};

TEST_F(ObserverTest, TailDoorbellShowsEachNewEntryAndThenTheDoorbell) {
  for (std::uint16_t cid = 0; cid < 2; ++cid) {
    spec::SubmissionEntry entry;
    entry.opcode = 0x0C;
    entry.cid = cid;
    put(kAsq, cid, entry);
  }
  write(spec::sq_doorbell(0, 0), 2, 4);
  ASSERT_EQ(count(Boundary::submitted), 2U);
  const auto& events = trace_.events();
  EXPECT_EQ(events[events.size() - 3].slot, 0U);
  EXPECT_EQ(events[events.size() - 2].slot, 1U);
  EXPECT_EQ(last().kind, Boundary::sq_doorbell);
  EXPECT_EQ(last().c, 2U);
}

TEST_F(ObserverTest, DoorbellOfAQueueThatDoesNotExistOrAValueOutOfRangeShowsNoEntries) {
  write(spec::sq_doorbell(5, 0), 1, 4);
  EXPECT_EQ(last().kind, Boundary::sq_doorbell);
  EXPECT_EQ(last().queue, 5);
  write(spec::sq_doorbell(0, 0), 4, 4);
  EXPECT_EQ(count(Boundary::submitted), 0U);
}

TEST_F(ObserverTest, AQueueIsKnownOnlyAfterItsCreateSucceeded) {
  spec::SubmissionEntry create;
  create.opcode = 0x01;
  create.cid = 9;
  create.prp1 = 0x400000;
  create.cdw10 = 7U << 16U | 1U;
  create.cdw11 = 1U << 16U | 1U;
  put(kAsq, 0, create);
  write(spec::sq_doorbell(0, 0), 1, 4);
  write(spec::sq_doorbell(1, 0), 1, 4);
  EXPECT_EQ(count(Boundary::submitted), 1U);  // the Create itself
  complete(0, 9);
  write(spec::sq_doorbell(1, 0), 1, 4);
  EXPECT_EQ(count(Boundary::submitted), 2U);
}

TEST_F(ObserverTest, IdentifyDataIsReadFromTheHostsBufferAtCompletion) {
  spec::SubmissionEntry identify;
  identify.opcode = 0x06;
  identify.prp1 = kData;
  put(kAsq, 0, identify);
  write(spec::sq_doorbell(0, 0), 1, 4);
  const std::uint32_t word = 0xCAFEF00D;
  memory_.write_value(kData + 4, word);
  complete(0, 0);
  trace::Parts parts;
  ASSERT_EQ(last().kind, Boundary::completed);
  ASSERT_TRUE(trace::read_completed(trace_, last(), parts));
  ASSERT_EQ(parts.data.size(), 4096U);
  std::uint32_t seen = 0;
  std::memcpy(&seen, parts.data.data() + 4, 4);
  EXPECT_EQ(seen, word);
}

TEST_F(ObserverTest, AnEntryOutsideTheRingHasNoSlot) {
  complete(0, 0, kAcq + 8);
  EXPECT_EQ(last().slot, trace::kUnknownSlot);
  complete(0, 0, kAcq + 64);  // four entries: slot 4 does not exist
  EXPECT_EQ(last().slot, trace::kUnknownSlot);
  complete(0, 0, kAcq, 3);
  EXPECT_EQ(last().slot, 3U);
}

TEST_F(ObserverTest, AnEntryThatChangedBetweenDoorbellAndFetchIsShownAgain) {
  spec::SubmissionEntry entry;
  entry.opcode = 0x0C;
  put(kAsq, 0, entry);
  write(spec::sq_doorbell(0, 0), 1, 4);
  observer_.fetched(scene(), 0, kAsq, entry);
  EXPECT_EQ(last().payload_bytes, 0U);
  entry.opcode = 0x06;
  observer_.fetched(scene(), 0, kAsq, entry);
  EXPECT_EQ(last().payload_bytes, 64U);
}

TEST(HostMemory, ReadsZerosUntilWrittenAndRefusesWhatLiesOutside) {
  HostMemory memory(0x10000);
  std::uint64_t value = 1;
  EXPECT_TRUE(memory.read_value(0x8000, value));
  EXPECT_EQ(value, 0U);
  EXPECT_TRUE(memory.write_value(0xFFF8, value));
  EXPECT_FALSE(memory.write_value(0xFFFC, value));
  EXPECT_FALSE(memory.read_value(~std::uint64_t{0}, value));
}

TEST(HostMemory, ACopyKeepsWhatItWas) {
  HostMemory memory;
  memory.write_value(0x5000, 1U);
  const HostMemory before = memory;
  memory.write_value(0x5000, 2U);
  unsigned value = 0;
  ASSERT_TRUE(before.read_value(0x5000, value));
  EXPECT_EQ(value, 1U);
}

// Sheet 02, section 8: first piece to the page's end, PRP2 a page or a list, a full list page chains.
TEST(Prps, ListOfTwoPagesChainsThroughItsLastSlot) {
  HostMemory memory;
  const std::uint64_t list = 0x700000, next = 0x701000;
  const std::uint64_t pages = 600;  // after the first: 599 entries, 511 fit before the chain
  std::uint64_t slot = list;
  for (std::uint64_t i = 1; i < pages; ++i) {
    if (slot == list + 4088) {
      memory.write_value(slot, next);
      slot = next;
    }
    memory.write_value(slot, 0x1000000 + 2 * i * 0x1000);  // every other page: no neighbours touch
    slot += 8;
  }
  std::vector<Range> ranges;
  ASSERT_TRUE(walk_prps(memory, 0x1000000, list, pages * 4096, ranges));
  ASSERT_EQ(ranges.size(), pages);
  EXPECT_EQ(ranges[599].address, 0x1000000U + 2 * 599 * 0x1000);
}

TEST(Prps, ExactlyFullListPageHoldsADataEntryInItsLastSlot) {
  HostMemory memory;
  for (std::uint64_t i = 0; i < 512; ++i)
    memory.write_value(0x700000 + 8 * i, 0x1000000 + (2 * i + 2) * 0x1000);
  std::vector<Range> ranges;
  ASSERT_TRUE(walk_prps(memory, 0x1000000, 0x700000, std::uint64_t{513} * 4096, ranges));
  EXPECT_EQ(ranges.size(), 513U);
}

TEST(Prps, OffsetsWhereNoneMayBeAreRefused) {
  HostMemory memory;
  std::vector<Range> ranges;
  EXPECT_FALSE(walk_prps(memory, 0x1001, 0, 512, ranges));
  EXPECT_FALSE(walk_prps(memory, 0x1000, 0x2004, 8192, ranges));
  EXPECT_FALSE(walk_prps(memory, 0x1000, 0x2004, 16384, ranges));
  EXPECT_TRUE(walk_prps(memory, 0x1004, 0x2004, 512, ranges));  // PRP2 is not looked at
}

// Sheet 02, section 9: segments chain through their last descriptor; what lies behind the data is not looked
// at.
TEST(Sgls, SegmentsChainAndBitBucketsTakeTheirPart) {
  using spec::SglDescriptor;
  HostMemory memory;
  memory.write_value(0x700000, SglDescriptor{0x1000001, 100, {}, 0});
  memory.write_value(0x700010, SglDescriptor{0x700100, 32, {}, 0x30});
  memory.write_value(0x700100, SglDescriptor{0, 200, {}, 0x10});
  memory.write_value(0x700110, SglDescriptor{0x2000000, 1000, {}, 0});
  std::vector<Range> ranges;
  std::vector<SglDescriptor> descriptors;
  const SglDescriptor first{0x700000, 32, {}, 0x20};
  ASSERT_TRUE(walk_sgl(memory, first, 512, true, ranges, descriptors));
  EXPECT_EQ(ranges, (std::vector<Range>{{0x1000001, 100}, {trace::kBitBucket, 200}, {0x2000000, 212}}));
  EXPECT_EQ(descriptors.size(), 4U);
  ASSERT_TRUE(walk_sgl(memory, first, 512, false, ranges, descriptors));
  EXPECT_EQ(ranges, (std::vector<Range>{{0x1000001, 100}, {0x2000000, 412}}));
  EXPECT_FALSE(walk_sgl(memory, first, 1101, false, ranges, descriptors));
  EXPECT_EQ(ranges.size(), 2U);  // what came before its end
}

TEST(Sgls, AListThatLeadsBackIntoItselfEnds) {
  using spec::SglDescriptor;
  HostMemory memory;
  memory.write_value(0x700000, SglDescriptor{0x700000, 16, {}, 0x20});
  std::vector<Range> ranges;
  std::vector<SglDescriptor> descriptors;
  EXPECT_FALSE(walk_sgl(memory, {0x700000, 16, {}, 0x20}, 512, true, ranges, descriptors));
  EXPECT_EQ(descriptors.size(), trace::kMostDescriptors);
  EXPECT_FALSE(walk_sgl(memory, {~std::uint64_t{0xF}, 0x7FFFFFF0, {}, 0x30}, 512, true, ranges, descriptors));
  EXPECT_FALSE(walk_sgl(memory, {std::uint64_t{1} << 50U, 16, {}, 0x30}, 512, true, ranges, descriptors));
  EXPECT_TRUE(descriptors.empty());
}

}  // namespace
}  // namespace polypath::port
