// What `minimize` and `explain` work on: a scenario file, or a run or finding of the store.
#pragma once

#include <cstdint>
#include <string>

#include "program/program.h"
#include "session_run.h"

namespace polypath::cli {

struct Subject {
  program::Program program;
  std::string rule;      ///< of the finding that was named, empty when none was
  std::int64_t run = 0;  ///< of the store, 0: a file
};

/// `what`: a scenario file; RUN, a run's number in the store `db`; or RUN.K, the K-th finding of that run,
/// from
/// 1. Throws InputError, StoreError.
Subject load_subject(const std::string& what, const std::string& db, const Overrides& overrides);

/// Writes a scenario file. Throws InputError when that fails.
void write_scenario(const std::string& path, const program::Program& program);

}  // namespace polypath::cli
