#include "engine/difference.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace polypath::engine {
namespace {

enum class State : std::uint8_t { off, on };

struct Queue {
  std::uint16_t head = 0;
  template <class V>
  void fields(V&& v) const {
    v("head", head);
  }
};

struct Controller {
  std::uint32_t csts = 0;
  State state = State::off;
  bool shared = false;
  std::string serial;
  Queue admin;
  std::vector<Queue> io;
  std::array<std::uint8_t, 2> masks{};
  Handle subsystem;
  template <class V>
  void fields(V&& v) const {
    v("csts", csts);
    v("state", state);
    v("shared", shared);
    v("serial", serial);
    v("admin", admin);
    v("io", io);
    v("masks", masks);
    v("subsystem", subsystem);
  }
};

TEST(Difference, equal_tables_have_none) {
  Table<Controller> left;
  left.insert({});
  EXPECT_TRUE(difference(left, Table<Controller>(left)).empty());
  EXPECT_EQ(difference_text("controllers", {}), "");
}

TEST(Difference, names_the_row_and_the_field_and_shows_both_sides) {
  Table<Controller> left;
  left.insert({});
  const Handle handle = left.insert({});
  left.get(handle)->io.resize(3);
  Table<Controller> right = left;
  Controller& row = *right.get(handle);
  row.csts = 1;
  row.state = State::on;
  row.shared = true;
  row.serial = "foo";
  row.admin.head = 7;
  row.io[1].head = 9;
  row.masks[1] = 4;
  row.subsystem = {2, 5};
  EXPECT_EQ(difference_text("controllers", difference(left, right)),
            "controllers[1].csts: 0 | 1\n"
            "controllers[1].state: 0 | 1\n"
            "controllers[1].shared: false | true\n"
            "controllers[1].serial: \"\" | \"foo\"\n"
            "controllers[1].admin.head: 0 | 7\n"
            "controllers[1].io[1].head: 0 | 9\n"
            "controllers[1].masks[1]: 0 | 4\n"
            "controllers[1].subsystem: none | #2 generation 5\n");
}

TEST(Difference, elements_that_one_side_lacks_are_absent_and_do_not_hide_the_fields_after_them) {
  Table<Controller> left;
  const Handle handle = left.insert({});
  Table<Controller> right = left;
  left.get(handle)->io.resize(2);
  right.get(handle)->masks[0] = 1;
  EXPECT_EQ(difference_text("c", difference(left, right)),
            "c[0].io.size: 2 | 0\n"
            "c[0].io[0].head: 0 | absent\n"
            "c[0].io[1].head: 0 | absent\n"
            "c[0].masks[0]: 0 | 1\n");
  EXPECT_EQ(difference_text("c", difference(right, left)),
            "c[0].io.size: 0 | 2\n"
            "c[0].io[0].head: absent | 0\n"
            "c[0].io[1].head: absent | 0\n"
            "c[0].masks[0]: 1 | 0\n");
}

TEST(Difference, a_row_that_one_side_lacks_is_absent_and_an_heir_has_another_generation) {
  Table<Queue> left;
  left.insert({});
  const Handle second = left.insert({});
  Table<Queue> right = left;
  right.erase(second);
  EXPECT_EQ(difference_text("queues", difference(left, right)),
            "queues[1].(generation): 1 | absent\n"
            "queues[1].head: 0 | absent\n");
  right.insert({});
  EXPECT_EQ(difference_text("queues", difference(left, right)), "queues[1].(generation): 1 | 2\n");
}

}  // namespace
}  // namespace polypath::engine
