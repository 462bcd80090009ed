// The topology that a recording implies.
#pragma once

#include "program/topology.h"
#include "trace/inferred.h"
#include "trace/recording.h"

namespace polypath::replay {

/// Controllers in the recording's order; namespaces as large as the highest block seen, rounded up to MiB.
/// Appends to `sentences` what was concluded.
program::Topology make_topology(const trace::Recording& recording, const trace::InferredTopology& inferred,
                                std::vector<std::string>& sentences);

}  // namespace polypath::replay
