// Every opcode of the fact sheets is simulated, with all that belongs to it, or owed by an issue that is
// named.
#include "conform/coverage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

#include "device/profile.h"
#include "scenario/scenario.h"
#include "spec/owed_commands.h"

namespace polypath::conform {
namespace {

using spec::CommandSet;

// Sheet 04, section 1; sheet 05, section 1; sheet 05b.
constexpr std::array<std::uint8_t, 44> kAdminOpcodes{
    0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15,
    0x18, 0x19, 0x1A, 0x1C, 0x1D, 0x1E, 0x20, 0x21, 0x22, 0x24, 0x25, 0x28, 0x29, 0x2A, 0x2D,
    0x31, 0x35, 0x3D, 0x3E, 0x41, 0x42, 0x45, 0x7C, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x86};
constexpr std::array<std::uint8_t, 19> kIoOpcodes{0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x09, 0x0C, 0x0D, 0x0E,
                                                  0x11, 0x12, 0x15, 0x18, 0x19, 0x1D, 0x79, 0x7A, 0x7D};

void expect_accounted(CommandSet set, std::span<const std::uint8_t> sheet) {
  std::size_t known = 0;
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const auto code = static_cast<std::uint8_t>(opcode);
    const auto* row = spec::find_command(set, code);
    const bool simulated = row != nullptr && row->implemented;
    const bool owed = spec::find_owed(set, code) != nullptr;
    const bool listed = std::find(sheet.begin(), sheet.end(), code) != sheet.end();
    EXPECT_EQ(simulated != owed, listed) << "opcode " << opcode << " of set " << static_cast<int>(set);
    EXPECT_TRUE(row == nullptr || listed) << row->name;
    known += listed ? 1 : 0;
  }
  EXPECT_EQ(known, sheet.size());
}

TEST(Commands, EveryOpcodeOfTheSheetsIsSimulatedOrOwedAndNeverBoth) {
  expect_accounted(CommandSet::admin, kAdminOpcodes);
  expect_accounted(CommandSet::nvm, kIoOpcodes);
}

TEST(Commands, AnOwedRowOfTheTableHasItsTitle) {
  for (const spec::OwedCommand& owed : spec::owed_commands()) {
    const auto* row = spec::find_command(owed.set, owed.opcode);
    EXPECT_TRUE(row == nullptr || row->title == owed.title) << owed.title;
    EXPECT_FALSE(owed.owed_by.empty()) << owed.title;
  }
}

// The handler: tests/unit/device/namespaces_test.cpp; the rule: tests/unit/model/every_command_test.cpp.
TEST(Commands, EveryCommandThatAProfileSupportsHasAConformanceCaseThere) {
  for (const device::Profile& profile : device::profiles()) {
    const Suite suite = load_suite(POLYPATH_SOURCE_DIR "/conformance", std::string(profile.name));
    const Coverage coverage = covering_cases(suite, ask_worlds(suite));
    for (const spec::CommandRow& row : spec::commands()) {
      if (!row.implemented || !device::announces(profile, row)) continue;
      EXPECT_TRUE(coverage.contains({row.set, row.opcode})) << row.name << " in profile " << profile.name;
    }
  }
}

TEST(Commands, EveryImplementedRowHasAProfileThatAnnouncesIt) {
  for (const spec::CommandRow& row : spec::commands()) {
    const bool announced = std::any_of(device::profiles().begin(), device::profiles().end(),
                                       [&](const auto& profile) { return device::announces(profile, row); });
    EXPECT_TRUE(!row.implemented || announced) << row.name;
  }
}

TEST(Commands, EveryImplementedRowHasATextFormThatReadsBack) {
  for (const spec::CommandRow& row : spec::commands()) {
    if (!row.implemented) continue;
    const std::string kind = row.set == CommandSet::admin ? "admin" : "io";
    const std::string text = "name: one\ntopology: [\"nvme,id=nvme0,serial=x\"]\nsteps:\n  - " + kind +
                             ": {controller: nvme0, opcode: " + std::string(row.name) + "}\n";
    const program::Program program = scenario::load_scenario_text(text, "text");
    EXPECT_EQ(program.steps.at(0).number(program::Field::opcode), row.opcode) << row.name;
    EXPECT_NE(scenario::scenario_text(program).find("opcode: " + std::string(row.name)), std::string::npos)
        << row.name;
  }
}

TEST(Coverage, LeavesOutCasesThatAreSkipped) {
  const Suite suite = load_suite(POLYPATH_SOURCE_DIR "/conformance", "minimal");
  const Coverage coverage = covering_cases(suite, ask_worlds(suite));
  const auto at = coverage.find({CommandSet::nvm, 0x05});
  // Compare is not announced: only its refusal is asked.
  ASSERT_NE(at, coverage.end());
  for (const std::string& id : at->second) {
    const auto one = std::find_if(suite.cases.begin(), suite.cases.end(),
                                  [&](const Case& other) { return other.id == id; });
    EXPECT_NE(std::find(one->needs.begin(), one->needs.end(), "!compare"), one->needs.end()) << id;
  }
}

}  // namespace
}  // namespace polypath::conform
