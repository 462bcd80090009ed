// Fused Compare and Write, as the model judges it: sheet 02, section 10, and INV-Q-25.
#include <gtest/gtest.h>

#include "history.h"
#include "model/rules.h"

namespace polypath::model {
namespace {

using spec::Status;
using How = History::How;
using With = History::With;

class FusedPairs : public ::testing::Test {
 protected:
  void SetUp() override {
    h.ready_fused(0);
    h.ready_fused(1);
  }
  void end(const std::array<History::Open, 2>& pair, Status compare, Status write) {
    h.complete(pair[0], {.status = compare});
    h.complete(pair[1], {.status = write});
  }
  /// What the model found, "" when nothing.
  std::string found() {
    const auto monitor = h.judge();
    return monitor.findings().empty() ? "" : std::string(row_of(monitor.findings().front().rule).id);
  }
  History h;
};

TEST_F(FusedPairs, OfTwoThatReplaceTheSameValueOneSucceeds) {
  const auto a = h.start_pair(0, 0, 6), b = h.start_pair(1, 0, 7);
  end(a, Status::success, Status::success);
  end(b, Status::compare_failure, Status::aborted_failed_fused);
  h.read(1, 1, 0, 6);
  EXPECT_EQ(found(), "");
}

TEST_F(FusedPairs, BothCannotReplaceTheSameValue) {
  const auto a = h.start_pair(0, 0, 6), b = h.start_pair(1, 0, 7);
  end(a, Status::success, Status::success);
  end(b, Status::success, Status::success);
  EXPECT_EQ(found(), "INV-Q-25");
}

TEST_F(FusedPairs, BothMayWhereTheValueIsWrittenAgainMeanwhile) {
  const auto a = h.start_pair(0, 0, 6), b = h.start_pair(1, 0, 7);
  h.write(0, 1, 0, 0);
  end(a, Status::success, Status::success);
  end(b, Status::success, Status::success);
  EXPECT_EQ(found(), "");
}

TEST_F(FusedPairs, BothMayWhereTheFirstWritesTheValueThatTheSecondCompares) {
  const auto a = h.start_pair(0, 0, 6), b = h.start_pair(1, 6, 7);
  end(a, Status::success, Status::success);
  end(b, Status::success, Status::success);
  h.read(0, 1, 0, 7);
  EXPECT_EQ(found(), "");
}

TEST_F(FusedPairs, BothMayWhereTheWriteChangesNothing) {
  const auto a = h.start_pair(0, 0, 0), b = h.start_pair(1, 0, 7);
  end(b, Status::success, Status::success);
  end(a, Status::success, Status::success);
  EXPECT_EQ(found(), "");
}

TEST_F(FusedPairs, TheWriteMayFailByItselfButNotBlameASuccess) {
  end(h.start_pair(0, 0, 6), Status::success, Status::data_transfer_error);
  EXPECT_EQ(found(), "");
  end(h.start_pair(1, 0, 6), Status::success, Status::aborted_failed_fused);
  EXPECT_EQ(found(), "INV-Q-25");
}

TEST_F(FusedPairs, WhatWasAbortedIsNotRead) {
  end(h.start_pair(0, 5, 6), Status::compare_failure, Status::aborted_failed_fused);
  h.read(1, 1, 0, 6);
  EXPECT_EQ(found(), "INV-D-03");
}

TEST_F(FusedPairs, RungOneByOneTheyMayBeParted) {
  end(h.start_pair(0, 0, 6, false), Status::aborted_missing_fused, Status::aborted_missing_fused);
  EXPECT_EQ(found(), "");
  end(h.start_pair(1, 0, 6, true), Status::aborted_missing_fused, Status::aborted_missing_fused);
  EXPECT_EQ(found(), "INV-Q-33");
}

TEST_F(FusedPairs, NoHalfIsDoneAlone) {
  auto first = io_entry(0x05, 1, 0), second = io_entry(0x01, 1, 0);
  first.flags = 1;
  second.flags = 2;
  h.run(0, 1, first, With{.digests = h.digests(0)}, {.status = Status::aborted_missing_fused});
  h.run(0, 1, second, With{.digests = h.digests(6)}, {.status = Status::aborted_missing_fused});
  EXPECT_EQ(found(), "");
  h.run(1, 1, second, With{.digests = h.digests(6)}, How{});
  EXPECT_EQ(found(), "INV-Q-25");
}

TEST_F(FusedPairs, AnAbortedFirstTakesItsSecondWithIt) {
  const auto pair = h.start_pair(0, 0, 6);
  h.run(0, 0, admin_entry(0x08, 0, 1 | std::uint32_t{pair[0].cid} << 16U), {.dw0 = 0});
  end(pair, Status::abort_requested, Status::aborted_failed_fused);
  EXPECT_EQ(found(), "");
}

}  // namespace
}  // namespace polypath::model
