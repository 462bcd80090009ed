// The store keeps what it was given, across versions and crashes.
#include "store/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "../trace/sample.h"
#include "trace/text.h"

namespace polypath::store {
namespace {

namespace fs = std::filesystem;

/// A directory that goes away with the test.
class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (fs::temp_directory_path() / "polypath-store-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~StoreTest() override { fs::remove_all(directory_); }
  std::string file(const std::string& name = "polypath.db") const { return (directory_ / name).string(); }

  static store::Run sample_run() {
    store::Run run;
    run.name = "detach under I/O";
    run.profile = "spec";
    run.seed = ~0ULL;
    run.verdict = "violation";
    run.program = "name: detach under I/O\nsteps: []\n";
    run.trace_hash = 0x0123456789ABCDEF;
    run.state_hash = 0xFEDCBA9876543210;
    run.events = 10;
    run.commands = 1;
    run.virtual_ns = 2800;
    run.findings.push_back({"INV-NS-01", "standard", "Identify, CNS 02h", 2300, "nvme0",
                            "list has a detached namespace", "{}", "{1}", "line one\nline two"});
    run.findings.push_back(
        {"HAZ-01", "hazard", "host", 2700, "", "error though a path was good", "", "", ""});
    return run;
  }
  static void execute(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(handle);
  }

  fs::path directory_;
};

TEST_F(StoreTest, ARunComesBackAsItWasGivenWithItsTraceAndFindings) {
  const store::Run run = sample_run();
  std::int64_t id = 0;
  {
    auto store = Store::open(file());
    const auto trace = trace::sample_trace();
    id = store.add_run(run, &trace);
  }
  const auto store = Store::open_existing(file());
  const store::Run back = store.load_run(id);
  EXPECT_EQ(back.id, id);
  EXPECT_EQ(back.created.size(), 19U);
  EXPECT_EQ(back.name, run.name);
  EXPECT_EQ(back.target, "sim");
  EXPECT_EQ(back.profile, run.profile);
  EXPECT_EQ(back.seed, run.seed);
  EXPECT_EQ(back.verdict, run.verdict);
  EXPECT_EQ(back.program, run.program);
  EXPECT_EQ(back.trace_hash, run.trace_hash);
  EXPECT_EQ(back.state_hash, run.state_hash);
  EXPECT_EQ(back.events, run.events);
  EXPECT_EQ(back.commands, run.commands);
  EXPECT_EQ(back.virtual_ns, run.virtual_ns);
  EXPECT_EQ(back.findings, run.findings);
  EXPECT_EQ(store.load_trace(id), trace::sample_trace());
}

TEST_F(StoreTest, TheIndexRowTellsOfATraceWithoutReadingIt) {
  auto store = Store::open(file());
  const auto trace = trace::sample_trace();
  const auto with = store.add_run(sample_run(), &trace);
  const auto without = store.add_run(sample_run(), nullptr);
  const auto row = store.trace_row(with);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->source, "simulator");
  EXPECT_EQ(row->events, trace.events().size());
  EXPECT_EQ(row->first_ns, 1000U);
  EXPECT_EQ(row->last_ns, 2700U);
  EXPECT_GT(row->bytes, 0U);
  EXPECT_FALSE(store.trace_row(without));
  EXPECT_THROW(store.load_trace(without), StoreError);
}

TEST_F(StoreTest, RunsAreListedLatestFirstAndFindingsByRule) {
  auto store = Store::open(file());
  const auto first = store.add_run(sample_run(), nullptr);
  const auto second = store.add_run(sample_run(), nullptr);
  const auto runs = store.list_runs();
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].id, second);
  EXPECT_EQ(runs[1].id, first);
  EXPECT_EQ(store.list_runs(1).size(), 1U);
  const auto findings = store.findings_of_rule("HAZ-01");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].first, second);
  EXPECT_EQ(findings[0].second.scope, "hazard");
  EXPECT_TRUE(store.findings_of_rule("none").empty());
}

TEST_F(StoreTest, AnUnknownRunIsNamed) {
  auto store = Store::open(file());
  try {
    store.load_run(41);
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("no run 41"), std::string::npos);
  }
}

TEST_F(StoreTest, OpeningWhatMustExistDoesNotCreateIt) {
  EXPECT_THROW(Store::open_existing(file()), StoreError);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(StoreTest, TheDatabaseIsInWalModeSoThatReadersNeverWait) {
  auto writer = Store::open(file());
  const auto id = writer.add_run(sample_run(), nullptr);
  auto reader = Store::open_existing(file());
  EXPECT_EQ(reader.list_runs().size(), 1U);
  writer.add_run(sample_run(), nullptr);
  EXPECT_EQ(reader.list_runs().size(), 2U);
  EXPECT_EQ(reader.load_run(id).name, "detach under I/O");
  EXPECT_TRUE(fs::exists(file() + "-wal"));
}

TEST_F(StoreTest, AConformanceRunKeepsARowForEachCase) {
  auto store = Store::open(file());
  const store::ConformanceRun run{
      "qemu",
      "7.2.22",
      "spec",
      {{"Q-001", "queues", "wraps", "passed", ""}, {"A-002", "admin", "is", "failed", "not"}}};
  EXPECT_EQ(store.add_conformance(run), 1);
  const auto again = store.load_conformance(1);
  EXPECT_EQ(again.version, "7.2.22");
  EXPECT_EQ(again.cases, run.cases);
  EXPECT_THROW(store.load_conformance(2), StoreError);
}

TEST_F(StoreTest, AFileOfVersion3GetsTheTablesOfTheConformanceSuite) {
  Store::open(file());
  execute(file(), "DROP TABLE conformance; DROP TABLE conformance_cases; PRAGMA user_version = 3;");
  EXPECT_EQ(Store::open(file()).add_conformance({"sim", "0.1.0", "spec", {}}), 1);
}

TEST_F(StoreTest, AFileOfVersion1IsMigratedAndItsTracesGetIndexRows) {
  std::ifstream sql(POLYPATH_SOURCE_DIR "/tests/unit/store/version1.sql");
  std::stringstream text;
  text << sql.rdbuf();
  execute(file(), text.str());
  {
    auto store = Store::open(file());
    const store::Run run = store.load_run(1);
    EXPECT_EQ(run.created, "2026-01-02 03:04:05");
    EXPECT_EQ(run.seed, ~0ULL);
    EXPECT_EQ(run.target, "sim");
    EXPECT_EQ(run.state_hash, 0U);
    EXPECT_EQ(run.program, "name: seed\n");
    EXPECT_TRUE(run.findings.empty());
    EXPECT_EQ(store.load_trace(1), trace::sample_trace());
    EXPECT_EQ(run.trace_hash, trace::sample_trace().hash());
    const auto row = store.trace_row(1);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->events, 10U);
    EXPECT_EQ(row->last_ns, 2700U);
    // What version 1 could not read either is still there, and still said to be damaged.
    EXPECT_EQ(store.trace_row(2)->events, 0U);
    EXPECT_EQ(store.trace_row(2)->bytes, 4U);
    EXPECT_THROW(store.load_trace(2), StoreError);
    EXPECT_EQ(store.add_run(sample_run(), nullptr), 3);
  }
  const auto again = Store::open(file());  // and it is a file of this version now
  EXPECT_EQ(again.list_runs().size(), 3U);
  EXPECT_EQ(again.load_run(3).findings.size(), 2U);
}

TEST_F(StoreTest, AMigrationThatFailsLeavesTheFileAsItWas) {
  std::ifstream sql(POLYPATH_SOURCE_DIR "/tests/unit/store/version1.sql");
  std::stringstream text;
  text << sql.rdbuf();
  execute(file(), text.str() + "CREATE TABLE findings(in_the_way TEXT);");
  EXPECT_THROW(Store::open(file()), StoreError);
  execute(file(), "DROP TABLE findings;");
  EXPECT_EQ(Store::open(file()).list_runs().size(), 2U);
}

TEST_F(StoreTest, ANewerFileIsRefusedAndSaysWhatToDo) {
  Store::open(file());
  execute(file(), "PRAGMA user_version = 5;");
  try {
    Store::open(file());
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_EQ(std::string(error.what()),
              file() +
                  ": the store has version 5, this polypath reads up to 4; use a newer "
                  "polypath or name another file with --db");
  }
}

TEST_F(StoreTest, TriggersOfAHostileFileDoNotRun) {
  Store::open(file());
  execute(file(), "CREATE TRIGGER eat AFTER INSERT ON runs BEGIN DELETE FROM runs; END;");
  auto store = Store::open(file());
  store.add_run(sample_run(), nullptr);
  EXPECT_EQ(store.list_runs().size(), 1U);
}

TEST_F(StoreTest, AKilledWriterLosesNoRunThatWasCommitted) {
  Store::open(file());
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // adds runs and tells each committed one until it is killed
      close(pipe_ends[0]);
      auto store = Store::open(file());
      const auto trace = trace::sample_trace();
      while (true) {
        const std::int64_t id = store.add_run(sample_run(), &trace);
        if (write(pipe_ends[1], &id, sizeof id) != sizeof id) _exit(0);
      }
    }
    close(pipe_ends[1]);
    std::int64_t last = 0, id = 0;
    const int wanted = 3 + 4 * round;  // another moment each time
    for (int count = 0; count < wanted && read(pipe_ends[0], &id, sizeof id) == sizeof id; ++count) last = id;
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &id, sizeof id) == sizeof id) last = id;
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);
    ASSERT_GT(last, 0);
    auto store = Store::open(file());
    const auto trace = trace::sample_trace();
    for (std::int64_t k = 1; k <= last; ++k) {
      ASSERT_EQ(store.load_run(k).findings.size(), 2U) << k;
      ASSERT_EQ(store.load_trace(k), trace) << k;
    }
    // A run that was not told may be there, but then it is whole.
    const auto newest = store.list_runs(1).front().id;
    EXPECT_EQ(store.load_trace(newest), trace);
  }
}

}  // namespace
}  // namespace polypath::store
