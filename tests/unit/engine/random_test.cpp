#include "engine/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <vector>

namespace polypath::engine {
namespace {

TEST(Random, numbers_are_pinned) {
  Random plain;
  EXPECT_EQ(plain.next(), 0x387CEC9CD6DB8204U);
  EXPECT_EQ(plain.next(), 0x8B1272EBDAE9127EU);
  EXPECT_EQ(plain.next(), 0x0DDAD91E39C2468EU);
  Random numbered(7, 1);
  EXPECT_EQ(numbered.next(), 0x4B8BDA854095F400U);
  Random named(7, "faults");
  EXPECT_EQ(named.next(), 0xDB6BE4FA91172125U);
}

TEST(Random, distributions_are_pinned) {
  Random random(42);
  const auto draw = [&](auto&& f, std::size_t n) {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(f());
    return out;
  };
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(draw([&] { return random.below(100); }, 8), (Numbers{78, 15, 43, 38, 3, 1, 33, 14}));
  const std::uint64_t top = ~std::uint64_t{0};
  EXPECT_EQ(draw([&] { return top - random.between(top - 5, top); }, 4), (Numbers{4, 2, 2, 3}));
  EXPECT_EQ(draw([&] { return random.bernoulli(1, 3) ? 1U : 0U; }, 8), (Numbers{0, 0, 1, 0, 0, 1, 0, 1}));
  std::array<int, 8> items{};
  std::iota(items.begin(), items.end(), 0);
  random.shuffle(std::span<int>(items));
  EXPECT_EQ(items, (std::array<int, 8>{3, 4, 1, 0, 7, 6, 2, 5}));
  Hasher hasher;
  random.hash(hasher);
  EXPECT_EQ(hasher.value(), 0x98D2EE13815A086EU);
}

TEST(Random, below_has_no_modulo_bias) {
  // With n at three quarters of the range, a remainder would give the lowest third twice its share, and a
  // product every third value.
  const std::uint64_t n = std::uint64_t{3} << 62U;
  Random random(1);
  std::array<int, 3> thirds{}, every_third{};
  const int draws = 30000;
  for (int i = 0; i < draws; ++i) {
    const std::uint64_t value = random.below(n);
    ASSERT_LT(value, n);
    ++thirds[static_cast<std::size_t>(value >> 62U)];
    ++every_third[static_cast<std::size_t>(value % 3)];
  }
  for (const int count : thirds) EXPECT_NEAR(count, draws / 3, draws / 50);
  for (const int count : every_third) EXPECT_NEAR(count, draws / 3, draws / 50);
}

TEST(Random, small_ranges_are_uniform) {
  for (const std::uint64_t n : {1U, 2U, 3U, 7U, 10U}) {
    Random random(n, "uniform");
    std::map<std::uint64_t, int> counts;
    const int draws = 20000;
    for (int i = 0; i < draws; ++i) ++counts[random.below(n)];
    ASSERT_EQ(counts.size(), n);
    for (const auto& [value, count] : counts) {
      EXPECT_LT(value, n);
      EXPECT_NEAR(count, draws / static_cast<int>(n), draws / 40);
    }
  }
}

TEST(Random, between_includes_both_ends_and_the_whole_range) {
  Random random(5);
  bool low = false, high = false;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t value = random.between(10, 13);
    ASSERT_GE(value, 10U);
    ASSERT_LE(value, 13U);
    low |= value == 10;
    high |= value == 13;
  }
  EXPECT_TRUE(low && high);
  EXPECT_NE(random.between(0, ~std::uint64_t{0}), random.between(0, ~std::uint64_t{0}));
  EXPECT_EQ(random.between(9, 9), 9U);
}

TEST(Random, bernoulli_is_exact_at_its_ends_and_fair_between) {
  Random random(6);
  int hits = 0;
  for (int i = 0; i < 20000; ++i) {
    ASSERT_FALSE(random.bernoulli(0, 7));
    ASSERT_TRUE(random.bernoulli(7, 7));
    if (random.bernoulli(1, 4)) ++hits;
  }
  EXPECT_NEAR(hits, 5000, 250);
}

TEST(Random, shuffle_reaches_every_order_equally_often) {
  Random random(8);
  std::map<std::array<int, 4>, int> orders;
  for (int i = 0; i < 24000; ++i) {
    std::array<int, 4> items = {0, 1, 2, 3};
    random.shuffle(std::span<int>(items));
    ++orders[items];
  }
  EXPECT_EQ(orders.size(), 24U);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, streams_of_one_seed_are_independent) {
  Random faults(7, "faults"), workload(7, "workload"), other_seed(8, "faults");
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(faults.next());
    all.push_back(workload.next());
    all.push_back(other_seed.next());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());

  // Draws from one stream do not move another.
  Random alone(7, "workload");
  for (int i = 0; i < 1000; ++i) alone.next();
  EXPECT_EQ(alone, workload);
}

TEST(Random, a_copy_continues_like_the_original) {
  Random random(9);
  random.next();
  Random copy = random;
  EXPECT_EQ(copy, random);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(copy.next(), random.next());
  random.next();
  EXPECT_NE(copy, random);
}

}  // namespace
}  // namespace polypath::engine
