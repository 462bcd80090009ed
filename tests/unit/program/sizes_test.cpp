// Sizes and durations: what people write, and back.
#include <gtest/gtest.h>

#include "program/topology.h"

namespace polypath::program {
namespace {

TEST(Sizes, UnitsAreBinaryAsQemuReadsThem) {
  EXPECT_EQ(parse_size("128MiB"), 134217728U);
  EXPECT_EQ(parse_size("128M"), 134217728U);
  EXPECT_EQ(parse_size("4k"), 4096U);
  EXPECT_EQ(parse_size("134217728"), 134217728U);
  EXPECT_EQ(parse_size("0x1000"), 4096U);
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736U);
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("15EiB"), 15ULL << 60U);
}

TEST(Sizes, WhatIsNoSizeOrOverflowsIsRefused) {
  for (const char* text :
       {"", "MiB", "12MB", "12 MiB", "-1", "+1", "1e3", "16EiB", "18446744073709551616", "0x", "0x1g",
        "1.MiB", "0.0001KiB", "1.5", "1KiBx", "99999999999999999999999999"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(Sizes, TheShortestExactFormReadsBack) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(512), "512");
  EXPECT_EQ(format_size(4096), "4KiB");
  EXPECT_EQ(format_size(134217728), "128MiB");
  EXPECT_EQ(format_size(1536), "1536");
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value :
         {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1, std::uint64_t{3} << bit}) {
      EXPECT_EQ(parse_size(format_size(value)), value);
    }
  }
}

TEST(Durations, UnitsAndFractionsAreExact) {
  EXPECT_EQ(parse_duration("5ms"), 5'000'000U);
  EXPECT_EQ(parse_duration("10s"), 10'000'000'000U);
  EXPECT_EQ(parse_duration("250"), 250U);
  EXPECT_EQ(parse_duration("0.5us"), 500U);
  EXPECT_EQ(parse_duration("1.25ms"), 1'250'000U);
  EXPECT_EQ(parse_duration("2min"), 120'000'000'000U);
  EXPECT_EQ(parse_duration("1h"), 3'600'000'000'000U);
}

TEST(Durations, WhatIsNoDurationOrOverflowsIsRefused) {
  for (const char* text :
       {"", "ms", "5 ms", "-5ms", "0.5ns", "5m", "1.0000000001s", "18446744074s", "5msx", "soon"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Durations, TheShortestExactFormReadsBack) {
  EXPECT_EQ(format_duration(0), "0ns");
  EXPECT_EQ(format_duration(5'000'000), "5ms");
  EXPECT_EQ(format_duration(1'500'000), "1500us");
  EXPECT_EQ(format_duration(10'000'000'000), "10s");
  EXPECT_EQ(format_duration(7), "7ns");
  for (std::uint64_t value = 1; value < 1'000'000'000'000'000'000; value = value * 7 + 3) {
    EXPECT_EQ(parse_duration(format_duration(value)), value);
  }
}

}  // namespace
}  // namespace polypath::program
