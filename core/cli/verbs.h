// The verbs of `polypath`, one file each. A verb adds its options to the application and a callback that sets
// the exit code: 0 clean, 1 a finding, 2 bad input or usage, 3 internal error.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace polypath::cli {

inline constexpr int kClean = 0, kFinding = 1, kBadInput = 2, kInternal = 3;

/// What every verb shares.
struct Session {
  int exit_code = kClean;
  bool json = false;
  std::string db = "polypath.db";
};

void add_run(CLI::App& app, Session& session);
void add_list(CLI::App& app, Session& session);
void add_replay(CLI::App& app, Session& session);
void add_trace(CLI::App& app, Session& session);
void add_check(CLI::App& app, Session& session);
void add_commands(CLI::App& app, Session& session);
void add_rules(CLI::App& app, Session& session);
void add_fuzz(CLI::App& app, Session& session);
void add_mutants(CLI::App& app, Session& session);
void add_minimize(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);
void add_explore(CLI::App& app, Session& session);
void add_conform(CLI::App& app, Session& session);

}  // namespace polypath::cli
