// Doorbells in host memory: where they lie, and when the register is written too.
#include "spec/doorbell_buffer.h"

#include <gtest/gtest.h>

namespace polypath::spec {
namespace {

TEST(DoorbellBuffer, EntriesLieAsTheRegistersDo) {
  EXPECT_EQ(doorbell_offset(0, false, 0), 0U);
  EXPECT_EQ(doorbell_offset(0, true, 0), 4U);
  EXPECT_EQ(doorbell_offset(3, false, 0), 24U);
  EXPECT_EQ(doorbell_offset(3, true, 2), 112U);
}

TEST(DoorbellBuffer, TheRegisterIsWrittenWhenTheEntryPassesEventIdx) {
  EXPECT_TRUE(must_ring(0, 1, 0));
  EXPECT_TRUE(must_ring(4, 7, 5));
  EXPECT_TRUE(must_ring(4, 7, 6));
  EXPECT_FALSE(must_ring(4, 7, 7)) << "it was looked at already";
  EXPECT_FALSE(must_ring(4, 7, 3)) << "passed before: the controller is still busy";
  EXPECT_TRUE(must_ring(7, 0, 7)) << "around the end of the ring";
  EXPECT_FALSE(must_ring(0, 1, 9));
}

}  // namespace
}  // namespace polypath::spec
