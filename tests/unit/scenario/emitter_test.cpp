// Canonical text: reading it back gives the same program, whatever the program holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "../program/random_programs.h"
#include "scenario/scenario.h"

namespace polypath::scenario {
namespace {

using program::Program;

TEST(ScenarioText, RandomProgramsReadBack) {
  for (std::uint64_t seed = 0; seed < 700; ++seed) {
    const Program p = program::canonical(program::random_program(seed));
    const std::string text = scenario_text(p);
    try {
      const Program again = load_scenario_text(text, "text");
      ASSERT_EQ(again, p) << seed << "\n" << text;
      ASSERT_EQ(scenario_text(again), text) << seed;
    } catch (const program::InputError& error) {
      FAIL() << seed << ": " << error.what() << "\n" << text;
    }
  }
}

TEST(ScenarioText, WhatAFuzzerFindsReadsBack) {
  for (std::uint64_t seed = 0; seed < 700; ++seed) {
    program::Dice dice(seed);
    const Program p = program::decode(program::random_bytes(dice, 150));
    const std::string text = scenario_text(p);
    try {
      ASSERT_EQ(load_scenario_text(text, "text"), p) << seed << "\n" << text;
    } catch (const program::InputError& error) {
      FAIL() << seed << ": " << error.what() << "\n" << text;
    }
  }
}

TEST(ScenarioText, ScenariosOfTheLibraryGoThroughTextAndBytesUnchanged) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POLYPATH_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    const Program p = load_scenario_file(entry.path());
    EXPECT_EQ(load_scenario_text(scenario_text(p), "text"), p);
    EXPECT_EQ(program::decode(program::encode(p)), p);
    EXPECT_FALSE(p.name.empty());
    EXPECT_FALSE(p.description.empty()) << "each scenario says what it shows";
    ++count;
  }
  EXPECT_GE(count, 10U);
}

// Unseen characters would make two texts that look alike.
TEST(ScenarioText, CharactersThatNobodySeesAreEscaped) {
  Program p = program::decode({});
  p.name = "a\xE2\x80\xA8z\xC2\xA0z \"\\";  // a line separator, a no-break space
  p = program::canonical(p);
  const std::string text = scenario_text(p);
  EXPECT_TRUE(text.starts_with("name: \"a\\u2028z\\u00A0z \\\"\\\\\"\n")) << text;
  EXPECT_EQ(load_scenario_text(text, "text"), p);
}

TEST(ScenarioText, IsWhatAPersonWouldWrite) {
  const std::string text =
      "name: a load beside a reset\n"
      "topology:\n"
      "  - nvme-subsys,id=subsys0\n"
      "  - nvme,id=nvme0,serial=foo,subsys=subsys0\n"
      "  - nvme-ns,id=ns1,nsid=1,size=1MiB,subsys=subsys0\n"
      "hosts:\n"
      "  - {id: host0, policy: round-robin, paths: [nvme0]}\n"
      "faults:\n"
      "  - reset-hits-peer\n"
      "steps:\n"
      "  - workload: {host: host0, ns: ns1, duration: 5ms, label: load}\n"
      "  - reset: nvme0\n"
      "  - read: {host: host0, ns: ns1, lba: 8, equals: A, expect: {error: EIO}, after: load}\n"
      "  - admin: {controller: nvme0, opcode: identify, nsid: ns1, cdw10: 0x13, expect: {status: 0x4002}}\n"
      "  - expect: {list: {nvme0: [ns1]}}\n"
      "  - wait: 1500us\n";
  EXPECT_EQ(scenario_text(load_scenario_text(text, "text")), text);
}

}  // namespace
}  // namespace polypath::scenario
