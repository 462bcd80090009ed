// Replays a recording on the simulator and compares. The recording itself can be judged without this: see
// trace/partial.h.
#pragma once

#include <cstdint>
#include <string>

#include "program/program.h"
#include "replay/compare.h"
#include "replay/stimulus.h"
#include "trace/recording.h"
#include "trace/trace.h"

namespace polypath::replay {

struct Replay {
  program::Program program;
  trace::Trace trace;  ///< of the simulated run
  std::uint64_t trace_hash = 0, state_hash = 0;
  engine::Time virtual_ns = 0;
  ReplayResult result;
};

/// Throws program::InputError when topology, profile and recording do not fit each other.
Replay run(const trace::Recording& recording, const ReplayOptions& options);

/// The recording as a partially observed trace, with what the options' topology tells (or what is inferred).
trace::Trace observed_trace(const trace::Recording& recording, const ReplayOptions& options);

/// The summary as a person reads it: counts, differences, what was inferred.
std::string summary_text(const trace::Recording& recording, const ReplayResult& result);
/// One JSON document (docs/traces.md names its members).
std::string summary_json(const trace::Recording& recording, const ReplayResult& result);

}  // namespace polypath::replay
