// The copy-on-write map against std::map, with copies taken and dropped at random.
#include "engine/cow_map.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "allocations.h"
#include "engine/random.h"

namespace polypath::engine {
namespace {

struct Leaf {
  std::uint64_t value = 0;
};

/// Both maps, which must always agree.
struct Pair {
  CowMap<Leaf> cow;
  std::map<std::uint64_t, std::uint64_t> plain;

  void expect_equal() const {
    ASSERT_EQ(cow.size(), plain.size());
    auto expected = plain.begin();
    cow.for_each([&](std::uint64_t key, const Leaf& leaf) {
      ASSERT_NE(expected, plain.end());
      ASSERT_EQ(key, expected->first);  // ascending, as std::map
      ASSERT_EQ(leaf.value, expected->second);
      ++expected;
    });
    ASSERT_EQ(expected, plain.end());
  }
};

std::uint64_t random_key(Random& random) {
  switch (random.below(4)) {
    case 0:
      return random.below(8);
    case 1:
      return random.below(300);
    case 2:
      return ~std::uint64_t{0} - random.below(4);
    default:
      return random.below(std::uint64_t{1} << random.below(64));
  }
}

TEST(CowMap, agrees_with_a_plain_map_through_random_edits_erasures_and_copies) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random random(seed, "cow map");
    std::vector<std::unique_ptr<Pair>> worlds;
    worlds.push_back(std::make_unique<Pair>());
    for (std::uint64_t step = 0; step < 4000; ++step) {
      Pair& pair = *worlds[static_cast<std::size_t>(random.below(worlds.size()))];
      const std::uint64_t key = random_key(random);
      switch (random.below(12)) {
        case 0:
          if (worlds.size() < 6) worlds.push_back(std::make_unique<Pair>(pair));  // snapshot
          break;
        case 1:
          pair = *worlds[static_cast<std::size_t>(random.below(worlds.size()))];  // restore, maybe itself
          break;
        case 2:
          if (worlds.size() > 1)
            worlds.erase(worlds.begin() + static_cast<std::ptrdiff_t>(random.below(worlds.size())));
          break;
        case 3:
          if (random.bernoulli(1, 30)) {
            pair.cow.clear();
            pair.plain.clear();
          }
          break;
        case 4:
        case 5:
        case 6: {
          const std::uint64_t victim = pair.plain.empty() ? key
                                       : pair.plain.upper_bound(key) == pair.plain.end()
                                           ? pair.plain.begin()->first
                                           : pair.plain.upper_bound(key)->first;
          pair.cow.erase(victim);
          pair.plain.erase(victim);
          break;
        }
        default:
          pair.cow.edit(key).value += step + 1;
          pair.plain[key] += step + 1;
      }
      const auto expected = worlds.front()->plain.find(key);
      const Leaf* found = worlds.front()->cow.find(key);
      ASSERT_EQ(found != nullptr, expected != worlds.front()->plain.end());
      if (found != nullptr) {
        ASSERT_EQ(found->value, expected->second);
      }
      if (step % 100 == 0) {
        for (const auto& world : worlds) ASSERT_NO_FATAL_FAILURE(world->expect_equal());
      }
    }
    for (const auto& world : worlds) ASSERT_NO_FATAL_FAILURE(world->expect_equal());
  }
}

TEST(CowMap, an_edit_after_a_copy_is_seen_by_one_side_only) {
  CowMap<Leaf> map;
  map.edit(5).value = 1;
  map.edit(5000).value = 2;
  CowMap<Leaf> snapshot = map;
  map.edit(5).value = 3;
  map.erase(5000);
  snapshot.edit(70).value = 4;
  EXPECT_EQ(snapshot.find(5)->value, 1U);
  EXPECT_EQ(snapshot.find(5000)->value, 2U);
  EXPECT_EQ(map.find(5)->value, 3U);
  EXPECT_EQ(map.find(5000), nullptr);
  EXPECT_EQ(map.find(70), nullptr);
}

TEST(CowMap, a_copy_allocates_nothing) {
  CowMap<Leaf> map;
  for (std::uint64_t key = 0; key < 1000; ++key) map.edit(key * 1000).value = key;
  const std::uint64_t before = allocations().made;
  const CowMap<Leaf> copy = map;
  EXPECT_EQ(allocations().made, before);
  EXPECT_EQ(copy.find(999000)->value, 999U);
}

TEST(CowMap, memory_is_given_back_by_erasure_and_by_the_last_copy) {
  constexpr std::uint64_t kKeys = 5'000;
  constexpr std::int64_t kKept = 2 * SpareRoom<Leaf>::kMost;  // leaves, and inner nodes
  const auto grow_and_shrink = [] {
    CowMap<Leaf> map;
    map.edit(~std::uint64_t{0});
    const std::int64_t small = allocations().outstanding;
    for (std::uint64_t i = 0; i < kKeys; ++i) map.edit(i << 30U).value = i;
    CowMap<Leaf> copy = map;
    for (std::uint64_t i = 0; i < kKeys; ++i) copy.edit(i << 30U).value = 0;
    copy.clear();
    EXPECT_GT(allocations().outstanding, small + static_cast<std::int64_t>(kKeys));
    for (std::uint64_t i = 0; i < kKeys; ++i) map.erase(i << 30U);
    EXPECT_EQ(map.size(), 1U);
    EXPECT_LE(allocations().outstanding, small + kKept);  // the inner nodes that led there are gone too
  };
  const std::int64_t before = allocations().outstanding;
  grow_and_shrink();
  const std::int64_t after = allocations().outstanding;
  EXPECT_LE(after, before + kKept);
  grow_and_shrink();
  EXPECT_EQ(allocations().outstanding, after);
}

TEST(SpareRoom, what_was_dropped_last_serves_next_as_new) {
  struct Row {
    std::uint64_t a = 1, b = 2;
  };
  Row* first = SpareRoom<Row>::make();
  Row* second = SpareRoom<Row>::make();
  first->a = second->b = 7;
  SpareRoom<Row>::drop(first);
  SpareRoom<Row>::drop(second);
  const std::uint64_t made = allocations().made;
  Row* again = SpareRoom<Row>::make();
  EXPECT_EQ(again, second);
  EXPECT_EQ(again->a, 1U);
  EXPECT_EQ(again->b, 2U);
  EXPECT_EQ(SpareRoom<Row>::make(*again), first);
  EXPECT_EQ(allocations().made, made);
  SpareRoom<Row>::drop(first);
  SpareRoom<Row>::drop(again);
}

TEST(CowMap, a_moved_map_keeps_its_leaves) {
  CowMap<Leaf> map;
  map.edit(7).value = 1;
  CowMap<Leaf> moved = std::move(map);
  EXPECT_EQ(moved.find(7)->value, 1U);
  CowMap<Leaf> assigned;
  assigned.edit(9).value = 2;
  assigned = std::move(moved);
  EXPECT_EQ(assigned.find(7)->value, 1U);
  EXPECT_EQ(assigned.find(9), nullptr);
  EXPECT_EQ(assigned.size(), 1U);
}

}  // namespace
}  // namespace polypath::engine
