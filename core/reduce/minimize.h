// Delta debugging of programs: the smallest one that was found which still breaks the same rule. Steps keep
// their ids, so decisions that are keyed by them stay as they were. Deterministic. docs/explaining.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "program/program.h"
#include "reduce/trial.h"

namespace polypath::reduce {

struct Size {
  std::size_t steps = 0, operands = 0, controllers = 0, namespaces = 0, hosts = 0;
  std::size_t free_steps = 0;  ///< with a latitude
  std::size_t overrides = 0, faults = 0;
  bool operator==(const Size&) const = default;
};
Size size_of(const program::Program& program);

struct Options {
  std::string rule;               ///< to keep; empty: of the first violation
  std::uint64_t trials = 20'000;  ///< most runs
};

struct Minimized {
  program::Program program;
  Broken broken;  ///< by `program`
  Size before, after;
  std::uint64_t trials = 0;
  bool finished = false;  ///< false: stopped by the number of trials
};

/// Called now and then with runs so far and steps left.
using Progress = std::function<void(std::uint64_t trials, std::size_t steps)>;

/// Throws program::InputError when the program breaks no rule (or not the one wanted), or cannot run.
Minimized minimize(const program::Program& program, const Options& options = {},
                   const Progress& progress = {});

}  // namespace polypath::reduce
