#include "program/sgl_words.h"

#include <gtest/gtest.h>

#include <string>

namespace polypath::program {
namespace {

using Kind = SglWord::Kind;

TEST(SglWords, EachKindIsRead) {
  const auto words = parse_sgl("shift 4, block 512,bucket 0x200, segment, raw 0x3a 0xfffffffffffffff0 24");
  ASSERT_TRUE(words);
  ASSERT_EQ(words->size(), 5U);
  EXPECT_EQ((*words)[0].kind, Kind::shift);
  EXPECT_EQ((*words)[1].kind, Kind::block);
  EXPECT_EQ((*words)[2].length, 512U);
  EXPECT_EQ((*words)[3].kind, Kind::segment);
  EXPECT_EQ((*words)[4].identifier, 0x3A);
  EXPECT_EQ((*words)[4].address, ~std::uint64_t{0xF});
  EXPECT_EQ((*words)[4].length, 24U);
}

TEST(SglWords, WhatIsNoListIsRefused) {
  for (const char* text :
       {"", ",", "block", "block x", "block 1 2", "block 4294967296", "raw 256 0 0", "raw 1 2", "segment 16",
        "block 1,", "block 1, shift 2", "shift 4096", "blocks 1"}) {
    EXPECT_FALSE(parse_sgl(text)) << text;
  }
  std::string many = "block 1";
  for (std::size_t i = 1; i < kMostSglWords; ++i) many += ",block 1";
  EXPECT_TRUE(parse_sgl(many));
  EXPECT_FALSE(parse_sgl(many + ",block 1"));
}

}  // namespace
}  // namespace polypath::program
