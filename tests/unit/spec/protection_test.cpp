// Guards and layouts of protection information, against the vectors of the fact sheet (05, section 5).
#include "spec/protection.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <vector>

namespace polypath::spec {
namespace {

std::vector<std::byte> filled(std::size_t bytes, int step, int value) {
  std::vector<std::byte> out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(static_cast<int>(i) * step + value);
  return out;
}

TEST(Protection, GuardsOf4096BytesAreThoseOfTheStandard) {
  struct Vector {
    std::vector<std::byte> bytes;
    std::uint64_t crc64, crc32, crc16;
  };
  const std::vector<Vector> vectors{
      {filled(4096, 0, 0), 0x6482D367EB22B64E, 0x98F94189, 0x0000},
      {filled(4096, 0, 0xFF), 0xC0DDBA7302ECA3AC, 0x25C1FE13, 0x8B5D},
      {filled(4096, 1, 0), 0x3E729F5F6750449C, 0x9C71FE32, 0x8F6D},
  };
  for (const auto& vector : vectors) {
    EXPECT_EQ(guard_of(Guard::bits64, vector.bytes), vector.crc64);
    EXPECT_EQ(guard_of(Guard::bits32, vector.bytes), vector.crc32);
    EXPECT_EQ(guard_of(Guard::bits16, vector.bytes), vector.crc16);
  }
}

TEST(Protection, GuardsOfTheUsualCheckString) {
  constexpr std::string_view kDigits = "123456789";
  const auto bytes = std::as_bytes(std::span(kDigits));
  EXPECT_EQ(guard_of(Guard::bits64, bytes), 0xAE8B14860A799888);
  EXPECT_EQ(guard_of(Guard::bits32, bytes), 0xE3069283);
  EXPECT_EQ(guard_of(Guard::bits16, bytes), 0xD0DB);
}

TEST(Protection, AGuardGoesOnWhereAnotherEnded) {
  const auto bytes = filled(100, 7, 3);
  for (const Guard guard : {Guard::bits16, Guard::bits32, Guard::bits64}) {
    const auto first = guard_of(guard, std::span(bytes).first(37));
    EXPECT_EQ(guard_of(guard, std::span(bytes).subspan(37), first), guard_of(guard, bytes));
  }
}

MetadataFormat format(std::uint16_t bytes, Guard guard, std::uint8_t storage_bits, bool first = false) {
  MetadataFormat out;
  out.bytes = bytes, out.type = 1, out.first = first, out.guard = guard, out.storage_bits = storage_bits;
  return out;
}

TEST(Protection, TagsAreBigEndianAndTheStorageTagLiesAboveTheReferenceTag) {
  std::array<std::byte, 8> metadata{};
  write_tags(format(8, Guard::bits16, 8), {0x1234, 0xABCD, 0x5E, 0x112233}, metadata);
  const std::array<std::uint8_t, 8> expected{0x12, 0x34, 0xAB, 0xCD, 0x5E, 0x11, 0x22, 0x33};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(std::to_integer<int>(metadata[i]), expected[i]) << i;
}

TEST(Protection, TagsReadBackAsTheyWereWrittenInEveryFormat) {
  for (const auto& one :
       {format(8, Guard::bits16, 0), format(8, Guard::bits16, 32), format(16, Guard::bits16, 16, true),
        format(16, Guard::bits32, 16), format(16, Guard::bits32, 40), format(16, Guard::bits32, 64),
        format(64, Guard::bits64, 0), format(16, Guard::bits64, 48), format(64, Guard::bits64, 16, true)}) {
    ASSERT_TRUE(one.possible());
    std::vector<std::byte> metadata(one.bytes);
    Tags tags;
    tags.guard =
        one.guard == Guard::bits64 ? 0x0123456789ABCDEF : (one.guard == Guard::bits32 ? 0x89ABCDEF : 0xCDEF);
    tags.application = 0x5AA5;
    const auto mask = [](unsigned bits) { return bits >= 64 ? ~0ULL : (1ULL << bits) - 1; };
    tags.storage = 0xFEDCBA9876543210 & mask(one.storage_bits);
    tags.reference = 0x1122334455667788 & reference_mask(one);
    write_tags(one, tags, metadata);
    const Tags back = read_tags(one, metadata);
    EXPECT_EQ(back.guard, tags.guard);
    EXPECT_EQ(back.application, tags.application);
    EXPECT_EQ(back.storage, tags.storage);
    EXPECT_EQ(back.reference, tags.reference);
  }
}

TEST(Protection, ACommandHasItsTagsInOneStringOf80Bits) {
  SubmissionEntry entry;
  entry.cdw2 = 0xFFFF1122, entry.cdw3 = 0x33445566, entry.cdw14 = 0x778899AA, entry.cdw15 = 0xFFFFBEEF;
  const Tags wide = command_tags(format(16, Guard::bits32, 32), entry);
  EXPECT_EQ(wide.storage, 0x11223344U);
  EXPECT_EQ(wide.reference, 0x5566778899AAU);
  const Tags middle = command_tags(format(16, Guard::bits64, 16), entry);
  EXPECT_EQ(middle.storage, 0x5566U);
  EXPECT_EQ(middle.reference, 0x778899AAU);
  const Tags narrow = command_tags(format(8, Guard::bits16, 0), entry);
  EXPECT_EQ(narrow.reference, 0x778899AAU);
  EXPECT_EQ(narrow.application, 0xBEEF);
}

TEST(Protection, MetadataOfNothingElseAreLeftOutWhereTheControllerMakesThem) {
  EXPECT_EQ(format(8, Guard::bits16, 0).moved(true), 0);
  EXPECT_EQ(format(8, Guard::bits16, 0).moved(false), 8);
  EXPECT_EQ(format(16, Guard::bits16, 0).moved(true), 16);
  EXPECT_EQ(format(16, Guard::bits64, 0).moved(true), 0);
}

}  // namespace
}  // namespace polypath::spec
