// Asynchronous events: why they come, to whom, and when they must.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// What became of a change that may have concerned a controller's active list.
enum class Cause : std::uint8_t { none, maybe, sure };

/// A command submitted at `from` may change what this controller has of a namespace. `own_delete`: a delete
/// on the controller's own Admin queue, which is no cause of an event there.
void begin_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from, bool own_delete);
void end_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from, Cause cause,
               bool own_delete);
bool has_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from);

/// An Asynchronous Event Request was submitted.
void request_came(const Scene& scene);
/// One ended.
void request_gone(const Scene& scene);
/// An event was reported: completion dword 0, and when the request that brought it was submitted (0: not
/// known).
void report_event(const Scene& scene, std::uint32_t dword, Seq requested);
/// Some event may have been reported: which of several commands of one CID completed is not known.
void doubt_events(const Scene& scene);
/// The same, seen without its completion.
void on_async_event(const Scene& scene);

/// After a Controller Level Reset: nothing is pending, nothing is masked.
void reset_events(const Scene& scene);
/// Events that never came, at the end of the trace.
void finish_events(const Scene& scene);

}  // namespace polypath::model
