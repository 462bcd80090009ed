// Every file of tests/data/bad/recording is refused with one line that says where and what to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "trace/ftrace.h"
#include "trace/inflate.h"

namespace polypath::trace {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> bad_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(POLYPATH_TEST_DATA "/bad/recording")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(BadRecordings, ThereAreEnoughOfThem) { EXPECT_GE(bad_files().size(), 30U); }

class BadRecordingTest : public testing::TestWithParam<std::string> {};

TEST_P(BadRecordingTest, IsRefusedWithOneLineThatNamesThePlaceAndTheRemedy) {
  const std::string& path = GetParam();
  try {
    read_ftrace(path);
    FAIL() << path << " was accepted";
  } catch (const ImportError& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.starts_with(path)) << text;
    EXPECT_TRUE(error.where().starts_with(path)) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_LT(text.size(), path.size() + 300) << text;
    // Errors inside the text name the line; those of the whole file do not.
    const auto name = fs::path(path).filename().string();
    constexpr const char* kWholeFile[] = {"empty.txt", "only_comments.txt", "other_text.txt",
                                          "json.txt",  "random_bytes.txt",  "no_nvme_events.txt"};
    const bool whole = name.ends_with(".gz") ||
                       std::find(std::begin(kWholeFile), std::end(kWholeFile), name) != std::end(kWholeFile);
    if (!whole) {
      EXPECT_GT(error.where().size(), path.size() + 1) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, BadRecordingTest, testing::ValuesIn(bad_files()), [](const auto& file) {
  std::string name = fs::path(file.param).filename().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(BadRecordings, AFileThatDoesNotExistOrIsADirectoryIsNamed) {
  EXPECT_THROW(read_ftrace("/nonexistent/trace.txt"), ImportError);
  EXPECT_THROW(read_ftrace(POLYPATH_TEST_DATA), ImportError);
}

TEST(BadRecordings, TextBeyondTheLimitIsRefusedCompressedOrNot) {
  EXPECT_THROW(inflate_text(std::string(101, 'x'), "x", 100), ImportError);
  EXPECT_EQ(inflate_text(std::string(100, 'x'), "x", 100).size(), 100U);
}

}  // namespace
}  // namespace polypath::trace
