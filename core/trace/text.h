// Traces as people read them: one line per event. Commands and their fields come from the command table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::trace {

/// "   0.000123456  nvme0  q1  submitted   cid 7 read nsid 1 slba 2048 nlb 8". No newline.
std::string event_text(const Trace& trace, const BoundaryEvent& event);
/// The same for an annotation; its kind stands in brackets.
std::string inside_text(const InsideEvent& event);

/// The moment at which an observer wrote the event down. Equal to earliest and latest when time was exact;
/// otherwise what an observer at the host knows: the start of a submission, the end of everything else.
Time recorded_time(const BoundaryEvent& event);

/// "identify nsid 1 cns 0x02": the command of an entry by the table, fields that are 0 left out.
std::string command_text(std::uint16_t queue, const spec::SubmissionEntry& entry);
/// "invalid_field+DNR (0x4002)" for a 15-bit status; "success" for 0.
std::string status_text(std::uint16_t linux_status);
/// "notice ns_attribute_changed log 0x04" for dword 0 of an event's completion.
std::string async_event_text(std::uint32_t dword);
/// Nanoseconds as "12.345678901" seconds.
std::string time_text(Time time);

struct TextOptions {
  bool inside = false;    ///< merge the annotations
  std::size_t first = 0;  ///< boundary event to begin with
  std::size_t count = ~std::size_t{0};
};
/// Lines of a whole trace or of a part of it, each ended by a newline; every boundary event begins with its
/// number.
std::string trace_text(const Trace& trace, const TextOptions& options);

}  // namespace polypath::trace
