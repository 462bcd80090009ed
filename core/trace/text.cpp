#include "trace/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

#include "spec/commands.h"
#include "spec/log_feature_event.h"
#include "spec/registers.h"

namespace polypath::trace {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view kind_name(Boundary kind) {
  switch (kind) {
    case Boundary::none:
      return "none";
    case Boundary::register_write:
      return "reg write";
    case Boundary::register_read:
      return "reg read";
    case Boundary::sq_doorbell:
      return "sq doorbell";
    case Boundary::cq_doorbell:
      return "cq doorbell";
    case Boundary::submitted:
      return "submitted";
    case Boundary::fetched:
      return "fetched";
    case Boundary::dma:
      return "dma";
    case Boundary::completed:
      return "completed";
    case Boundary::interrupt:
      return "interrupt";
    case Boundary::vector_mask:
      return "vector mask";
    case Boundary::async_event:
      return "async event";
    case Boundary::app_submit:
      return "app submit";
    case Boundary::app_complete:
      return "app end";
    case Boundary::function:
      return "function";
    case Boundary::administrator:
      return "admin action";
  }
  return "unknown";
}

std::string_view register_name(std::uint32_t offset) {
  switch (offset) {
    case spec::reg::cap:
      return "CAP";
    case spec::reg::vs:
      return "VS";
    case spec::reg::intms:
      return "INTMS";
    case spec::reg::intmc:
      return "INTMC";
    case spec::reg::cc:
      return "CC";
    case spec::reg::csts:
      return "CSTS";
    case spec::reg::aqa:
      return "AQA";
    case spec::reg::asq:
      return "ASQ";
    case spec::reg::acq:
      return "ACQ";
    default:
      return "";
  }
}

std::string_view function_name(std::uint32_t what) {
  switch (static_cast<FunctionEvent>(what)) {
    case FunctionEvent::flr:
      return "function level reset";
    case FunctionEvent::removed:
      return "removed";
    case FunctionEvent::added:
      return "added";
    case FunctionEvent::power_cycle:
      return "power cycle";
    case FunctionEvent::hot_reset:
      return "conventional reset";
    case FunctionEvent::fatal:
      return "fatal error";
  }
  return "unknown";
}

/// Linux's names of what a multipath head answers.
std::string_view errno_name(std::uint32_t number) {
  switch (number) {
    case 5:
      return " EIO";
    case 6:
      return " ENXIO";
    case 11:
      return " EAGAIN";
    case 19:
      return " ENODEV";
    case 28:
      return " ENOSPC";
    case 52:
      return " EBADE";
    case 61:
      return " ENODATA";
    case 67:
      return " ENOLINK";
    case 84:
      return " EILSEQ";
    case 95:
      return " EOPNOTSUPP";
    case 121:
      return " EREMOTEIO";
    default:
      return "";
  }
}

std::string_view inside_name(Inside kind) {
  switch (kind) {
    case Inside::none:
      return "none";
    case Inside::path_chosen:
      return "path chosen";
    case Inside::path_failover:
      return "failover";
    case Inside::media_version:
      return "media version";
    case Inside::attachment:
      return "attachment";
    case Inside::decision:
      return "decision";
    case Inside::step_begin:
      return "step begins";
    case Inside::step_end:
      return "step ends";
    case Inside::fault_fired:
      return "planted fault fires";
    case Inside::requeued:
      return "requeued";
    case Inside::head_state:
      return "head";
  }
  return "unknown";
}

template <class T>
T copy_of(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof(T), bytes.size()));
  return value;
}

std::uint64_t sum_of_ranges(std::span<const std::byte> ranges) {
  std::uint64_t bytes = 0;
  for (std::size_t at = 0; at + 16 <= ranges.size(); at += 16)
    bytes += copy_of<std::uint64_t>(ranges.subspan(at + 8));
  return bytes;
}

void append_digests(Out out, std::span<const std::byte> digests) {
  if (digests.size() < 8) return;
  fmt::format_to(out, " data {:016x}", copy_of<std::uint64_t>(digests));
  if (digests.size() > 8) fmt::format_to(out, " and {} more blocks", digests.size() / 8 - 1);
}

void append_metadata(Out out, const Parts& parts) {
  if (parts.metadata.bytes == 0) return;
  fmt::format_to(out, " metadata {} bytes for each block", parts.metadata.bytes);
  if (parts.metadata.address != 0) fmt::format_to(out, " at {:#x}", parts.metadata.address);
}

void submitted_text(Out out, const Trace& trace, const BoundaryEvent& event) {
  Parts parts;
  if (!read_submitted(trace, event, parts)) {
    fmt::format_to(out, "cid {} (damaged payload)", event.a);
    return;
  }
  fmt::format_to(out, "cid {} {}", event.a,
                 command_text(event.queue, copy_of<spec::SubmissionEntry>(parts.entry)));
  if (event.slot != kUnknownSlot) fmt::format_to(out, " slot {}", event.slot);
  if ((event.b & submitted_part::malformed_pointer) != 0) fmt::format_to(out, " malformed data pointer");
  if (!parts.ranges.empty()) {
    fmt::format_to(out, " buffer {} bytes in {} ranges", sum_of_ranges(parts.ranges),
                   parts.ranges.size() / 16);
  }
  if (!parts.descriptors.empty()) {
    fmt::format_to(out, " list of {} descriptors", parts.descriptors.size() / sizeof(spec::SglDescriptor));
  }
  append_digests(out, parts.digests);
  append_metadata(out, parts);
  if (!parts.data.empty()) fmt::format_to(out, " with {} bytes of data", parts.data.size());
}

void completed_text(Out out, const Trace& trace, const BoundaryEvent& event) {
  Parts parts;
  if (!read_completed(trace, event, parts)) {
    fmt::format_to(out, "cid {} (damaged payload)", event.a);
    return;
  }
  const auto entry = copy_of<spec::CompletionEntry>(parts.entry);
  fmt::format_to(out, "cid {} {}", event.a, status_text(entry.linux_status()));
  if (entry.crd() != 0) fmt::format_to(out, " crd {}", entry.crd());
  if (event.c != 0) fmt::format_to(out, " result {:#x}", event.c);
  if ((event.b & completed_part::status_only) == 0) {
    fmt::format_to(out, " sq {} head {} phase {}", entry.sqid, entry.sqhd, entry.phase() ? 1 : 0);
  }
  if (event.slot != kUnknownSlot) fmt::format_to(out, " slot {}", event.slot);
  append_digests(out, parts.digests);
  append_metadata(out, parts);
  if (!parts.data.empty()) fmt::format_to(out, " with {} bytes of data", parts.data.size());
}

void application_text(Out out, const Trace& trace, const BoundaryEvent& event) {
  const auto payload = trace.payload(event);
  if (payload.size() < sizeof(AppRequestPart)) {
    fmt::format_to(out, "request {} (damaged payload)", event.a);
    return;
  }
  const auto part = copy_of<AppRequestPart>(payload);
  const auto* row = spec::find_command(spec::CommandSet::nvm, static_cast<std::uint8_t>(event.b));
  fmt::format_to(out, "request {} {} nsid {} slba {} nlb {}", event.a,
                 row != nullptr ? std::string(row->name) : fmt::format("opcode {:#04x}", event.b), part.nsid,
                 event.c, part.blocks);
  append_digests(out, payload.subspan(sizeof(AppRequestPart)));
}

void details(Out out, const Trace& trace, const BoundaryEvent& event) {
  switch (event.kind) {
    case Boundary::register_write:
    case Boundary::register_read: {
      const auto name = register_name(event.a);
      if (name.empty()) {
        fmt::format_to(out, "{:#x}", event.a);
      } else {
        fmt::format_to(out, "{}", name);
      }
      fmt::format_to(out, " {} {:#x} ({} bytes)", event.kind == Boundary::register_write ? ":=" : "=",
                     event.c, event.b);
      break;
    }
    case Boundary::sq_doorbell:
    case Boundary::cq_doorbell:
      fmt::format_to(out, "{} {}", event.kind == Boundary::sq_doorbell ? "tail" : "head", event.c);
      if ((event.flags & event_flag::in_memory) != 0)
        fmt::format_to(out, " in memory, event index {}", event.a);
      break;
    case Boundary::submitted:
      submitted_text(out, trace, event);
      break;
    case Boundary::fetched:
      fmt::format_to(out, "cid {} slot {}", event.a, event.slot);
      if (event.payload_bytes >= sizeof(spec::SubmissionEntry)) {
        fmt::format_to(out, " reads otherwise than submitted: {}",
                       command_text(event.queue, copy_of<spec::SubmissionEntry>(trace.payload(event))));
      }
      break;
    case Boundary::dma:
      fmt::format_to(out, "cid {} {} {} bytes at {:#x}{}", event.a,
                     (event.flags & event_flag::dma_write) != 0 ? "writes" : "reads", event.b, event.c,
                     (event.flags & event_flag::stray) != 0 ? " outside the host's memory" : "");
      break;
    case Boundary::completed:
      completed_text(out, trace, event);
      break;
    case Boundary::interrupt:
      fmt::format_to(out, "vector {}", event.a);
      break;
    case Boundary::vector_mask:
      fmt::format_to(out, "vector {} {}", event.a, event.b != 0 ? "masked" : "unmasked");
      break;
    case Boundary::async_event:
      fmt::format_to(out, "{}", async_event_text(static_cast<std::uint32_t>(event.c)));
      break;
    case Boundary::app_submit:
      application_text(out, trace, event);
      break;
    case Boundary::app_complete:
      fmt::format_to(out, "request {} ", event.a);
      if (event.b == 0) {
        fmt::format_to(out, "success");
      } else {
        fmt::format_to(out, "errno {}{}", event.b, errno_name(event.b));
      }
      append_digests(out, trace.payload(event));
      break;
    case Boundary::function:
      fmt::format_to(out, "{}", function_name(event.a));
      break;
    case Boundary::administrator: {
      const bool offline = event.a == static_cast<std::uint32_t>(AdminAction::zone_offline);
      fmt::format_to(out, "the zone of LBA {} of nsid {} becomes {}", event.c, event.b,
                     offline ? "offline" : "read only");
      break;
    }
    case Boundary::none:
      fmt::format_to(out, "a {} b {} c {}", event.a, event.b, event.c);
      break;
    default:
      fmt::format_to(out, "kind {} a {} b {} c {}", static_cast<unsigned>(event.kind), event.a, event.b,
                     event.c);
  }
}

bool has_queue(Boundary kind) {
  switch (kind) {
    case Boundary::sq_doorbell:
    case Boundary::cq_doorbell:
    case Boundary::submitted:
    case Boundary::fetched:
    case Boundary::dma:
    case Boundary::completed:
      return true;
    default:
      return false;
  }
}

bool of_application(Boundary kind) { return kind == Boundary::app_submit || kind == Boundary::app_complete; }

}  // namespace

Time recorded_time(const BoundaryEvent& event) {
  return event.kind == Boundary::submitted || event.kind == Boundary::app_submit ? event.earliest
                                                                                 : event.latest;
}

std::string time_text(Time time) {
  return fmt::format("{}.{:09}", time / engine::kSecond, time % engine::kSecond);
}

std::string status_text(std::uint16_t linux_status) {
  if (linux_status == 0) return "success";
  std::string out = spec::status_name(spec::status_of(linux_status));
  if ((linux_status & spec::kStatusMore) != 0) out += "+More";
  if ((linux_status & spec::kStatusDnr) != 0) out += "+DNR";
  return out + fmt::format(" ({:#x})", linux_status);
}

std::string async_event_text(std::uint32_t dword) {
  const auto type = static_cast<spec::EventType>(dword & 7U);
  const auto info = static_cast<std::uint8_t>(dword >> 8U);
  std::string out;
  if (type == spec::EventType::error) {
    out = info == spec::event_info::invalid_doorbell_register ? "error invalid_doorbell_register"
          : info == spec::event_info::invalid_doorbell_value  ? "error invalid_doorbell_value"
                                                              : fmt::format("error info {:#x}", info);
  } else if (type == spec::EventType::notice) {
    out = info == spec::event_info::ns_attribute_changed ? "notice ns_attribute_changed"
          : info == spec::event_info::ana_change         ? "notice ana_change"
                                                         : fmt::format("notice info {:#x}", info);
  } else {
    out = fmt::format("type {} info {:#x}", dword & 7U, info);
  }
  return out + fmt::format(" log {:#04x}", dword >> 16U & 0xFFU);
}

std::string command_text(std::uint16_t queue, const spec::SubmissionEntry& entry) {
  std::string text;
  Out out(text);
  const auto* row = spec::find_command(spec::set_of_queue(queue), entry.opcode);
  if (row != nullptr) {
    fmt::format_to(out, "{}", row->name);
  } else {
    fmt::format_to(out, "opcode {:#04x}", entry.opcode);
  }
  if (entry.nsid == spec::kBroadcastNsid) {
    fmt::format_to(out, " nsid all");
  } else if (entry.nsid != 0) {
    fmt::format_to(out, " nsid {}", entry.nsid);
  }
  if (row == nullptr || row->fields.empty()) {
    for (unsigned n = 10; n <= 15; ++n) {
      if (entry.cdw(n) != 0) fmt::format_to(out, " cdw{} {:#x}", n, entry.cdw(n));
    }
  } else {
    for (const auto& field : row->fields) {
      const auto value = spec::field_value(entry, field);
      if (value == 0) continue;
      // Identifiers of pages, features and structures are known by their hexadecimal numbers.
      const bool code =
          field.name == "cns" || field.name == "lid" || field.name == "fid" || field.name == "value";
      if (code) {
        fmt::format_to(out, " {} {:#04x}", field.name, value);
      } else {
        fmt::format_to(out, " {} {}", field.name, value);
      }
    }
  }
  if (entry.fuse() != 0) fmt::format_to(out, " fuse {}", entry.fuse());
  if (entry.psdt() != 0) fmt::format_to(out, " psdt {}", entry.psdt());
  return text;
}

std::string event_text(const Trace& trace, const BoundaryEvent& event) {
  std::string text;
  Out out(text);
  fmt::format_to(out, "{:>14}  ", time_text(recorded_time(event)));
  std::string who = "-";
  if (of_application(event.kind)) {
    who = fmt::format("host{}", event.queue);
  } else if (event.controller < trace.header.controllers.size()) {
    who = trace.header.controllers[event.controller].name;
  } else if (event.controller != kNoController) {
    who = fmt::format("ctrl{}", event.controller);
  }
  const std::string queue = has_queue(event.kind) ? fmt::format("q{}", event.queue) : "";
  fmt::format_to(out, "{:<8} {:<4} {:<12} ", who, queue, kind_name(event.kind));
  details(out, trace, event);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string inside_text(const InsideEvent& event) {
  std::string text;
  Out out(text);
  fmt::format_to(out, "{:>14}  [{}] ", time_text(event.time), inside_name(event.kind));
  switch (event.kind) {
    case Inside::path_chosen:
    case Inside::path_failover:
      fmt::format_to(out, "host {} head {} path {} request {}", event.a, event.b, event.c, event.value);
      break;
    case Inside::requeued:
      fmt::format_to(out, "host {} head {} request {}", event.a, event.b, event.value);
      break;
    case Inside::media_version:
      fmt::format_to(out, "namespace {} lba {} version {}", event.a, event.value, event.c);
      break;
    case Inside::attachment:
      fmt::format_to(out, "controller {} nsid {} {}", event.a, event.b,
                     event.c != 0 ? "attached" : "detached");
      break;
    case Inside::decision:
      fmt::format_to(out, "site {} takes {} of {} for cause {}", event.a, event.b, event.c, event.value);
      break;
    case Inside::step_begin:
      fmt::format_to(out, "{}", event.a);
      break;
    case Inside::step_end:
      fmt::format_to(out, "{} {}", event.a, status_text(static_cast<std::uint16_t>(event.b)));
      break;
    case Inside::fault_fired:
      fmt::format_to(out, "{}", event.a);
      break;
    case Inside::head_state:
      fmt::format_to(out, "host {} head {} has {} paths", event.a, event.b, event.c);
      break;
    case Inside::none:
      break;
    default:
      fmt::format_to(out, "a {} b {} c {} value {}", event.a, event.b, event.c, event.value);
  }
  return text;
}

std::string trace_text(const Trace& trace, const TextOptions& options) {
  std::string text;
  Out out(text);
  const auto& events = trace.events();
  const auto& inside = trace.inside();
  const std::size_t first = std::min(options.first, events.size());
  const std::size_t last = first + std::min(options.count, events.size() - first);
  auto note = std::lower_bound(inside.begin(), inside.end(), first,
                               [](const InsideEvent& event, std::size_t at) { return event.before < at; });
  const auto notes_before = [&](std::size_t at) {
    for (; options.inside && note != inside.end() && note->before <= at; ++note) {
      fmt::format_to(out, "{:>8} {}\n", "", inside_text(*note));
    }
  };
  for (std::size_t i = first; i < last; ++i) {
    notes_before(i);
    fmt::format_to(out, "{:>8} {}\n", i, event_text(trace, events[i]));
  }
  if (last == events.size()) notes_before(last);
  return text;
}

}  // namespace polypath::trace
