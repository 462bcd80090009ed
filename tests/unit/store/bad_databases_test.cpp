// Every file of tests/data/bad/database gives one clear error, when it is opened or when what it holds is
// read.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "store/store.h"

namespace polypath::store {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> bad_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(POLYPATH_TEST_DATA "/bad/database")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(BadDatabases, ThereAreEnoughOfThem) { EXPECT_GE(bad_files().size(), 15U); }

class BadDatabaseTest : public testing::TestWithParam<std::string> {};

TEST_P(BadDatabaseTest, GivesOneLineThatNamesTheFileAndTheRemedy) {
  // SQLite writes beside the file it opens, so a copy is opened.
  std::string pattern = (fs::temp_directory_path() / "polypath-bad-XXXXXX").string();
  const fs::path directory = mkdtemp(pattern.data());
  const fs::path path = directory / fs::path(GetParam()).filename();
  fs::copy_file(GetParam(), path);
  try {
    auto store = Store::open_existing(path.string());
    for (const auto& run : store.list_runs()) {
      store.load_run(run.id);
      store.load_trace(run.id);
    }
    ADD_FAILURE() << path << " was accepted";
  } catch (const StoreError& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.starts_with(path.string() + ": ")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_NE(text.find(';'), std::string::npos) << "no remedy: " << text;
  }
  fs::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(Files, BadDatabaseTest, testing::ValuesIn(bad_files()), [](const auto& file) {
  std::string name = fs::path(file.param).filename().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(BadDatabases, ADirectoryAndAMissingDirectoryAreNamed) {
  EXPECT_THROW(Store::open(POLYPATH_TEST_DATA), StoreError);
  EXPECT_THROW(Store::open("/nonexistent/polypath.db"), StoreError);
}

}  // namespace
}  // namespace polypath::store
