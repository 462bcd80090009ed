// What came before what in a trace, and why: the edges of its happens-before graph.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "trace/trace.h"

namespace polypath::check {

enum class Why : std::uint8_t {
  queue_order,  ///< entries of one queue, in its order
  submission,   ///< doorbell after entry, fetch after doorbell
  processing,   ///< fetch, transfers, completion entry of one command
  completion,   ///< interrupt and acknowledgement after the entry
  request,      ///< an application's request, its commands, its end
  life,         ///< registers that enable, disable, shut down; what a reset lost and what came after it
  attachment,   ///< a change of namespaces, and what was asked of them afterwards
  event,        ///< a change of namespaces, and the event that told of it
  data          ///< a write, and a command that met its blocks
};
std::string_view why_name(Why why);

struct Edge {
  std::uint64_t from = 0, to = 0;  ///< numbers of boundary events, from < to
  Why why{};
};

struct Causes {
  std::vector<Edge> edges;
  /// By event: the submission of the command that it belongs to, its own number where there is none.
  std::vector<std::uint64_t> command;
};

/// In one pass over the trace.
Causes causes_of(const trace::Trace& trace);

}  // namespace polypath::check
