#include "explore/history.h"

#include <algorithm>

#include "spec/queue_entry.h"
#include "spec/registers.h"

namespace polypath::explore {
namespace {

using engine::mix;
using trace::Boundary;

constexpr std::uint8_t kNamespaceManagement = 0x0D, kNamespaceAttachment = 0x15;

void fold_into(std::uint64_t& chain, std::uint64_t what) { chain = mix(chain, what); }

spec::SubmissionEntry entry_of(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  spec::SubmissionEntry entry;
  trace::Parts parts;
  if (trace::read_submitted(trace, event, parts)) std::memcpy(&entry, parts.entry.data(), sizeof entry);
  return entry;
}

/// The event without addresses, request numbers and times.
std::uint64_t content_of(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  std::uint64_t hash = mix(static_cast<std::uint64_t>(event.kind) << 8U | event.flags,
                           std::uint64_t{event.controller} << 32U | event.queue);
  hash = mix(hash, std::uint64_t{event.slot} << 32U | event.cause);
  switch (event.kind) {
    case Boundary::register_write: {
      const bool address = event.a == spec::reg::asq || event.a == spec::reg::acq ||
                           event.a == spec::reg::asq + 4 || event.a == spec::reg::acq + 4;
      return mix(hash, address ? event.a : mix(event.a, event.c));
    }
    case Boundary::submitted: {
      spec::SubmissionEntry entry = entry_of(trace, event);
      entry.prp1 = entry.prp2 = 0;
      hash = mix(hash, engine::hash_bytes(&entry, sizeof entry, event.b));
      trace::Parts parts;
      if (!trace::read_submitted(trace, event, parts)) return hash;
      hash = mix(hash, engine::hash_bytes(parts.digests.data(), parts.digests.size()));
      return mix(hash, engine::hash_bytes(parts.data.data(), parts.data.size()));
    }
    case Boundary::dma:
      return mix(hash, std::uint64_t{event.a} << 32U | event.b);  // not the address
    case Boundary::app_submit:
    case Boundary::app_complete: {
      const auto payload = trace.payload(event);  // not the request's number
      hash = mix(hash, engine::hash_bytes(payload.data(), payload.size(), event.b));
      return mix(hash, event.kind == Boundary::app_submit ? event.c : 0);
    }
    default: {
      const auto payload = trace.payload(event);
      hash = mix(hash, mix(std::uint64_t{event.a} << 32U | event.b, event.c));
      return mix(hash, engine::hash_bytes(payload.data(), payload.size()));
    }
  }
}

}  // namespace

History::History(const trace::TraceHeader& header) {
  for (const auto& controller : header.controllers) subsystem_of_.push_back(controller.subsystem);
  controllers_.assign(header.controllers.size(), 1);
  subsystems_.assign(header.subsystems.size(), 1);
}

void History::advance(const trace::Trace& trace) {
  for (; next_ < trace.events().size(); ++next_) take(trace, trace.events()[next_]);
}

void History::add_to_content(std::uint32_t subsystem, std::uint32_t nsid, std::uint64_t what) {
  const auto place = std::lower_bound(contents_.begin(), contents_.end(), std::pair(subsystem, nsid),
                                      [](const Content& row, const auto& wanted) {
                                        return std::pair(row.subsystem, row.nsid) < wanted;
                                      });
  if (place != contents_.end() && place->subsystem == subsystem && place->nsid == nsid) {
    fold_into(place->chain, what);
    return;
  }
  // Later than all that changed the whole subsystem so far.
  const std::uint64_t before = subsystem < subsystems_.size() ? subsystems_[subsystem] : 1;
  contents_.insert(place, {subsystem, nsid, mix(before, what)});
}

void History::remember(const Open& command) {
  std::erase_if(open_, [&](const Open& row) {
    return row.controller == command.controller && row.sqid == command.sqid && row.cid == command.cid;
  });
  open_.push_back(command);
}

// What a command's submission and its completion come before or after, beside the events of its controller.
void History::concerns(std::uint32_t subsystem, const Open& command, std::uint64_t what) {
  const bool changes_namespaces = command.sqid == 0 && (command.opcode == kNamespaceManagement ||
                                                        command.opcode == kNamespaceAttachment);
  if (changes_namespaces) add_to_all(subsystem, what);
  if (command.sqid != 0) add_to_content(subsystem, command.nsid, what);
}

// Changes of namespaces and lives of controllers come before or after everything else there.
void History::add_to_all(std::uint32_t subsystem, std::uint64_t what) {
  if (subsystem < subsystems_.size()) fold_into(subsystems_[subsystem], what);
  for (Content& row : contents_) {
    if (row.subsystem == subsystem) fold_into(row.chain, what);
  }
  for (std::size_t i = 0; i < controllers_.size(); ++i) {
    if (subsystem_of_[i] == subsystem) fold_into(controllers_[i], what);
  }
}

void History::take(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  const std::uint64_t what = content_of(trace, event);
  if (event.kind == Boundary::app_submit || event.kind == Boundary::app_complete) {
    if (event.queue >= hosts_.size()) hosts_.resize(event.queue + std::size_t{1}, 1);
    fold_into(hosts_[event.queue], what);
    const auto payload = trace.payload(event);
    if (event.kind == Boundary::app_submit && payload.size() >= sizeof(trace::AppRequestPart)) {
      trace::AppRequestPart part{};
      std::memcpy(&part, payload.data(), sizeof part);
      add_to_content(part.subsystem, part.nsid, what);
    }
    return;
  }
  if (event.controller >= controllers_.size()) return;
  const std::uint32_t subsystem = subsystem_of_[event.controller];
  fold_into(controllers_[event.controller], what);
  switch (event.kind) {
    case Boundary::register_write:
      if (event.a == spec::reg::cc) add_to_all(subsystem, what);
      break;
    case Boundary::register_read:
      if (event.a == spec::reg::csts) add_to_all(subsystem, what);
      break;
    case Boundary::function:
      add_to_all(subsystem, what);
      break;
    case Boundary::submitted: {
      const spec::SubmissionEntry entry = entry_of(trace, event);
      remember({event.controller, event.queue, entry.cid, entry.nsid, entry.opcode});
      concerns(subsystem, open_.back(), what);
      break;
    }
    case Boundary::completed: {
      trace::Parts parts;
      if (!trace::read_completed(trace, event, parts)) break;
      spec::CompletionEntry entry;
      std::memcpy(&entry, parts.entry.data(), sizeof entry);
      const auto command = std::find_if(open_.begin(), open_.end(), [&](const Open& row) {
        return row.controller == event.controller && row.sqid == entry.sqid && row.cid == entry.cid;
      });
      if (command == open_.end()) {
        add_to_all(subsystem, what);  // of nobody's command: let it count for everything
      } else {
        concerns(subsystem, *command, what);
        open_.erase(command);
      }
      break;
    }
    default:
      break;
  }
}

void History::hash(engine::Hasher& hasher) const {
  for (const std::uint64_t chain : controllers_) hasher.add(chain);
  for (const std::uint64_t chain : hosts_) hasher.add(chain);
  for (const Content& row : contents_) {
    hasher.add(std::uint64_t{row.subsystem} << 32U | row.nsid);
    hasher.add(row.chain);
  }
}

}  // namespace polypath::explore
