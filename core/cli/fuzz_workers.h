// Fuzzing in worker processes: a worker that crashes or hangs is a finding with its input kept, and another
// one takes its place. Shared by `fuzz` and `mutants score`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/loop.h"

namespace polypath::cli {

struct FuzzWork {
  fuzz::ArenaOptions arena;
  std::uint64_t seed = 0;
  std::optional<std::uint8_t> latitude;  ///< of every move, see fuzz::set_latitude
  unsigned jobs = 1;
  double seconds = 0;      ///< 0: no bound
  std::uint64_t runs = 0;  ///< of all workers together, 0: no bound
  std::vector<fuzz::Input> corpus;
};

struct FuzzTotals {
  std::uint64_t runs = 0, steps = 0, violations = 0;
  std::size_t states = 0, corpus = 0;  ///< of the worker that has seen most
  double seconds = 0;
};

struct FuzzCalls {
  /// Something new; `rule` is CRASH or HANG for a worker that died. True: enough.
  std::function<bool(const fuzz::Found&, const FuzzTotals&)> found;
  std::function<void(const fuzz::Input&)> kept;     ///< an input that reached a new state
  std::function<void(const FuzzTotals&)> progress;  ///< some four times a second
};

/// Works until a bound is reached, `found` says enough, or a signal asks for the end (interrupted() is then
/// true). Every worker is gone when it returns.
FuzzTotals fuzz_in_workers(const FuzzWork& work, const FuzzCalls& calls);

/// SIGINT or SIGTERM came during a fuzz_in_workers of this process.
bool interrupted();

}  // namespace polypath::cli
