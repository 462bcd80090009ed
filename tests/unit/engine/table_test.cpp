#include "engine/table.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/random.h"

namespace polypath::engine {
namespace {

struct Inner {
  std::uint16_t head = 0;
  template <class V>
  void fields(V&& v) const {
    v("head", head);
  }
};

struct Row {
  std::uint64_t value = 0;
  std::string name;
  std::vector<std::uint32_t> list;
  std::array<Inner, 2> queues{};
  Handle other;
  template <class V>
  void fields(V&& v) const {
    v("value", value);
    v("name", name);
    v("list", list);
    v("queues", queues);
    v("other", other);
  }
};

std::uint64_t hash_of(const Table<Row>& table) {
  Hasher hasher;
  table.hash(hasher);
  return hasher.value();
}

TEST(Table, a_handle_never_resolves_to_the_heir_of_its_row) {
  Random random(1, "table");
  Table<Row> table;
  struct Known {
    Handle handle;
    std::uint64_t value;
    bool alive;
  };
  std::vector<Known> known;
  for (int step = 0; step < 3000; ++step) {
    if (random.bernoulli(11, 20) || known.empty()) {
      Row row;
      row.value = static_cast<std::uint64_t>(step);
      known.push_back({table.insert(row), row.value, true});
    } else {
      Known& victim = known[static_cast<std::size_t>(random.below(known.size()))];
      table.erase(victim.handle);  // of a row that may be gone already: harmless
      victim.alive = false;
    }
  }
  std::size_t alive = 0;
  for (const Known& k : known) {
    const Row* row = table.get(k.handle);
    ASSERT_EQ(row != nullptr, k.alive);
    if (row == nullptr) continue;
    ++alive;
    EXPECT_EQ(row->value, k.value);
    EXPECT_EQ(table.handle_at(k.handle.index), k.handle);
    EXPECT_EQ(table[k.handle.index].value, k.value);
  }
  EXPECT_EQ(table.size(), alive);
  EXPECT_LT(table.end_index(), known.size()) << "slots are used again";
}

TEST(Table, the_empty_handle_names_nothing) {
  Table<Row> table;
  EXPECT_EQ(table.get(Handle{}), nullptr);
  const Handle handle = table.insert({});
  EXPECT_EQ(handle.index, 0U);
  EXPECT_TRUE(handle);
  EXPECT_EQ(table.get(Handle{}), nullptr);
  EXPECT_FALSE(Handle{});
}

TEST(Table, rows_are_visited_by_index_and_erased_ones_are_not) {
  Table<Row> table;
  std::vector<Handle> handles;
  for (std::uint64_t i = 0; i < 5; ++i) {
    Row row;
    row.value = i * 10;
    handles.push_back(table.insert(row));
  }
  table.erase(handles[1]);
  table.erase(handles[3]);
  std::vector<std::uint64_t> seen;
  table.for_each([&](std::uint32_t index, const Row& row) {
    EXPECT_EQ(row.value, index * 10U);
    seen.push_back(row.value);
  });
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 20, 40}));
  EXPECT_FALSE(table.live(1));
  EXPECT_FALSE(table.live(99));
  EXPECT_FALSE(table.handle_at(3));
}

TEST(Table, an_erased_row_leaves_no_data_to_its_heir) {
  Table<Row> table;
  Row row;
  row.name = "secret";
  row.list = {1, 2, 3};
  const Handle handle = table.insert(row);
  table.erase(handle);
  const Handle heir = table.insert();
  EXPECT_EQ(heir.index, handle.index);
  EXPECT_EQ(table.get(heir)->name, "");
  EXPECT_TRUE(table.get(heir)->list.empty());
}

TEST(Table, every_field_and_the_slots_that_serve_next_are_in_the_hash) {
  Table<Row> table;
  const Handle handle = table.insert({});
  const std::uint64_t before = hash_of(table);
  EXPECT_EQ(hash_of(Table<Row>(table)), before);
  const auto changed = [&](auto&& change) {
    Table<Row> copy = table;
    change(*copy.get(handle));
    return hash_of(copy) != before;
  };
  EXPECT_TRUE(changed([](Row& row) { row.value = 1; }));
  EXPECT_TRUE(changed([](Row& row) { row.name = "x"; }));
  EXPECT_TRUE(changed([](Row& row) { row.list = {0}; }));
  EXPECT_TRUE(changed([](Row& row) { row.queues[1].head = 1; }));
  EXPECT_TRUE(changed([](Row& row) { row.other = {0, 1}; }));

  Table<Row> erased_in_order, erased_in_reverse;
  for (Table<Row>* t : {&erased_in_order, &erased_in_reverse}) {
    const Handle a = t->insert({}), b = t->insert({});
    t->erase(t == &erased_in_order ? a : b);
    t->erase(t == &erased_in_order ? b : a);
  }
  EXPECT_NE(erased_in_order.insert({}), erased_in_reverse.insert({}));
  erased_in_order.erase(erased_in_order.handle_at(1));
  erased_in_reverse.erase(erased_in_reverse.handle_at(0));
  EXPECT_NE(hash_of(erased_in_order), hash_of(erased_in_reverse));
}

}  // namespace
}  // namespace polypath::engine
