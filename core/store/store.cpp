#include "store/store.h"

#include <fmt/format.h>

#include <charconv>

#include "store/schema.h"
#include "store/sqlite.h"
#include "trace/blob.h"

namespace polypath::store {
namespace {

std::string hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

/// 0 when the text is no hash: it is for comparison only.
std::uint64_t from_hex(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

constexpr const char* kRunColumns =
    "id, created, name, target, profile, seed, verdict, trace_hash, state_hash, events, commands, virtual_ns";

Run read_run(const Statement& row) {
  Run run;
  run.id = row.integer(0);
  run.created = row.text(1);
  run.name = row.text(2);
  run.target = row.text(3);
  run.profile = row.text(4);
  run.seed = row.natural(5);
  run.verdict = row.text(6);
  run.trace_hash = from_hex(row.text(7));
  run.state_hash = from_hex(row.text(8));
  run.events = row.natural(9);
  run.commands = row.natural(10);
  run.virtual_ns = row.natural(11);
  return run;
}

constexpr const char* kFindingColumns =
    "rule, scope, area, time_ns, controller, summary, allowed, seen, events";

StoredFinding read_finding(const Statement& row, int first) {
  StoredFinding finding;
  finding.rule = row.text(first);
  finding.scope = row.text(first + 1);
  finding.area = row.text(first + 2);
  finding.time_ns = row.natural(first + 3);
  finding.controller = row.text(first + 4);
  finding.summary = row.text(first + 5);
  finding.allowed = row.text(first + 6);
  finding.seen = row.text(first + 7);
  finding.events = row.text(first + 8);
  return finding;
}

}  // namespace

struct Store::Database {
  Connection connection;
};

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const std::string& Store::path() const { return database_->connection.path(); }

Store Store::open(const std::string& path, bool create) {
  Store store(std::make_unique<Database>(Database{Connection(path, create)}));
  const Connection& connection = store.database_->connection;
  prepare_schema(connection);
  // Readers never wait for a writer, and FULL makes a commit durable before add_run returns.
  connection.execute("PRAGMA journal_mode = WAL");
  connection.execute("PRAGMA synchronous = FULL");
  return store;
}

Store Store::open(const std::string& path) { return open(path, true); }
Store Store::open_existing(const std::string& path) { return open(path, false); }

std::int64_t Store::add_run(const Run& run, const trace::Trace* trace) {
  const Connection& connection = database_->connection;
  Transaction transaction(connection);
  const std::string trace_hash = hex(run.trace_hash), state_hash = hex(run.state_hash);
  Statement row(
      connection,
      "INSERT INTO runs(name, target, profile, seed, verdict, program, trace_hash, state_hash, events, "
      "commands, virtual_ns) VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  row.bind(run.name).bind(run.target).bind(run.profile).bind(run.seed).bind(run.verdict).bind(run.program);
  row.bind(trace_hash).bind(state_hash).bind(run.events).bind(run.commands).bind(run.virtual_ns).step();
  const auto id = connection.last_row();
  for (const StoredFinding& finding : run.findings) {
    Statement insert(
        connection,
        "INSERT INTO findings(run, rule, scope, area, time_ns, controller, summary, allowed, seen, events) "
        "VALUES(?,?,?,?,?,?,?,?,?,?)");
    insert.bind(id).bind(finding.rule).bind(finding.scope).bind(finding.area).bind(finding.time_ns);
    insert.bind(finding.controller).bind(finding.summary).bind(finding.allowed).bind(finding.seen);
    insert.bind(finding.events).step();
  }
  if (trace != nullptr) insert_trace(connection, id, *trace);
  transaction.commit();
  return id;
}

Run Store::load_run(std::int64_t id) const {
  const Connection& connection = database_->connection;
  Statement row(connection, fmt::format("SELECT {}, program FROM runs WHERE id = ?", kRunColumns));
  if (!row.bind(id).step()) {
    connection.fail(fmt::format("has no run {}; give the number that `polypath run` printed", id));
  }
  Run run = read_run(row);
  run.program = row.text(12);
  Statement findings(connection,
                     fmt::format("SELECT {} FROM findings WHERE run = ? ORDER BY id", kFindingColumns));
  findings.bind(id);
  while (findings.step()) run.findings.push_back(read_finding(findings, 0));
  return run;
}

trace::Trace Store::load_trace(std::int64_t id) const {
  const Connection& connection = database_->connection;
  Statement row(connection, "SELECT blob FROM traces WHERE run = ?");
  if (!row.bind(id).step())
    connection.fail(fmt::format("has no trace of run {}; run it again and keep the trace", id));
  try {
    return trace::from_blob(row.bytes(0), fmt::format("run {}", id));
  } catch (const trace::ImportError& error) {
    connection.fail(error.what());
  }
}

std::optional<TraceRow> Store::trace_row(std::int64_t id) const {
  Statement row(database_->connection,
                "SELECT source, events, first_ns, last_ns, length(blob) FROM traces WHERE run = ?");
  if (!row.bind(id).step()) return std::nullopt;
  return TraceRow{row.text(0), row.natural(1), row.natural(2), row.natural(3), row.natural(4)};
}

std::vector<Run> Store::list_runs(std::size_t most) const {
  Statement rows(database_->connection,
                 fmt::format("SELECT {} FROM runs ORDER BY id DESC LIMIT ?", kRunColumns));
  rows.bind(static_cast<std::uint64_t>(most));
  std::vector<Run> runs;
  while (rows.step()) runs.push_back(read_run(rows));
  return runs;
}

std::pair<std::int64_t, StoredFinding> Store::load_finding(std::int64_t id) const {
  const Connection& connection = database_->connection;
  Statement row(connection, fmt::format("SELECT run, {} FROM findings WHERE id = ?", kFindingColumns));
  if (!row.bind(id).step()) {
    connection.fail(fmt::format("has no finding {}; give the number that `polypath fuzz` printed", id));
  }
  return {row.integer(0), read_finding(row, 1)};
}

std::int64_t Store::find_finding(std::int64_t run, const std::string& rule) const {
  Statement row(database_->connection, "SELECT min(id) FROM findings WHERE run = ? AND rule = ?");
  return row.bind(run).bind(rule).step() ? row.integer(0) : 0;
}

std::vector<std::int64_t> Store::finding_numbers(std::int64_t run) const {
  Statement rows(database_->connection, "SELECT id FROM findings WHERE run = ? ORDER BY id");
  rows.bind(run);
  std::vector<std::int64_t> out;
  while (rows.step()) out.push_back(rows.integer(0));
  return out;
}

void Store::set_shape(std::int64_t finding, const std::string& shape) {
  Statement update(database_->connection, "UPDATE findings SET shape = ? WHERE id = ?");
  update.bind(shape).bind(finding).step();
}

std::vector<std::pair<std::string, std::int64_t>> Store::shapes() const {
  Statement rows(database_->connection,
                 "SELECT shape, min(id) FROM findings WHERE shape <> '' GROUP BY shape ORDER BY shape");
  std::vector<std::pair<std::string, std::int64_t>> out;
  while (rows.step()) out.emplace_back(rows.text(0), rows.integer(1));
  return out;
}

std::vector<std::pair<std::int64_t, StoredFinding>> Store::findings_of_rule(const std::string& rule) const {
  Statement rows(
      database_->connection,
      fmt::format("SELECT run, {} FROM findings WHERE rule = ? ORDER BY run DESC, id", kFindingColumns));
  rows.bind(rule);
  std::vector<std::pair<std::int64_t, StoredFinding>> out;
  while (rows.step()) out.emplace_back(rows.integer(0), read_finding(rows, 1));
  return out;
}

std::int64_t Store::add_conformance(const ConformanceRun& run) {
  const Connection& connection = database_->connection;
  Transaction transaction(connection);
  Statement row(connection, "INSERT INTO conformance(target, version, profile) VALUES(?,?,?)");
  row.bind(run.target).bind(run.version).bind(run.profile).step();
  const auto id = connection.last_row();
  for (const ConformanceCase& one : run.cases) {
    Statement insert(connection,
                     "INSERT INTO conformance_cases(run, id, family, title, result, reason) "
                     "VALUES(?,?,?,?,?,?)");
    insert.bind(id).bind(one.id).bind(one.family).bind(one.title).bind(one.result).bind(one.reason).step();
  }
  transaction.commit();
  return id;
}

ConformanceRun Store::load_conformance(std::int64_t id) const {
  const Connection& connection = database_->connection;
  Statement row(connection, "SELECT target, version, profile FROM conformance WHERE id = ?");
  if (!row.bind(id).step()) {
    connection.fail(
        fmt::format("has no conformance run {}; give the number that `polypath conform` printed", id));
  }
  ConformanceRun run{row.text(0), row.text(1), row.text(2), {}};
  Statement cases(
      connection,
      "SELECT id, family, title, result, reason FROM conformance_cases WHERE run = ? ORDER BY rowid");
  cases.bind(id);
  while (cases.step())
    run.cases.push_back({cases.text(0), cases.text(1), cases.text(2), cases.text(3), cases.text(4)});
  return run;
}

}  // namespace polypath::store
