// The tables that text, binary form, schema and documentation share. Numbers are permanent.
#include <gtest/gtest.h>

#include <set>

#include "engine/hash.h"
#include "program/program.h"

namespace polypath::program {
namespace {

TEST(StepTable, NamesAndNumbersAreUnique) {
  std::set<std::string_view> names;
  std::set<StepKind> kinds;
  for (const StepRow& row : step_rows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(kinds.insert(row.kind).second) << row.name;
    EXPECT_EQ(find_step(row.kind), &row);
    EXPECT_EQ(find_step(row.name), &row);
    EXPECT_FALSE(row.title.empty());
  }
  EXPECT_EQ(find_step(static_cast<StepKind>(200)), nullptr);
}

TEST(StepTable, OperandsOfARowAreUniqueAndFitTheMask) {
  for (const StepRow& row : step_rows()) {
    std::set<Field> fields;
    EXPECT_LE(row.fields.size(), 63U);
    for (const StepFieldRow& f : row.fields) EXPECT_TRUE(fields.insert(f.field).second) << row.name;
  }
}

TEST(FieldTable, RowNIsFieldN) {
  unsigned number = 0;
  for (const FieldRow& row : field_rows()) {
    EXPECT_EQ(static_cast<unsigned>(row.field), ++number) << row.name;
    EXPECT_EQ(find_field(row.field), &row);
    EXPECT_EQ(find_field(row.name), &row);
    EXPECT_LE(row.least, row.most);
  }
  EXPECT_EQ(find_field(static_cast<Field>(0)), nullptr);
  EXPECT_EQ(find_field(static_cast<Field>(number + 1)), nullptr);
}

// Corpora and findings hold these numbers and this order. A change here breaks them: append instead.
TEST(StepTable, NumbersAndOrderAreThoseThatCorporaHold) {
  std::uint64_t hash = 0;
  for (const StepRow& row : step_rows()) {
    hash = engine::mix(hash, static_cast<std::uint64_t>(row.kind));
    for (const StepFieldRow& f : row.fields) hash = engine::mix(hash, static_cast<std::uint64_t>(f.field));
  }
  EXPECT_EQ(hash, 8988193624690407287U);
}

}  // namespace
}  // namespace polypath::program
