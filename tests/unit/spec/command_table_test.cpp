// The command table: permanent numbers, unambiguous opcodes, fields that read back what was written.
#include "spec/commands.h"

#include <gtest/gtest.h>

#include <set>

namespace polypath::spec {
namespace {

TEST(CommandTable, NumbersNamesAndOpcodesAreUnique) {
  std::set<std::uint16_t> numbers;
  std::set<std::string_view> names;
  std::set<std::pair<CommandSet, std::uint8_t>> opcodes;
  for (const CommandRow& row : commands()) {
    EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(opcodes.insert({row.set, row.opcode}).second) << row.name;
  }
}

// Stored programs name rows by number: a row may be added, never renumbered.
TEST(CommandTable, PermanentNumbersStayWhatTheyWere) {
  const std::pair<std::uint16_t, std::string_view> pinned[] = {
      {1, "delete_sq"},      {2, "create_sq"},
      {3, "get_log_page"},   {4, "delete_cq"},
      {5, "create_cq"},      {6, "identify"},
      {7, "abort"},          {8, "set_features"},
      {9, "get_features"},   {10, "async_event_request"},
      {11, "ns_management"}, {15, "ns_attachment"},
      {21, "flush"},         {22, "write"},
      {23, "read"},          {25, "compare"},
      {26, "write_zeroes"}};
  for (const auto& [number, name] : pinned) {
    ASSERT_NE(find_command_number(number), nullptr) << number;
    EXPECT_EQ(find_command_number(number)->name, name);
  }
}

TEST(CommandTable, DataDirectionAgreesWithTheTwoLowBitsOfTheOpcode) {
  for (const CommandRow& row : commands()) {
    const unsigned bits = row.opcode & 3U;
    if (row.direction == Direction::to_controller) {
      EXPECT_EQ(bits & 1U, 1U) << row.name;
    }
    if (row.direction == Direction::to_host) {
      EXPECT_EQ(bits & 2U, 2U) << row.name;
    }
  }
}

TEST(CommandTable, EveryOpcodeIsFoundByIndexAndNoOtherIs) {
  for (const auto set : {CommandSet::admin, CommandSet::nvm}) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      const CommandRow* expected = nullptr;
      for (const CommandRow& row : commands()) {
        if (row.set == set && row.opcode == opcode) expected = &row;
      }
      EXPECT_EQ(find_command(set, static_cast<std::uint8_t>(opcode)), expected) << opcode;
    }
  }
}

TEST(CommandField, ReadsBackWhatWasSetAndTouchesNothingElse) {
  for (const CommandRow& row : commands()) {
    for (const CommandField& field : row.fields) {
      SubmissionEntry entry;
      const std::uint64_t largest = field.bits >= 64 ? ~0ULL : (1ULL << field.bits) - 1;
      set_field(entry, field, largest + (field.zero_based ? 1 : 0));
      EXPECT_EQ(field_value(entry, field), largest + (field.zero_based ? 1 : 0))
          << row.name << "." << field.name;
      for (const CommandField& other : row.fields) {
        if (other.name == field.name) continue;
        EXPECT_EQ(field_value(entry, other), other.zero_based ? 1U : 0U) << row.name << "." << other.name;
      }
    }
  }
}

TEST(CommandField, CountsAreOneBasedInTextAndZeroBasedOnTheWire) {
  const CommandRow* read = find_command("read");
  ASSERT_NE(read, nullptr);
  SubmissionEntry entry;
  set_field(entry, read->fields[0], 0x123456789);
  set_field(entry, read->fields[1], 8);
  EXPECT_EQ(entry.slba(), 0x123456789U);
  EXPECT_EQ(entry.cdw12, 7U);
  EXPECT_EQ(entry.block_count(), 8U);
}

TEST(StatusName, NamesAndNumbersConvertBothWays) {
  for (unsigned value = 0; value < 0x800; ++value) {
    const auto status = static_cast<Status>(value);
    Status back{};
    ASSERT_TRUE(status_from_name(status_name(status), back)) << value;
    EXPECT_EQ(back, status);
  }
  Status out{};
  EXPECT_FALSE(status_from_name("no_such_status", out));
  EXPECT_FALSE(status_from_name("8/00", out));
  EXPECT_FALSE(status_from_name("1/", out));
  EXPECT_TRUE(status_from_name("1/18", out));
  EXPECT_EQ(out, Status::namespace_already_attached);
}

TEST(StatusWord, LinuxPrintsInvalidFieldWithDnrAs4002) {
  CompletionEntry entry;
  entry.status_word = static_cast<std::uint16_t>(make_status_word(Status::invalid_field, true) | 1U);
  EXPECT_EQ(entry.linux_status(), 0x4002);
  EXPECT_EQ(entry.status(), Status::invalid_field);
  EXPECT_TRUE(entry.dnr());
  EXPECT_TRUE(entry.phase());
  EXPECT_FALSE(entry.more());
}

}  // namespace
}  // namespace polypath::spec
