// Data buffers and the PRPs that describe them.
#include "host/buffers.h"

#include <gtest/gtest.h>

#include "port/prp.h"

namespace polypath::host {
namespace {

using port::kPageBytes;

TEST(Prps, DescribeExactlyTheBufferWhateverItsLengthAndOffset) {
  port::HostMemory memory;
  const std::uint64_t buffer = memory.allocate(8 << 20);
  const std::uint64_t list = memory.allocate(1 << 20);
  for (const std::uint64_t offset : {0ULL, 512ULL, 4092ULL}) {
    // One page, two pages, a list; a list page that is just full (512 entries), and one that must chain
    // (513).
    for (const std::uint64_t bytes : {4ULL, 512ULL, 4096ULL, 4100ULL, 8192ULL, 12288ULL, 513 * 4096ULL,
                                      514 * 4096ULL, 515 * 4096ULL, 1024 * 4096ULL, 1535 * 4096ULL + 8}) {
      const PrpPair prps = build_prps(memory, buffer + offset, bytes, list);
      std::vector<port::Range> ranges;
      ASSERT_TRUE(port::walk_prps(memory, prps.prp1, prps.prp2, bytes, ranges)) << offset << '+' << bytes;
      ASSERT_EQ(ranges.size(), 1U) << "a contiguous buffer";
      EXPECT_EQ(ranges[0], (port::Range{buffer + offset, bytes}));
    }
  }
}

TEST(Prps, SecondPageNeedsNoList) {
  EXPECT_EQ(prp_list_bytes(0x100000, kPageBytes), 0U);
  EXPECT_EQ(prp_list_bytes(0x100000, 2 * kPageBytes), 0U);
  EXPECT_EQ(prp_list_bytes(0x100200, 2 * kPageBytes), kPageBytes) << "three pages are touched";
}

TEST(Prps, LastSlotOfAFullListPageIsADataEntryUnlessMoreFollows) {
  EXPECT_EQ(prp_list_bytes(0x100000, 513 * kPageBytes), kPageBytes);
  EXPECT_EQ(prp_list_bytes(0x100000, 514 * kPageBytes), 2 * kPageBytes);
  EXPECT_EQ(prp_list_bytes(0x100000, 1024 * kPageBytes), 2 * kPageBytes);
  EXPECT_EQ(prp_list_bytes(0x100000, 1025 * kPageBytes), 3 * kPageBytes)
      << "1024 entries and two chain pointers";
}

TEST(BufferPool, UsesPagesAgain) {
  port::HostMemory memory;
  BufferPool pool;
  const std::uint64_t first = pool.take(memory, 512);
  const std::uint64_t second = pool.take(memory, 4096);
  EXPECT_NE(first, second);
  pool.give(first, 512);
  EXPECT_EQ(pool.take(memory, 4096), first);
  const std::uint64_t large = pool.take(memory, 5 * kPageBytes);
  EXPECT_EQ(large % kPageBytes, 0U);
  pool.give(large, 5 * kPageBytes);
  EXPECT_EQ(pool.take(memory, 8 * kPageBytes), large) << "sizes are rounded up to powers of two";
}

}  // namespace
}  // namespace polypath::host
