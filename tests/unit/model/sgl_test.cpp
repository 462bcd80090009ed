// What a controller may answer to a Scatter Gather List. Base: "Scatter Gather List (SGL)".
#include "model/sgl.h"

#include <gtest/gtest.h>

#include <vector>

#include "history.h"
#include "model/rules.h"
#include "spec/identify.h"

namespace polypath::model {
namespace {

using spec::SglDescriptor;
using spec::Status;

constexpr std::uint32_t kAll = 1 | spec::sgls::bit_bucket | spec::sgls::longer;
constexpr std::uint64_t kBuffer = 0x5000000, kSegment = 0x6000000;
constexpr std::uint8_t kBlock = 0x00, kBucket = 0x10, kNext = 0x20, kLast = 0x30;

SglDescriptor one(std::uint8_t identifier, std::uint64_t address, std::uint32_t length) {
  return {address, length, {}, identifier};
}
SglDescriptor to(std::uint8_t identifier, std::size_t count) {
  return one(identifier, kSegment, static_cast<std::uint32_t>(16 * count));
}

/// A Read of two blocks through this list, ended with this status; gives the ids of the rules that it breaks.
std::vector<std::string_view> broken(const SglDescriptor& first, const std::vector<SglDescriptor>& rest,
                                     Status status, std::uint32_t sgls = kAll, unsigned psdt = 1,
                                     std::uint8_t opcode = 0x02) {
  History h;
  h.ready(0);
  h.identify(0, [&](spec::IdentifyController& id) { id.sgls = sgls; });
  h.identify_ns(0, 1);
  auto entry = io_entry(opcode, 1, 0, 2);
  entry.flags = static_cast<std::uint8_t>(psdt << 6U);
  entry.set_sgl1(first);
  History::With with;
  with.bytes = 1024;
  with.listed = true;
  with.descriptors = rest;
  h.run(0, 1, entry, with, {.status = status, .dma = false});
  std::vector<std::string_view> out;
  const Monitor judged = h.judge();
  for (const auto& finding : judged.findings()) {
    if (finding.rule != Rule::q28) out.push_back(row_of(finding.rule).id);  // no data move here
  }
  return out;
}

bool fine(const SglDescriptor& first, const std::vector<SglDescriptor>& rest, Status status,
          std::uint32_t sgls = kAll, unsigned psdt = 1, std::uint8_t opcode = 0x02) {
  return broken(first, rest, status, sgls, psdt, opcode).empty();
}

TEST(Sgl, AGoodListSucceedsAndIsNotRefused) {
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 1024), {}, Status::success));
  EXPECT_TRUE(fine(one(kBlock, kBuffer + 1, 1024), {}, Status::success));
  EXPECT_TRUE(
      fine(to(kLast, 2), {one(kBlock, kBuffer, 1000), one(kBlock, kBuffer + 5000, 24)}, Status::success));
  EXPECT_TRUE(fine(to(kNext, 2), {one(kBlock, kBuffer, 1000), to(kLast, 1), one(kBlock, kBuffer, 24)},
                   Status::success));
  EXPECT_TRUE(fine(to(kLast, 3), {one(kBlock, kBuffer, 1000), SglDescriptor{}, one(kBucket, 0, 24)},
                   Status::success));
  for (const Status refusal :
       {Status::data_sgl_length_invalid, Status::invalid_sgl_segment, Status::invalid_sgl_count,
        Status::sgl_type_invalid, Status::invalid_field, Status::prp_offset_invalid}) {
    EXPECT_FALSE(fine(one(kBlock, kBuffer, 1024), {}, refusal)) << static_cast<int>(refusal);
  }
}

TEST(Sgl, OneThatIsTooShortIsRefused) {
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 1023), {}, Status::data_sgl_length_invalid));
  EXPECT_FALSE(fine(one(kBlock, kBuffer, 1023), {}, Status::success));
  EXPECT_FALSE(fine(to(kLast, 2), {one(kBlock, kBuffer, 1000), one(kBlock, kBuffer, 23)}, Status::success));
  EXPECT_FALSE(fine(one(kBlock, ~std::uint64_t{0} - 100, 1024), {}, Status::success));
  EXPECT_TRUE(fine(one(kBlock, ~std::uint64_t{0} - 100, 1024), {}, Status::data_sgl_length_invalid));
}

TEST(Sgl, OneThatIsTooLongIsRefusedOnlyWhereThatIsNotAnnounced) {
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 4096), {}, Status::success));
  EXPECT_FALSE(fine(one(kBlock, kBuffer, 4096), {}, Status::data_sgl_length_invalid));
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 4096), {}, Status::success, 1));
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 4096), {}, Status::data_sgl_length_invalid, 1));
}

TEST(Sgl, BitBucketsCountForReadsAndAreNothingForWrites) {
  const std::vector<SglDescriptor> half{one(kBlock, kBuffer, 512), one(kBucket, 0, 512)};
  EXPECT_TRUE(fine(to(kLast, 2), half, Status::success));
  EXPECT_TRUE(fine(to(kLast, 2), half, Status::data_sgl_length_invalid, kAll, 1, 0x01));
  EXPECT_FALSE(fine(to(kLast, 2), half, Status::success, kAll, 1, 0x01));
  EXPECT_TRUE(fine(to(kLast, 2), half, Status::sgl_type_invalid, 1));
  EXPECT_FALSE(fine(to(kLast, 2), half, Status::success, 1));
}

TEST(Sgl, TypesThatNobodyAnnouncedAreRefused) {
  for (const std::uint8_t identifier : std::vector<std::uint8_t>{0x01, 0x40, 0x50, 0x5A, 0x60, 0xF0}) {
    EXPECT_TRUE(fine(one(identifier, kBuffer, 1024), {}, Status::sgl_type_invalid)) << int{identifier};
    EXPECT_FALSE(fine(one(identifier, kBuffer, 1024), {}, Status::success)) << int{identifier};
  }
}

TEST(Sgl, SegmentsThatAreMalformedAreRefused) {
  const std::vector<SglDescriptor> pointers{one(kLast, kSegment, 0), one(kLast, kSegment, 24),
                                            one(kLast, kSegment + 4, 16), one(kNext, kSegment, 8)};
  for (const SglDescriptor& pointer : pointers) {
    EXPECT_TRUE(fine(pointer, {}, Status::invalid_sgl_segment));
    EXPECT_FALSE(fine(pointer, {}, Status::success));
  }
  // A segment in the last segment; one that is not at the end.
  const std::vector<SglDescriptor> nested{one(kBlock, kBuffer, 512), to(kLast, 1)};
  EXPECT_TRUE(fine(to(kLast, 2), nested, Status::invalid_sgl_segment));
  EXPECT_FALSE(fine(to(kLast, 2), nested, Status::success));
  const std::vector<SglDescriptor> early{to(kLast, 1), one(kBlock, kBuffer, 512), to(kLast, 1),
                                         one(kBlock, kBuffer, 512)};
  EXPECT_TRUE(fine(to(kNext, 3), early, Status::invalid_sgl_count));
  EXPECT_FALSE(fine(to(kNext, 3), early, Status::success));
}

TEST(Sgl, WhatLiesBehindTheLastByteMayBeRefusedAndNeedNot) {
  const std::vector<SglDescriptor> wrong_end{one(kBlock, kBuffer, 1024), one(0x70, 0, 0)};
  EXPECT_TRUE(fine(to(kLast, 2), wrong_end, Status::success));
  EXPECT_TRUE(fine(to(kLast, 2), wrong_end, Status::sgl_type_invalid));
  EXPECT_FALSE(fine(to(kLast, 2), wrong_end, Status::invalid_sgl_count));
}

TEST(Sgl, DwordsAreAskedForWhereThatIsAnnounced) {
  EXPECT_TRUE(fine(one(kBlock, kBuffer + 2, 1024), {}, Status::sgl_granularity_invalid, 2));
  EXPECT_TRUE(fine(one(kBlock, kBuffer + 2, 1024), {}, Status::success, 2));
  EXPECT_FALSE(fine(one(kBlock, kBuffer + 2, 1024), {}, Status::sgl_granularity_invalid));
}

TEST(Sgl, ControllersWithoutRefuseEveryPsdt) {
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 1024), {}, Status::invalid_field, 0));
  EXPECT_FALSE(fine(one(kBlock, kBuffer, 1024), {}, Status::success, 0));
  EXPECT_FALSE(fine(one(kBlock, kBuffer, 1024), {}, Status::success, kAll, 3));
  EXPECT_TRUE(fine(one(kBlock, kBuffer, 1024), {}, Status::invalid_field, kAll, 2));
  EXPECT_FALSE(
      fine(one(kBlock, kBuffer, 1024), {}, Status::invalid_field, kAll | spec::sgls::mptr_segment, 2));
}

TEST(Sgl, ADescriptorOfAnotherCommandIsNoPlaceForData) {
  History h;
  h.ready(0);
  h.identify(0, [](spec::IdentifyController& id) { id.sgls = kAll; });
  h.identify_ns(0, 1);
  auto entry = io_entry(0x02, 1, 0, 2);
  entry.flags = 1U << 6U;
  entry.set_sgl1(one(kBlock, kBuffer, 512));  // too short
  History::With with;
  with.bytes = 512;
  with.listed = true;
  const auto open = h.start(0, 1, entry, with);
  h.dma(open, kBuffer, 512, true);
  h.dma(open, kBuffer + 512, 512, true);
  h.complete(open, {.status = Status::data_sgl_length_invalid, .dma = false});
  const auto judged = h.judge();
  ASSERT_EQ(judged.findings().size(), 1U);
  EXPECT_EQ(judged.findings()[0].rule, Rule::q28);
}

}  // namespace
}  // namespace polypath::model
