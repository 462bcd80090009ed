// What becomes of blocks beside being written: sheet 05, section 3.
#include "lone_host.h"

namespace polypath::device {
namespace {

using spec::Status;
constexpr std::uint8_t kWrite = 0x01, kRead = 0x02, kWriteUncorrectable = 0x04, kCompare = 0x05,
                       kWriteZeroes = 0x08, kVerify = 0x0C;

class MediaCommands : public LoneHost {
 protected:
  void SetUp() override {
    build();
    for (const std::uint32_t c : {0U, 1U}) {
      enable(c);
      queue_pair(c);
    }
  }
  Status run(std::uint32_t c, std::uint8_t opcode, std::uint64_t lba, std::uint32_t blocks) {
    const bool sends = opcode == kWrite || opcode == kCompare;
    auto data = sends ? bytes_of(7, std::size_t{blocks} * 512) : std::vector<std::byte>{};
    return io(c, opcode, 1, lba, blocks, std::move(data)).status();
  }
};

TEST_F(MediaCommands, NoPathReadsASpoiltBlock) {
  EXPECT_EQ(run(0, kWrite, 0, 16), Status::success);
  EXPECT_EQ(run(0, kWriteUncorrectable, 7, 10), Status::success);
  for (const std::uint32_t c : {0U, 1U}) {
    EXPECT_EQ(run(c, kRead, 0, 8), Status::unrecovered_read_error);
    EXPECT_EQ(run(c, kVerify, 16, 1), Status::unrecovered_read_error);
    EXPECT_EQ(run(c, kCompare, 8, 1), Status::unrecovered_read_error);
    EXPECT_EQ(run(c, kRead, 0, 7), Status::success);
    EXPECT_EQ(run(c, kVerify, 17, 7), Status::success);
  }
}

TEST_F(MediaCommands, AWriteOrWriteZeroesMendsTheBlocksOfItsRangeAndNoOthers) {
  EXPECT_EQ(run(0, kWriteUncorrectable, 4, 8), Status::success);
  EXPECT_EQ(run(1, kWrite, 4, 3), Status::success);
  EXPECT_EQ(run(1, kWriteZeroes, 9, 3), Status::success);
  EXPECT_EQ(run(0, kRead, 0, 7), Status::success);
  EXPECT_EQ(run(0, kRead, 7, 1), Status::unrecovered_read_error);
  EXPECT_EQ(run(0, kRead, 8, 1), Status::unrecovered_read_error);
  EXPECT_EQ(run(0, kRead, 9, 7), Status::success);
}

TEST_F(MediaCommands, ARefusedWriteUncorrectableSpoilsNothing) {
  EXPECT_EQ(run(0, kWriteUncorrectable, 2040, 9), Status::lba_out_of_range);
  EXPECT_EQ(run(0, kVerify, 2040, 8), Status::success);
  EXPECT_EQ(run(0, kVerify, 2040, 9), Status::lba_out_of_range);
}

TEST_F(MediaCommands, VerifyOfMoreThanATransferMayMoveIsNoError) {
  EXPECT_EQ(run(0, kVerify, 0, 2048), Status::success);
}

TEST_F(MediaCommands, DeallocatedBlocksReadAsZerosAndOthersKeepTheirData) {
  EXPECT_EQ(run(0, kWrite, 0, 8), Status::success);
  auto list = bytes_of(0, 32);
  list[4] = list[20] = std::byte{2};  // two ranges of two blocks, at 1 and at 5
  list[8] = std::byte{1};
  list[24] = std::byte{5};
  auto entry = command(0x09, 1, 1, 4);
  EXPECT_EQ(submit(0, 1, entry, list, 32).status(), Status::success);
  const auto data = io(1, kRead, 1, 0, 8).data;
  for (std::size_t block = 0; block < 8; ++block) {
    const bool gone = block == 1 || block == 2 || block == 5 || block == 6;
    EXPECT_EQ(data[block * 512], std::byte(gone ? 0 : 7)) << block;
  }
  list[24] = std::byte{0xFF};  // 2047, and one block more than there is
  list[25] = std::byte{7};
  EXPECT_EQ(submit(0, 1, entry, list, 32).status(), Status::lba_out_of_range);
}

}  // namespace
}  // namespace polypath::device
