// Hostile and mistaken input: one line that names file, line and column, and what to do; never a crash, never
// a hang.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "scenario/scenario.h"

namespace polypath::scenario {
namespace {

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "FILE:LINE:COLUMN: text; text", one line.
void expect_helpful(const std::string& message, const std::string& file) {
  EXPECT_TRUE(message.starts_with(file + ":")) << message;
  const std::string rest = message.substr(std::min(message.size(), file.size() + 1));
  std::size_t digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
  EXPECT_GT(digits, 0U) << message;
  EXPECT_EQ(rest.substr(digits, 1), ":") << message;
  EXPECT_EQ(message.find_first_of("\n\r\x1b"), std::string::npos) << message;
  EXPECT_NE(message.find("; "), std::string::npos) << "no remedy: " << message;
  EXPECT_LT(message.size(), 2000U) << message;
}

std::string scenario_error(const std::string& text) {
  try {
    load_scenario_text(text, "x.yaml");
  } catch (const program::InputError& error) {
    return error.what();
  }
  return {};
}

TEST(BadScenarios, EveryFileGivesOneHelpfulLine) {
  const auto files = files_in(POLYPATH_TEST_DATA "/bad/scenario");
  EXPECT_GE(files.size(), 25U);
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    try {
      load_scenario_file(file);
      ADD_FAILURE() << "was accepted";
    } catch (const program::InputError& error) {
      expect_helpful(error.what(), file);
    }
  }
}

TEST(BadTopologies, EveryFileGivesOneHelpfulLine) {
  const auto files = files_in(POLYPATH_TEST_DATA "/bad/topology");
  EXPECT_GE(files.size(), 12U);
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    program::TopologyOptions options;
    options.source = file;
    try {
      program::parse_qemu_args(content(file), options, nullptr);
      ADD_FAILURE() << "was accepted";
    } catch (const program::InputError& error) {
      expect_helpful(error.what(), file);
    }
  }
}

TEST(BadScenarios, FilesThatAreNoneSaySo) {
  for (const std::string path : {"/no/such/scenario.yaml", "/", "/dev/null"}) {
    try {
      load_scenario_file(path);
      ADD_FAILURE() << path;
    } catch (const program::InputError& error) {
      expect_helpful(error.what(), path);
    }
  }
}

TEST(BadScenarios, EveryTruncationOfAScenarioIsAcceptedOrExplained) {
  const std::string text = content(POLYPATH_SOURCE_DIR "/scenarios/detach_under_io.yaml");
  ASSERT_FALSE(text.empty());
  for (std::size_t length = 0; length < text.size(); length += 3) {
    const std::string message = scenario_error(text.substr(0, length));
    if (!message.empty()) expect_helpful(message, "x.yaml");
  }
}

TEST(BadScenarios, EveryChangedByteIsAcceptedOrExplained) {
  const std::string text = content(POLYPATH_SOURCE_DIR "/scenarios/raw_driver.yaml");
  ASSERT_FALSE(text.empty());
  const char kHostile[] = {'{', '[', '"', '\'', ':', ',',  '-',  '&',  '*',    '!',
                           '|', '>', '%', '@',  '#', '\n', '\t', '\0', '\xff', '?'};
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::string changed = text;
    changed[i] = kHostile[i / 2 % sizeof kHostile];
    const std::string message = scenario_error(changed);
    if (!message.empty()) expect_helpful(message, "x.yaml");
  }
}

std::string repeated(const std::string& piece, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

// The limits themselves, not only some error further on.
TEST(BadScenarios, EachLimitSaysItsOwnName) {
  const std::string start = "topology:\n  - nvme,id=nvme0,serial=x\nsteps:\n";
  const struct {
    std::string text, part;
  } cases[] = {
      {"[" + repeated("a,", 1'100'000) + "]", "bracketed collection is too long"},
      {repeated("[", 65), "too many open brackets"},
      {start + "  " + repeated("- ", 70) + "x", "nested deeper than 32"},
      {std::string((16U << 20U) + 1, '#'), "more than 16 MiB"},
      {start + "  - wait: &a 1ms", "anchors (&name) are not allowed"},
      {start + "  - wait: !x 1ms", "are not allowed"},
      {start + "  - wait: *a", "anchor"},
      {"a: \"\\0\"", "NUL character"},
      {"a: \xED\xA0\x80", "no UTF-8"},  // a surrogate
      {"a: \xC0\x80", "no UTF-8"},      // an overlong NUL
      {"name: " + std::string(201, 'x') + "\n" + start, "200 are the limit"},
  };
  for (const auto& one : cases) {
    const std::string message = scenario_error(one.text);
    EXPECT_NE(message.find(one.part), std::string::npos) << message;
    expect_helpful(message, "x.yaml");
  }
  // What is just within the limits is read.
  EXPECT_EQ(scenario_error(start + "  - write: {}").find("nested"), std::string::npos);
  EXPECT_EQ(scenario_error(repeated("[", 31) + repeated("]", 31)).find("nested"), std::string::npos);
}

// What would cost the parser memory or time out of proportion. Megabytes, so that anything worse than linear
// shows.
TEST(BadScenarios, BombsAreDefused) {
  constexpr std::size_t kMegabyte = 1U << 20U;
  const std::string start = "topology:\n  - nvme,id=nvme0,serial=x\nsteps:\n";
  for (const std::string& text :
       {repeated("[", kMegabyte), repeated("{a: ", kMegabyte), start + "  " + repeated("- ", kMegabyte),
        start + repeated("? ", kMegabyte), "[" + repeated("a,", 2 * kMegabyte) + "]",
        repeated("&a ", kMegabyte), repeated("!a ", kMegabyte), repeated("--- a\n", kMegabyte),
        repeated(",", kMegabyte), repeated("\t", kMegabyte), repeated("\n", kMegabyte),
        repeated("%A b\n", kMegabyte), "name: \"" + repeated("\\n", kMegabyte) + "\"",
        "name: '" + repeated("''", kMegabyte), "name: |\n" + repeated("  x\n", kMegabyte),
        repeated("a: b\n", kMegabyte), repeated("#", kMegabyte), "name: " + repeated("x ", kMegabyte),
        start + "  - wait: " + repeated("9", kMegabyte)}) {
    const std::string message = scenario_error(text);
    EXPECT_FALSE(message.empty()) << text.substr(0, 40);
    expect_helpful(message, "x.yaml");
  }
  expect_helpful(scenario_error(std::string((16U << 20U) + 1, ' ')), "x.yaml");
}

}  // namespace
}  // namespace polypath::scenario
