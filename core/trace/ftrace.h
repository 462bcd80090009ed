// Imports what Linux's tracer prints (/sys/kernel/tracing/trace) of the events nvme:nvme_setup_cmd,
// nvme_complete_rq, nvme_async_event and nvme_sq. What is read of each line, and what is not: docs/traces.md.
#pragma once

#include <string>
#include <string_view>

#include "trace/import_error.h"
#include "trace/recording.h"

namespace polypath::trace {

/// Reads a .txt or .txt.gz file. Throws ImportError naming file and line.
Recording read_ftrace(const std::string& path);

/// The same for text in memory; `name` is for messages.
Recording parse_ftrace(std::string_view text, const std::string& name);

}  // namespace polypath::trace
