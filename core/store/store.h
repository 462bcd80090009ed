// The store: one SQLite file with every run that was kept, its trace and its findings. What is committed
// survives a crash at any later moment. The tables: docs/traces.md, "The store".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "trace/trace.h"

namespace polypath::store {

/// The version that this program writes. Older files are migrated when they are opened, newer ones refused.
inline constexpr int kSchemaVersion = 4;

/// The store cannot do what was asked. One line: the file, what is wrong, what to do.
class StoreError : public std::runtime_error {
 public:
  StoreError(std::string path, const std::string& what)
      : std::runtime_error(path + ": " + what), path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A broken rule, as text: the store outlives the tables of rules that wrote it.
struct StoredFinding {
  std::string rule, scope, area;
  std::uint64_t time_ns = 0;
  std::string controller;
  std::string summary;  ///< one line
  std::string allowed, seen;
  std::string events;  ///< the few events that show it, a line each
  bool operator==(const StoredFinding&) const = default;
};

struct Run {
  std::int64_t id = 0;  ///< given by the store
  std::string created;  ///< given by the store: UTC, "2026-01-31 12:00:00"
  std::string name;
  std::string target = "sim";
  std::string profile;
  std::uint64_t seed = 0;
  std::string verdict;  ///< "pass", "violation", "inconclusive"
  std::string program;  ///< text form; empty for a trace that no program made
  std::uint64_t trace_hash = 0, state_hash = 0;
  std::uint64_t events = 0, commands = 0, virtual_ns = 0;
  std::vector<StoredFinding> findings;
};

/// What is known of a stored trace without reading it.
struct TraceRow {
  std::string source;
  std::uint64_t events = 0, first_ns = 0, last_ns = 0, bytes = 0;
};

/// A whole run of the conformance suite, a row for each case.
struct ConformanceCase {
  std::string id, family, title;
  std::string result;  ///< passed, failed, known, skipped
  std::string reason;  ///< what did not hold, or why it was not asked
  bool operator==(const ConformanceCase&) const = default;
};
struct ConformanceRun {
  std::string target, version, profile;
  std::vector<ConformanceCase> cases;
};

class Store {
 public:
  /// Opens or creates. Throws StoreError for anything that is no store of this or an earlier version.
  static Store open(const std::string& path);
  /// Opens what exists; StoreError when the file is missing.
  static Store open_existing(const std::string& path);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Keeps a run, its findings and its trace (null: none) in one transaction. Returns its id.
  std::int64_t add_run(const Run& run, const trace::Trace* trace);

  /// StoreError when there is no such run.
  Run load_run(std::int64_t id) const;
  trace::Trace load_trace(std::int64_t id) const;
  /// Empty when the run was kept without a trace.
  std::optional<TraceRow> trace_row(std::int64_t id) const;

  /// The latest first, without programs and findings.
  std::vector<Run> list_runs(std::size_t most = 100) const;
  /// A finding by its own number, with the run that it belongs to. StoreError when there is none.
  std::pair<std::int64_t, StoredFinding> load_finding(std::int64_t id) const;
  /// Number of the first finding of that rule in a run, 0 when it has none.
  std::int64_t find_finding(std::int64_t run, const std::string& rule) const;
  /// Numbers of a run's findings, in its order.
  std::vector<std::int64_t> finding_numbers(std::int64_t run) const;
  /// Gives a finding its shape: what a fuzzer tells findings of one rule apart by. Shapes are unique in use,
  /// not by force.
  void set_shape(std::int64_t finding, const std::string& shape);
  /// Every shape given so far with the number of its first finding.
  std::vector<std::pair<std::string, std::int64_t>> shapes() const;
  /// Findings of one rule over all runs, the latest run first.
  std::vector<std::pair<std::int64_t, StoredFinding>> findings_of_rule(const std::string& rule) const;

  /// Keeps a run of the conformance suite. Returns its number, which is one of its own.
  std::int64_t add_conformance(const ConformanceRun& run);
  /// StoreError when there is none.
  ConformanceRun load_conformance(std::int64_t id) const;

  const std::string& path() const;

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  static Store open(const std::string& path, bool create);

  std::unique_ptr<Database> database_;
};

}  // namespace polypath::store
