// What `minimize` and `explain` work on: a scenario file, or a run or finding of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "program/program.h"
#include "session_run.h"
#include "store/store.h"

namespace polypath::cli {

struct Subject {
  program::Program program;
  std::string rule;                ///< of the finding that was named, empty when none was
  std::optional<store::Run> kept;  ///< the run that the store had, none for a file
};

/// Is it written like a run or a finding of the store, and no file of that name is there?
bool names_kept_run(const std::string& what);

/// `what`: a scenario file; RUN, a run's number in the store `db`; RUN.K, the K-th finding of that run, from
/// 1; or FK, finding K of the store. Throws InputError, StoreError.
Subject load_subject(const std::string& what, const std::string& db, const Overrides& overrides);

/// Writes a scenario file. Throws InputError when that fails.
void write_scenario(const std::string& path, const program::Program& program);

}  // namespace polypath::cli
