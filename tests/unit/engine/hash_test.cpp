// Pinned values: another compiler, optimization level or machine must arrive at these, or hashes of states
// and traces could not be compared between them. They never change: stored runs carry them.
#include "engine/hash.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "engine/engine.h"

namespace polypath::engine {
namespace {

std::string counting(std::size_t size) {
  std::string text(size, '\0');
  std::iota(text.begin(), text.end(), '\1');
  return text;
}

TEST(Hash, words_are_pinned) {
  static_assert(fold(0x0123456789ABCDEF, 0xFEDCBA9876543210) == 0x2317228F48165BB2);
  static_assert(mix(0, 0) == 0x6384B439D864371A);
  static_assert(mix(1, 2) == 0x557120DBA84CDA45);
  static_assert(mix(~std::uint64_t{0}, ~std::uint64_t{0}) == 0x634C5C013C943B12);
  // The same at run time, where another instruction may be chosen.
  volatile std::uint64_t one = 1, two = 2;
  EXPECT_EQ(mix(one, two), 0x557120DBA84CDA45U);
}

TEST(Hash, bytes_are_pinned_for_every_kind_of_length) {
  const std::pair<std::size_t, std::uint64_t> pinned[] = {
      {0, 0x6A59CCF059475A00},  {1, 0x2D025BED4F643361},  {8, 0x676AE7FD7AFAB78C},  {31, 0xFCC463A592E5CEC2},
      {32, 0x242ED30FDA4BF703}, {33, 0xF950399DA2100ADE}, {64, 0x1E17D59D5AC92D06}, {100, 0x45355865095108C0},
  };
  for (const auto& [size, hash] : pinned) {
    const std::string text = counting(size);
    EXPECT_EQ(hash_bytes(text.data(), text.size()), hash) << size << " bytes";
  }
  const std::string zero_block(512, '\0');
  EXPECT_EQ(hash_bytes(zero_block.data(), zero_block.size()), 0xFC0B65326BFA8C06U);
  EXPECT_EQ(hash_bytes("abc", 3, 7), 0x04ECF39AE226D91EU);
}

TEST(Hash, a_running_hash_is_pinned) {
  Hasher hasher;
  EXPECT_EQ(hasher.value(), kHashSeed2);
  hasher.add(1);
  hasher.add("text");
  hasher.add_bytes("\0\1", 2);
  EXPECT_EQ(hasher.value(), 0x396B5E0A9470F9D7U);
}

TEST(Hash, an_engine_is_pinned) {
  Engine engine(11);
  engine.set_overrides({{2, 5, 3, 99}, {1, 5, 0, 4}});
  engine.set_cause({1, 0});
  engine.schedule(100, 1, 2, 3);
  engine.set_cause({2, 6});
  engine.decide(5, 10);
  const Ticket ticket = engine.schedule_cancellable(100, 4, 5, 6);
  engine.schedule_cancellable(7 * kSecond, 7, 8, 9);
  engine.cancel(ticket);
  engine.ready(10, 11, 12);
  engine.ready(13, 14, 15);
  const std::byte payload[] = {std::byte{0x7F}, std::byte{0x00}, std::byte{0x42}};
  engine.inject(16, payload, 50, 17, 18);
  Event event;
  ASSERT_TRUE(engine.next(event));
  Hasher exact, canonical;
  engine.hash(exact, HashKind::exact);
  engine.hash(canonical, HashKind::canonical);
  EXPECT_EQ(exact.value(), 0x8899C5E7CE124ABU);
  EXPECT_EQ(canonical.value(), 0xB204966F01575B0EU);
}

TEST(Hash, every_byte_its_place_and_the_length_count) {
  std::set<std::uint64_t> seen;
  std::size_t tried = 0;
  for (std::size_t size = 0; size <= 70; ++size) {
    std::string text(size, '\0');
    ++tried;
    seen.insert(hash_bytes(text.data(), text.size()));
    for (std::size_t place = 0; place < size; ++place) {
      for (const char value : {'\1', '\x40', '\xFF'}) {
        text[place] = value;
        ++tried;
        seen.insert(hash_bytes(text.data(), text.size()));
      }
      text[place] = '\0';
    }
  }
  EXPECT_EQ(seen.size(), tried);
}

TEST(Hash, order_counts) {
  Hasher one, other;
  one.add(1);
  one.add(2);
  other.add(2);
  other.add(1);
  EXPECT_NE(one.value(), other.value());
}

}  // namespace
}  // namespace polypath::engine
