#include "trace/partial.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "trace/import_error.h"

namespace polypath::trace {
namespace {

using engine::Time;

constexpr std::uint32_t kObserved =
    observed::submissions | observed::completions | observed::async_events | observed::applications;
constexpr std::uint16_t kRetriesMax = 5;  // Linux: nvme_core.max_retries

/// What makes an application request the same one when the host sends it again down another path.
using RequestKey = std::tuple<std::uint32_t, std::uint32_t, std::uint8_t, std::uint64_t, std::uint32_t>;

struct Request {
  std::uint32_t id = 0;
  std::uint32_t subsystem = 0;
};

/// One thing to write into the trace; the line keeps what happened at one moment in the recording's own
/// order.
struct Moment {
  Time time = 0;
  std::uint32_t line = 0;
  enum class Kind : std::uint8_t { submitted, completed, async_event } kind = Kind::submitted;
  std::size_t index = 0;
};

TraceHeader seen_header(const Recording& recording) {
  const auto topology = infer_topology(recording, infer_attachments(recording));
  TraceHeader header;
  for (std::uint32_t i = 0; i < topology.subsystems; ++i) header.subsystems.push_back("");
  for (std::size_t i = 0; i < recording.controllers.size(); ++i) {
    ControllerHeader controller;
    controller.name = recording.controllers[i].name;
    controller.subsystem = topology.subsystem_of[i];
    header.controllers.push_back(std::move(controller));
  }
  for (const auto& seen : topology.namespaces) {
    NamespaceHeader ns;
    ns.subsystem = seen.subsystem;
    ns.nsid = seen.nsid;
    ns.attached = seen.attached_at_start;
    header.namespaces.push_back(std::move(ns));
  }
  return header;
}

std::vector<std::uint16_t> controllers_by_name(const Recording& recording, const TraceHeader& header) {
  std::vector<std::uint16_t> out;
  for (const auto& controller : recording.controllers) {
    const auto found = std::find_if(header.controllers.begin(), header.controllers.end(),
                                    [&](const ControllerHeader& row) { return row.name == controller.name; });
    if (found == header.controllers.end()) {
      throw ImportError(recording.name,
                        fmt::format("has commands of {}, which the topology does not have; give the "
                                    "topology it was recorded on, or none",
                                    controller.name));
    }
    out.push_back(static_cast<std::uint16_t>(found - header.controllers.begin()));
  }
  return out;
}

class Converter {
 public:
  Converter(const Recording& recording, const TraceHeader* known) : recording_(recording) {
    trace_.header = known != nullptr ? *known : seen_header(recording);
    trace_.header.source = "ftrace";
    for (auto& controller : trace_.header.controllers) {
      controller.observed = kObserved;
      controller.initial_state_known = false;
    }
    for (auto& ns : trace_.header.namespaces) {
      ns.attachment_known = false;  // recording began in mid-life
      ns.content_zero = false;
    }
    index_ = controllers_by_name(recording, trace_.header);
  }

  Trace convert();

 private:
  BoundaryEvent base(Boundary kind, std::uint16_t controller, Time earliest, Time latest) const {
    BoundaryEvent event;
    event.kind = kind;
    event.controller = controller;
    event.earliest = earliest;
    event.latest = latest;
    return event;
  }
  void submitted(const RecordedCommand& command);
  void completed(const RecordedCommand& command);
  void entry_written(const RecordedCommand& command);
  void async_event(const RecordedEvent& recorded);
  RequestKey key_of(const RecordedCommand& command) const;
  bool from_application(const RecordedCommand& command) const {
    return command.disk != kNoDisk && recording_.disks[command.disk].path && command.queue != 0;
  }

  const Recording& recording_;
  Trace trace_;
  std::vector<std::uint16_t> index_;                  // recording's controller to header's
  std::map<RequestKey, std::vector<Request>> again_;  // failed on a path, wait to be sent down another
  std::vector<Request> request_of_;                   // by command index
  std::uint32_t requests_ = 0;
};

RequestKey Converter::key_of(const RecordedCommand& command) const {
  const auto& disk = recording_.disks[command.disk];
  return {disk.subsystem, disk.head, command.entry.opcode, command.entry.slba(),
          command.entry.cdw12 & 0xFFFFU};
}

void Converter::submitted(const RecordedCommand& command) {
  const auto controller = index_[command.controller];
  if (from_application(command)) {
    auto& request = request_of_[static_cast<std::size_t>(&command - recording_.commands.data())];
    const auto waiting = again_.find(key_of(command));
    if (waiting != again_.end() && !waiting->second.empty()) {
      request = waiting->second.front();
      waiting->second.erase(waiting->second.begin());
    } else {
      request = {++requests_, trace_.header.controllers[controller].subsystem};
      auto event = base(Boundary::app_submit, kNoController, command.time, command.time);
      event.a = request.id;
      event.b = command.entry.opcode;
      event.c = command.entry.opcode == 0 ? 0 : command.entry.slba();
      trace_.begin(event);
      const bool has_range = command.entry.opcode != 0;  // Flush covers no blocks
      trace_.append_value(AppRequestPart{command.entry.nsid, has_range ? command.entry.block_count() : 0,
                                         request.subsystem, 0});
      trace_.commit();
    }
  }
  const Time latest = command.completed() ? command.completed_at : recording_.last_time;
  auto event = base(Boundary::submitted, controller, command.time, latest);
  event.queue = command.queue;
  event.slot = kUnknownSlot;
  event.a = command.entry.cid;
  event.b =
      submitted_part::no_data_pointer | (command.tail_dwords_shown ? 0U : submitted_part::no_tail_dwords);
  trace_.begin(event);
  trace_.append_value(command.entry);
  trace_.commit();
}

void Converter::completed(const RecordedCommand& command) {
  if (!command.ended_by_host()) entry_written(command);
  if (!from_application(command)) return;
  const auto& request = request_of_[static_cast<std::size_t>(&command - recording_.commands.data())];
  // Linux asks in this order: success, do not retry or retries spent, then path error (another path) or retry
  // here.
  const bool final_error = (command.status & spec::kStatusDnr) != 0 || command.retries >= kRetriesMax;
  if (command.status != 0 && !final_error) {
    again_[key_of(command)].push_back(request);
    return;
  }
  auto end = base(Boundary::app_complete, kNoController, command.completed_at, command.completed_at);
  end.a = request.id;
  end.b = linux_errno(command.status);
  trace_.add(end);
}

void Converter::entry_written(const RecordedCommand& command) {
  const auto controller = index_[command.controller];
  auto event = base(Boundary::completed, controller, command.time, command.completed_at);
  event.queue =
      command.queue;  // Linux binds each submission queue to the completion queue of the same number
  event.slot = kUnknownSlot;
  event.a = command.entry.cid;
  event.b = completed_part::status_only;
  event.c = command.result & 0xFFFFFFFFU;
  spec::CompletionEntry entry;
  entry.dw0 = static_cast<std::uint32_t>(command.result);
  entry.dw1 = static_cast<std::uint32_t>(command.result >> 32U);
  entry.sqid = command.queue;
  entry.cid = command.entry.cid;
  entry.status_word = static_cast<std::uint16_t>(command.status << 1U);
  trace_.begin(event);
  trace_.append_value(entry);
  trace_.commit();
}

void Converter::async_event(const RecordedEvent& recorded) {
  auto event = base(Boundary::async_event, index_[recorded.controller], recording_.first_time, recorded.time);
  event.c = recorded.dword;
  trace_.add(event);
}

Trace Converter::convert() {
  request_of_.resize(recording_.commands.size());
  std::vector<Moment> moments;
  for (std::size_t i = 0; i < recording_.commands.size(); ++i) {
    const auto& command = recording_.commands[i];
    moments.push_back({command.time, command.line, Moment::Kind::submitted, i});
    if (command.completed())
      moments.push_back({command.completed_at, command.completed_line, Moment::Kind::completed, i});
  }
  for (std::size_t i = 0; i < recording_.events.size(); ++i) {
    moments.push_back({recording_.events[i].time, recording_.events[i].line, Moment::Kind::async_event, i});
  }
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return std::tie(a.time, a.line, a.kind, a.index) < std::tie(b.time, b.line, b.kind, b.index);
  });
  for (const auto& moment : moments) {
    switch (moment.kind) {
      case Moment::Kind::submitted:
        submitted(recording_.commands[moment.index]);
        break;
      case Moment::Kind::completed:
        completed(recording_.commands[moment.index]);
        break;
      case Moment::Kind::async_event:
        async_event(recording_.events[moment.index]);
        break;
    }
  }
  return std::move(trace_);
}

}  // namespace

std::uint32_t linux_errno(std::uint16_t status) {
  using enum spec::Status;
  switch (spec::status_of(status)) {
    case success:
      return 0;
    case capacity_exceeded:
      return 28;  // ENOSPC
    case lba_out_of_range:
    case command_interrupted:
    case namespace_not_ready:
      return 121;  // EREMOTEIO
    case invalid_opcode:
    case invalid_field:
    case invalid_namespace_or_format:
      return 95;  // EOPNOTSUPP
    case write_fault:
    case unrecovered_read_error:
    case deallocated_block:
    case access_denied:
    case write_to_read_only_range:
    case compare_failure:
      return 61;  // ENODATA
    case guard_check_error:
    case application_tag_check_error:
    case reference_tag_check_error:
    case invalid_protection_information:
      return 84;  // EILSEQ
    case reservation_conflict:
      return 52;  // EBADE
    case host_pathing_error:
      return 67;  // ENOLINK
    default:
      return 5;  // EIO
  }
}

Trace partial_trace(const Recording& recording, const TraceHeader* known) {
  return Converter(recording, known).convert();
}

}  // namespace polypath::trace
