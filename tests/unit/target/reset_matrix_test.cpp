// What each reset clears and keeps, on the controller that is reset and on another one of its subsystem, as
// hosts can see it: run cell by cell, and held against sheet 01, section 9. docs/resets.md shows the same
// table.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "scenario/scenario.h"
#include "target/runner.h"

namespace polypath::target {
namespace {

constexpr std::size_t kLevels = 5;
struct Level {
  const char* title;
  const char* step;  ///< on nvme0
  bool whole;        ///< of the whole subsystem
};
constexpr std::array<Level, kLevels> kResets{{
    {"Controller Reset", "disable: {controller: nvme0}", false},
    {"FLR", "flr: {controller: nvme0}", false},
    {"Conventional Reset", "hot_reset: {controller: nvme0}", false},
    {"NVM Subsystem Reset", "register_write: {controller: nvme0, offset: 0x20, value: 0x4E564D65}", true},
    {"Power cycle", "power_cycle: {controller: nvme0}", true},
}};

/// A kind of state: how a host sees it, and what the sheet says of it for each level, on the controller that
/// is reset and, where the level reaches no further, "kept" on every other one.
struct State {
  const char* title;
  const char* probe;  ///< a step on controller @
  bool after_enable;  ///< the controller must be enabled again to tell
  bool data;          ///< by the data that the probe returns; else by its status and dword 0
  std::array<const char*, kLevels> expected;
};
constexpr const char* kGone = "cleared";
constexpr const char* kKept = "kept";
constexpr std::array<State, 18> kStates{{
    {"CC", "register_read: {controller: @, offset: 0x14}", false, false, {kGone, kGone, kGone, kGone, kGone}},
    {"CSTS.RDY",
     "register_read: {controller: @, offset: 0x1c}",
     false,
     false,
     {kGone, kGone, kGone, kGone, kGone}},
    {"CSTS.NSSRO", "register_read: {controller: @, offset: 0x1c}", false, false, {"0", "0", "0", "1", "0"}},
    {"AQA",
     "register_read: {controller: @, offset: 0x24}",
     false,
     false,
     {kKept, kGone, kGone, kGone, kGone}},
    {"ASQ",
     "register_read: {controller: @, offset: 0x28, bytes: 8}",
     false,
     false,
     {kKept, kGone, kGone, kGone, kGone}},
    {"I/O queues",
     "admin: {controller: @, opcode: create_cq, cdw10: 0x70001, cdw11: 1, prp1: 0x900000}",
     true,
     false,
     {kGone, kGone, kGone, kGone, kGone}},
    {"Feature that is not saved (0Bh)",
     "admin: {controller: @, opcode: get_features, cdw10: 0xb}",
     true,
     false,
     {kGone, kGone, kGone, kGone, kGone}},
    {"Feature changed since it was saved (04h)",
     "admin: {controller: @, opcode: get_features, cdw10: 4}",
     true,
     false,
     {kGone, kGone, kGone, kGone, kGone}},
    {"Its saved value",
     "admin: {controller: @, opcode: get_features, cdw10: 0x204}",
     true,
     false,
     {kKept, kKept, kKept, kKept, kKept}},
    {"Keep Alive Timeout (0Fh)",
     "admin: {controller: @, opcode: get_features, cdw10: 0xf}",
     true,
     false,
     {kGone, kGone, kGone, kGone, kGone}},
    {"Write protection (84h)",
     "admin: {controller: @, opcode: get_features, nsid: 2, cdw10: 0x84}",
     true,
     false,
     {kKept, kKept, kKept, kKept, kKept}},
    {"Write protection until a power cycle (84h)",
     "admin: {controller: @, opcode: get_features, nsid: 3, cdw10: 0x84}",
     true,
     false,
     {kKept, kKept, kKept, kKept, kGone}},
    {"Changed Namespace List",
     "admin: {controller: @, opcode: get_log_page, cdw10: 0x3ff8004}",
     true,
     true,
     {kGone, kGone, kGone, kGone, kGone}},
    {"Error Information entries",
     "admin: {controller: @, opcode: get_log_page, cdw10: 0xf8001}",
     true,
     true,
     {kGone, kGone, kGone, kGone, kGone}},
    {"SMART counters",
     "admin: {controller: @, opcode: get_log_page, cdw10: 0x7f8002}",
     true,
     true,
     {kKept, kKept, kKept, kKept, kKept}},
    {"Attachments",
     "admin: {controller: @, opcode: identify, cdw10: 2}",
     true,
     true,
     {kKept, kKept, kKept, kKept, kKept}},
    {"Namespaces",
     "admin: {controller: @, opcode: identify, cdw10: 0x10}",
     true,
     true,
     {kKept, kKept, kKept, kKept, kKept}},
    {"Data of completed writes",
     "io: {controller: @, queue: 2, opcode: read, ns: ns1, lba: 0, blocks: 8}",
     true,
     true,
     {kKept, kKept, kKept, kKept, kKept}},
}};

constexpr const char* kStart = R"(
topology:
  - nvme-subsys,id=s
  - nvme,id=nvme0,serial=x,subsys=s
  - nvme,id=nvme1,serial=x,subsys=s
  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=s
  - nvme-ns,id=ns2,nsid=2,size=1MiB,subsys=s,detached=on
  - nvme-ns,id=ns3,nsid=3,size=1MiB,subsys=s
steps:
  - enable: {controller: nvme0, depth: 16}
  - enable: {controller: nvme1, depth: 16}
  - create_queue_pair: {controller: nvme0, queue: 1}
  - create_queue_pair: {controller: nvme1, queue: 1}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0xb, cdw11: 0x100}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0xb, cdw11: 0x100}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0x80000004, cdw11: 0x150}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0x80000004, cdw11: 0x150}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 4, cdw11: 0x152}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 4, cdw11: 0x152}
  - admin: {controller: nvme0, opcode: set_features, cdw10: 0xf, cdw11: 1000000}
  - admin: {controller: nvme1, opcode: set_features, cdw10: 0xf, cdw11: 1000000}
  - attach: {via: nvme0, ns: ns2, controllers: [nvme0, nvme1]}
  - admin: {controller: nvme0, opcode: set_features, nsid: 2, cdw10: 0x84, cdw11: 1}
  - admin: {controller: nvme1, opcode: set_features, nsid: 3, cdw10: 0x84, cdw11: 2}
  - admin: {controller: nvme0, opcode: 0x7f}
  - admin: {controller: nvme1, opcode: 0x7f}
  - doorbell: {controller: nvme0, queue: 60, value: 1}
  - doorbell: {controller: nvme1, queue: 60, value: 1}
  - io: {controller: nvme0, opcode: write, ns: ns1, lba: 0, blocks: 8, tag: A}
  - io: {controller: nvme1, opcode: read, ns: ns1, lba: 0, blocks: 8}
)";

struct Seen {
  std::uint16_t status = 0;
  std::uint64_t value = 0;
  std::vector<std::byte> data;
  bool operator==(const Seen&) const = default;
};

/// What the probe shows on a controller: before any reset, or after one of this level.
Seen look(const State& state, const Level* level, const std::string& controller) {
  std::string text = kStart;
  if (level != nullptr) {
    text += std::string("  - ") + level->step + "\n";
    const bool reset = level->whole || controller == "nvme0";
    if (reset && state.after_enable) text += "  - enable: {controller: " + controller + ", depth: 16}\n";
  }
  if (std::strncmp(state.probe, "io:", 3) == 0)
    text += "  - create_queue_pair: {controller: " + controller + ", queue: 2}\n";
  std::string probe = state.probe;
  probe.replace(probe.find('@'), 1, controller);
  text += "  - " + probe + "\n";
  const auto program = scenario::load_scenario_text(text, "reset.yaml");
  World world(program);
  RunLimits limits;
  limits.keep_data = true;
  Runner runner(world, program, limits);
  runner.run();
  const StepOutcome& outcome = runner.outcomes().back();
  EXPECT_TRUE(outcome.done) << text;
  Seen seen;
  seen.status = outcome.status;
  if (!state.data) seen.value = std::uint64_t{outcome.dw1} << 32U | outcome.dw0;
  if (state.data) seen.data = outcome.data;
  return seen;
}

std::string cell(const State& state, const Level& level, const std::string& controller) {
  const Seen before = look(state, nullptr, controller), after = look(state, &level, controller);
  if (std::string(state.title) == "CSTS.NSSRO") return (after.value >> 4U & 1U) != 0 ? "1" : "0";
  if (std::string(state.title) == "CSTS.RDY")
    return (after.value & 1U) == (before.value & 1U) ? kKept : kGone;
  return before == after ? kKept : kGone;
}

std::string row(const State& state) {
  std::string text = std::string("| ") + state.title + " |";
  for (const Level& level : kResets) {
    const std::string self = cell(state, level, "nvme0"), peer = cell(state, level, "nvme1");
    text += self == peer ? " " + self + " |" : " " + self + " (peer: " + peer + ") |";
  }
  return text + "\n";
}

TEST(ResetMatrix, EveryCellIsAsTheStandardHasIt) {
  for (const State& state : kStates) {
    for (std::size_t k = 0; k < kLevels; ++k) {
      const Level& level = kResets[k];
      EXPECT_EQ(cell(state, level, "nvme0"), state.expected[k]) << state.title << ", " << level.title;
      const bool flag = std::string(state.title) == "CSTS.NSSRO";
      const char* beyond = level.whole ? state.expected[k] : flag ? "0" : kKept;
      EXPECT_EQ(cell(state, level, "nvme1"), beyond) << state.title << " of the peer, " << level.title;
    }
  }
}

// To bring the document up to date: POLYPATH_WRITE_DOCS=1 target_test --gtest_filter='ResetMatrix.*'
TEST(ResetMatrix, TheDocumentShowsIt) {
  std::string table = "| State |";
  std::string rule = "|---|";
  for (const Level& level : kResets) {
    table += std::string(" ") + level.title + " |";
    rule += "---|";
  }
  table += "\n" + rule + "\n";
  for (const State& state : kStates) table += row(state);
  const std::string begin = "<!-- generated by ResetMatrix -->\n",
                    end = "<!-- end of the generated part -->\n";
  std::ifstream file(POLYPATH_SOURCE_DIR "/docs/resets.md");
  std::stringstream held;
  held << file.rdbuf();
  std::string text = held.str();
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("POLYPATH_WRITE_DOCS") != nullptr) {
    text.replace(from + begin.size(), to - from - begin.size(), table);
    std::ofstream(POLYPATH_SOURCE_DIR "/docs/resets.md") << text;
    return;
  }
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), table);
}

}  // namespace
}  // namespace polypath::target
