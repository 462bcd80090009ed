// From a recording to a program: each recorded command goes to the same controller and queue at its recorded
// moment. Set-up, queues and event requests that nobody recorded are synthesized, and said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/time.h"
#include "program/program.h"
#include "program/topology.h"
#include "trace/recording.h"

namespace polypath::replay {

struct ReplayOptions {
  std::optional<program::Topology> topology;  ///< empty: inferred from the recording
  std::string profile = "qemu-2021";
  std::uint64_t seed = 0;
  std::vector<std::string> faults;  ///< planted faults of the simulated device
};

/// A recorded command that is not sent as it was, and why.
struct NotReplayed {
  std::size_t command = 0;  ///< index in Recording::commands
  std::string reason;
};

struct Stimulus {
  program::Program program;
  std::vector<std::uint32_t> step_of_command;  ///< step id by recorded command, 0 when it is not replayed
  std::map<std::uint32_t, std::size_t> command_of_step;
  std::vector<std::uint16_t> controller_of;  ///< recorded controller to the topology's
  std::vector<NotReplayed> not_replayed;     ///< ascending by command
  std::vector<std::string> inferences;       ///< sentences: what was concluded and what was added
  engine::Time begin = 0;                    ///< virtual time of the recording's first moment
};

/// Throws program::InputError when the topology lacks a recorded controller.
Stimulus make_stimulus(const trace::Recording& recording, const ReplayOptions& options);

}  // namespace polypath::replay
