// What the logical blocks of a namespace may hold, as a reader sees it. NVM: Atomic Operations; sheet 05,
// section 4.
#include "model/blocks.h"

#include <gtest/gtest.h>

namespace polypath::model {
namespace {

constexpr std::uint64_t kZero = 7, kOld = 100, kNew = 200, kOther = 300;

Blocks with(std::uint64_t value) {
  Blocks blocks;
  blocks.start(Blocks::Unwritten::zeros, kZero);
  blocks.begin(0, value, 10, 0, Blocks::Written::data, kNow);
  blocks.end(0, 10, WriteEnd::applied, 20, kNow);
  return blocks;
}

Match read(Blocks& blocks, std::uint64_t value, Seq since, Seq now) {
  std::uint64_t sizes = 0;
  return blocks.read(0, value, since, now, sizes);
}

TEST(BlocksInDoubt, ReaderThatBeganBeforeMayReportWhatWasThere) {
  Blocks blocks = with(kOld);
  blocks.taint(0, 40, 30);  // a reader is open since 30
  EXPECT_EQ(read(blocks, kNew, 50, 60), Match::unknown);
  EXPECT_EQ(read(blocks, kOld, 30, 70), Match::possible);
}

TEST(BlocksInDoubt, FirstReaderAfterwardsDecidesForLaterOnes) {
  Blocks blocks = with(kOld);
  blocks.taint(0, 40, kNow);
  EXPECT_EQ(read(blocks, kNew, 50, 60), Match::unknown);
  EXPECT_EQ(read(blocks, kNew, 70, 80), Match::possible);
  EXPECT_EQ(read(blocks, kOld, 90, 100), Match::impossible);
}

TEST(BlocksInDoubt, WriteThatIsOpenMeanwhileMayComeLast) {
  Blocks blocks = with(kOld);
  blocks.begin(0, kNew, 30, 0, Blocks::Written::data, kNow);
  blocks.taint(0, 40, kNow);
  blocks.end(0, 30, WriteEnd::applied, 50, kNow);
  EXPECT_EQ(read(blocks, kNew, 60, 70), Match::possible);
  // What was in doubt ended after that write began, so it may have come after it.
  Blocks same = with(kOld);
  same.begin(0, kNew, 30, 0, Blocks::Written::data, kNow);
  same.taint(0, 40, kNow);
  same.end(0, 30, WriteEnd::applied, 50, kNow);
  EXPECT_EQ(read(same, kOther, 60, 70), Match::unknown);
}

TEST(BlocksInDoubt, LaterWriteEndsTheDoubt) {
  Blocks blocks = with(kOld);
  blocks.taint(0, 40, kNow);
  blocks.begin(0, kNew, 50, 0, Blocks::Written::data, kNow);
  blocks.end(0, 50, WriteEnd::applied, 60, kNow);
  EXPECT_EQ(read(blocks, kOther, 70, 80), Match::impossible);
  EXPECT_EQ(read(blocks, kNew, 70, 80), Match::possible);
}

}  // namespace
}  // namespace polypath::model
