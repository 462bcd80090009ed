#include "store/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"
#include "trace/blob.h"

namespace polypath::store {
namespace {

constexpr std::int64_t kApplicationId = 0x50505448;  // marks the file as ours, whatever its name

// Integers of 64 bits without sign are stored as SQLite's signed ones with the same bits; hashes as 16 hex
// digits.
constexpr const char* kCreateRuns = R"sql(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created TEXT NOT NULL DEFAULT (datetime('now')),
  name TEXT NOT NULL,
  profile TEXT NOT NULL,
  seed INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  program TEXT NOT NULL,
  trace_hash TEXT NOT NULL,
  events INTEGER NOT NULL,
  commands INTEGER NOT NULL,
  virtual_ns INTEGER NOT NULL,
  target TEXT NOT NULL DEFAULT 'sim',
  state_hash TEXT NOT NULL DEFAULT '0000000000000000'
))sql";
constexpr const char* kCreateTraces = R"sql(
CREATE TABLE traces (
  run INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  events INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  blob BLOB NOT NULL
))sql";
constexpr const char* kCreateFindings = R"sql(
CREATE TABLE findings (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  rule TEXT NOT NULL,
  scope TEXT NOT NULL,
  area TEXT NOT NULL,
  time_ns INTEGER NOT NULL,
  controller TEXT NOT NULL,
  summary TEXT NOT NULL,
  allowed TEXT NOT NULL,
  seen TEXT NOT NULL,
  events TEXT NOT NULL,
  shape TEXT NOT NULL DEFAULT ''
))sql";

constexpr const char* kCreateConformance = R"sql(
CREATE TABLE conformance (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created TEXT NOT NULL DEFAULT (datetime('now')),
  target TEXT NOT NULL,
  version TEXT NOT NULL,
  profile TEXT NOT NULL
))sql";
constexpr const char* kCreateConformanceCases = R"sql(
CREATE TABLE conformance_cases (
  run INTEGER NOT NULL REFERENCES conformance(id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  family TEXT NOT NULL,
  title TEXT NOT NULL,
  result TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, id)
))sql";

struct Table {
  const char* name;
  std::vector<std::string> columns;
};
const std::vector<Table>& tables(int version) {
  static const std::vector<Table> first{
      {"runs",
       {"id", "created", "name", "profile", "seed", "verdict", "program", "trace_hash", "events", "commands",
        "virtual_ns"}},
      {"traces", {"run", "blob"}},
  };
  static const std::vector<Table> second{
      {"runs",
       {"id", "created", "name", "profile", "seed", "verdict", "program", "trace_hash", "events", "commands",
        "virtual_ns", "target", "state_hash"}},
      {"traces", {"run", "source", "events", "first_ns", "last_ns", "blob"}},
      {"findings",
       {"id", "run", "rule", "scope", "area", "time_ns", "controller", "summary", "allowed", "seen",
        "events"}},
  };
  static const std::vector<Table> third = [] {
    auto tables = second;
    tables.back().columns.push_back("shape");
    return tables;
  }();
  static const std::vector<Table> fourth = [] {
    auto tables = third;
    tables.push_back({"conformance", {"id", "created", "target", "version", "profile"}});
    tables.push_back({"conformance_cases", {"run", "id", "family", "title", "result", "reason"}});
    return tables;
  }();
  return version == 1 ? first : version == 2 ? second : version == 3 ? third : fourth;
}

/// Every table of that version must be a table (no view) and have its columns; more are tolerated.
void check_tables(const Connection& connection, int version) {
  for (const Table& table : tables(version)) {
    Statement kind(connection, "SELECT type FROM sqlite_schema WHERE name = ?");
    kind.bind(std::string_view(table.name));
    if (!kind.step() || kind.text(0) != "table") {
      connection.fail(fmt::format(
          "the store has no table '{}'; restore it from a copy or name another file with --db", table.name));
    }
    std::set<std::string> have;
    Statement columns(connection, fmt::format("PRAGMA table_info({})", table.name));
    while (columns.step()) have.insert(columns.text(1));
    for (const auto& column : table.columns) {
      if (!have.contains(column)) {
        connection.fail(
            fmt::format("table '{}' has no column '{}'; restore the store from a copy or name another file "
                        "with --db",
                        table.name, column));
      }
    }
  }
}

void create_conformance(const Connection& connection) {
  connection.execute(kCreateConformance);
  connection.execute(kCreateConformanceCases);
}

void create(const Connection& connection) {
  connection.execute(kCreateRuns);
  connection.execute(kCreateTraces);
  connection.execute(kCreateFindings);
  connection.execute("CREATE INDEX findings_of_run ON findings(run)");
  connection.execute("CREATE INDEX findings_of_rule ON findings(rule)");
  create_conformance(connection);
  connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
}

/// Version 2: findings have a table, runs tell target and state hash, and every trace has an index row, which
/// is made here from the trace itself. A trace that cannot be read keeps its bytes and an empty row.
void migrate_1_to_2(const Connection& connection) {
  connection.execute("ALTER TABLE runs ADD COLUMN target TEXT NOT NULL DEFAULT 'sim'");
  connection.execute("ALTER TABLE runs ADD COLUMN state_hash TEXT NOT NULL DEFAULT '0000000000000000'");
  connection.execute("ALTER TABLE traces RENAME TO traces_1");
  connection.execute(kCreateTraces);
  connection.execute(kCreateFindings);
  connection.execute("CREATE INDEX findings_of_run ON findings(run)");
  connection.execute("CREATE INDEX findings_of_rule ON findings(rule)");
  Statement old(connection, "SELECT run, blob FROM traces_1 WHERE run IN (SELECT id FROM runs)");
  while (old.step()) {
    std::string source;
    std::uint64_t events = 0, first = 0, last = 0;
    try {
      const auto trace = trace::from_blob(old.bytes(1), connection.path());
      source = trace.header.source;
      events = trace.events().size();
      if (events != 0) {
        first = trace.events().front().earliest;
        last = trace.events().back().latest;
      }
    } catch (const trace::ImportError&) {
      source = "";
    }
    Statement row(connection,
                  "INSERT INTO traces(run, source, events, first_ns, last_ns, blob) VALUES(?,?,?,?,?,?)");
    row.bind(old.integer(0)).bind(source).bind(events).bind(first).bind(last).bind(old.bytes(1)).step();
  }
}

}  // namespace

void prepare_schema(const Connection& connection) {
  Transaction transaction(connection);  // two processes may open a new file at once
  const auto application = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  const auto entries = connection.integer("SELECT count(*) FROM sqlite_schema");
  if (application == 0 && version == 0 && entries == 0) {
    create(connection);
  } else {
    if (application != kApplicationId) {
      connection.fail("it is a database of another program; name another file with --db");
    }
    if (version > kSchemaVersion) {
      connection.fail(
          fmt::format("the store has version {}, this polypath reads up to {}; use a newer polypath or name "
                      "another file with --db",
                      version, kSchemaVersion));
    }
    if (version < 1) {
      connection.fail(
          fmt::format("the store has version {}, which never was; restore it from a copy or name another "
                      "file with --db",
                      version));
    }
    check_tables(connection, static_cast<int>(version));
    if (version == 1) {
      migrate_1_to_2(connection);
      connection.execute("DROP TABLE traces_1");
    }
    // Version 3: findings of a fuzzer have a shape. (From version 1 they got it with their table.)
    if (version == 2) connection.execute("ALTER TABLE findings ADD COLUMN shape TEXT NOT NULL DEFAULT ''");
    // Version 4: runs of the conformance suite.
    if (version < 4) create_conformance(connection);
  }
  connection.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  transaction.commit();
}

void insert_trace(const Connection& connection, std::int64_t run, const trace::Trace& trace) {
  const auto blob = trace::to_blob(trace);
  const auto& events = trace.events();
  Statement row(connection,
                "INSERT INTO traces(run, source, events, first_ns, last_ns, blob) VALUES(?,?,?,?,?,?)");
  row.bind(run)
      .bind(trace.header.source)
      .bind(static_cast<std::uint64_t>(events.size()))
      .bind(events.empty() ? std::uint64_t{0} : events.front().earliest)
      .bind(events.empty() ? std::uint64_t{0} : events.back().latest)
      .bind(std::span<const std::byte>(blob))
      .step();
}

}  // namespace polypath::store
