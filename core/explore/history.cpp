#include "explore/history.h"

#include <algorithm>

#include "spec/queue_entry.h"
#include "spec/registers.h"

namespace polypath::explore {
namespace {

using engine::mix;
using trace::Boundary;

// Admin opcodes.
constexpr std::uint8_t kGetLogPage = 0x02, kIdentify = 0x06, kGetFeatures = 0x0A, kEventRequest = 0x0C,
                       kNamespaceManagement = 0x0D, kNamespaceAttachment = 0x15;
constexpr std::uint8_t kChangedNamespaces = 0x04;  // log page
constexpr std::uint8_t kFlush = 0x00, kRead = 0x02, kCompare = 0x05;

bool reads_changes(std::uint8_t opcode, std::uint32_t cdw10) {
  return opcode == kGetLogPage && (cdw10 & 0xFFU) == kChangedNamespaces;
}

// Admin commands that change what others are judged by, beyond their controller. Reading the
// changed-namespace list empties it.
bool changes(std::uint8_t opcode, std::uint32_t cdw10) {
  return opcode == kNamespaceManagement || opcode == kNamespaceAttachment || reads_changes(opcode, cdw10);
}

// Admin commands that leave nothing behind for their controller's later commands.
bool leaves_nothing(std::uint8_t opcode) {
  return opcode == kIdentify || opcode == kGetFeatures || opcode == kEventRequest;
}

bool writes(std::uint8_t opcode) { return opcode != kFlush && opcode != kRead && opcode != kCompare; }

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
  subsystems_.resize(header.subsystems.size());
}

void History::advance(const trace::Trace& trace) {
  for (; next_ < trace.events().size(); ++next_) take(trace, trace.events()[next_]);
}

History::Content& History::content(std::uint32_t subsystem, std::uint32_t nsid) {
  const auto place = std::lower_bound(
      contents_.begin(), contents_.end(), std::pair(subsystem, nsid),
      [](const Content& row, const auto& wanted) { return std::pair(row.subsystem, row.nsid) < wanted; });
  if (place != contents_.end() && place->subsystem == subsystem && place->nsid == nsid) return *place;
  return *contents_.insert(place, {subsystem, nsid, {}, 0});
}

History::Queue& History::queue(std::uint16_t controller, std::uint16_t qid) {
  const auto place = std::lower_bound(
      queues_.begin(), queues_.end(), std::pair(controller, qid),
      [](const Queue& row, const auto& wanted) { return std::pair(row.controller, row.qid) < wanted; });
  if (place != queues_.end() && place->controller == controller && place->qid == qid) return *place;
  return *queues_.insert(place, {controller, qid, 0, 0, 0, 0});
}

void History::begin_content(std::uint32_t subsystem, std::uint32_t nsid, bool effect, std::uint64_t& after) {
  Content& row = content(subsystem, nsid);
  after = mix(row.writes, row.commands.ended);
  ++row.commands.open;
  if (effect) ++row.commands.effects;
}

void History::end_content(std::uint32_t subsystem, std::uint32_t nsid, std::uint64_t what,
                          std::uint64_t after) {
  Content& row = content(subsystem, nsid);
  row.commands.ended += what;
  row.commands.order += mix(what, after);
  if (row.commands.open != 0) --row.commands.open;
  if (row.commands.open != 0) return;
  // One write after the other leaves no doubt but its place among them; several at once do.
  if (row.commands.effects != 0) {
    row.writes = mix(row.writes, row.commands.effects == 1 ? row.commands.ended : row.commands.order);
  }
  row.commands = {};
}

void History::begin(Open command) {
  Subsystem& subsystem = subsystems_[subsystem_of_[command.controller]];
  command.after_changes = subsystem.ended;
  if (command.sqid != 0) {
    begin_content(subsystem_of_[command.controller], command.nsid, writes(command.opcode),
                  command.after_content);
  } else if (changes(command.opcode, command.cdw10)) {
    ++subsystem.changes.open;
    ++subsystem.changes.effects;
    subsystem.order += mix(command.what, subsystem.ended);
  } else if (command.opcode == kEventRequest) {
    moment(subsystem_of_[command.controller], command.what);
  } else if (!leaves_nothing(command.opcode)) {
    fold_into(controllers_[command.controller], command.what);
  }
  ++queue(command.controller, command.sqid).open;
  open_.push_back(command);
}

void History::end(const Open& command, std::uint64_t what) {
  const std::uint32_t index = subsystem_of_[command.controller];
  Subsystem& subsystem = subsystems_[index];
  const bool change = command.sqid == 0 && changes(command.opcode, command.cdw10);
  if (change) {
    --subsystem.changes.open;
    subsystem.ended += what;
  }
  if (subsystem.changes.open != 0 || change) subsystem.changes.order += mix(what, command.after_changes);
  if (subsystem.changes.open == 0) {
    if (subsystem.changes.effects > 1) subsystem.order += subsystem.changes.order;
    subsystem.changes = {};
  }
  if (command.sqid != 0) {
    end_content(index, command.nsid, what, command.after_content);
  } else if (command.opcode == kEventRequest) {
    moment(index, what);
  } else if (!change && !leaves_nothing(command.opcode)) {
    fold_into(controllers_[command.controller], what);
  }
  Queue& row = queue(command.controller, command.sqid);
  if (row.open != 0) --row.open;
}

// Something that happens at once, and that changes are judged by: a reset, an event.
void History::moment(std::uint32_t index, std::uint64_t what) {
  Subsystem& subsystem = subsystems_[index];
  subsystem.order += mix(what, subsystem.ended);
  subsystem.ended += what;
}

// A reset: commands in flight may have had their effect, or have it until the reset is over.
void History::lose(std::uint16_t controller, std::uint64_t what) {
  const std::uint32_t index = subsystem_of_[controller];
  std::erase_if(open_, [&](const Open& command) {
    if (command.controller != controller) return false;
    if (command.sqid != 0) {
      Content& row = content(index, command.nsid);
      row.commands.effects += 2;  // in doubt
      end_content(index, command.nsid, mix(what, command.what), command.after_content);
    } else if (changes(command.opcode, command.cdw10)) {
      Subsystem& subsystem = subsystems_[index];
      --subsystem.changes.open;
      subsystem.changes.effects += 2;
      subsystem.changes.order += mix(what, mix(command.what, command.after_changes));
      if (subsystem.changes.open == 0) {
        subsystem.order += subsystem.changes.order;
        subsystem.changes = {};
      }
    }
    return true;
  });
  std::erase_if(queues_, [&](const Queue& row) { return row.controller == controller; });
}

void History::traffic(std::uint16_t controller, std::uint16_t qid, std::uint64_t what) {
  fold_into(queue(controller, qid).traffic, what);
}

void History::take_application(const trace::Trace& trace, const trace::BoundaryEvent& event,
                               std::uint64_t what) {
  if (event.kind == Boundary::app_submit) {
    trace::AppRequestPart part{};
    const auto payload = trace.payload(event);
    if (payload.size() < sizeof part) return;
    std::memcpy(&part, payload.data(), sizeof part);
    if (part.subsystem >= subsystems_.size()) return;
    const auto opcode = static_cast<std::uint8_t>(event.b);
    Request request{event.queue, event.a, part.subsystem, part.nsid, opcode, what, 0, 0};
    request.after_changes = subsystems_[part.subsystem].ended;
    begin_content(part.subsystem, part.nsid, false, request.after_content);  // its commands have the effect
    requests_.push_back(request);
    return;
  }
  const auto request = std::find_if(requests_.begin(), requests_.end(), [&](const Request& row) {
    return row.host == event.queue && row.id == event.a;
  });
  if (request == requests_.end()) return;
  Subsystem& subsystem = subsystems_[request->subsystem];
  if (subsystem.changes.open != 0) subsystem.changes.order += mix(what, request->after_changes);
  end_content(request->subsystem, request->nsid, what, request->after_content);
  requests_.erase(request);
}

void History::take(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  const std::uint64_t what = content_of(trace, event);
  if (event.kind == Boundary::app_submit || event.kind == Boundary::app_complete) {
    take_application(trace, event, what);
    return;
  }
  if (event.controller >= controllers_.size()) return;
  const std::uint32_t subsystem = subsystem_of_[event.controller];
  switch (event.kind) {
    case Boundary::register_write:
    case Boundary::register_read: {
      const bool writes_cc = event.kind == Boundary::register_write && event.a == spec::reg::cc;
      const bool reads_csts = event.kind == Boundary::register_read && event.a == spec::reg::csts;
      if (writes_cc && spec::cc::en.get(event.c) == 0) lose(event.controller, what);
      if (writes_cc || reads_csts) moment(subsystem, what);
      fold_into(controllers_[event.controller], what);
      return;
    }
    case Boundary::administrator:
      moment(subsystem, what);
      fold_into(controllers_[event.controller], what);
      return;
    case Boundary::function:
      lose(event.controller, what);
      moment(subsystem, what);
      fold_into(controllers_[event.controller], what);
      return;
    case Boundary::interrupt:
    case Boundary::vector_mask:
      traffic(event.controller, static_cast<std::uint16_t>(event.a), what);
      return;
    case Boundary::submitted: {
      const spec::SubmissionEntry entry = entry_of(trace, event);
      traffic(event.controller, event.queue, what);
      Open command;
      command.controller = event.controller;
      command.sqid = event.queue;
      command.cid = entry.cid;
      command.nsid = entry.nsid;
      command.cdw10 = entry.cdw10;
      command.opcode = entry.opcode;
      command.what = what;
      begin(command);
      return;
    }
    case Boundary::completed: {
      traffic(event.controller, event.queue, what);
      Queue& ring = queue(event.controller, event.queue);
      ++ring.completed;
      ring.last_slot = event.slot;
      trace::Parts parts;
      if (!trace::read_completed(trace, event, parts)) return;
      spec::CompletionEntry entry;
      std::memcpy(&entry, parts.entry.data(), sizeof entry);
      const auto place = std::find_if(open_.begin(), open_.end(), [&](const Open& row) {
        return row.controller == event.controller && row.sqid == entry.sqid && row.cid == entry.cid;
      });
      if (place == open_.end()) return moment(subsystem, what);  // nobody's: let it count
      const Open command = *place;
      open_.erase(place);
      end(command, what);
      return;
    }
    case Boundary::cq_doorbell: {
      Queue& ring = queue(event.controller, event.queue);
      fold_into(ring.traffic, what);
      // All is acknowledged: of the traffic only its amount is left, and the event requests that wait.
      const std::uint64_t waiting =
          static_cast<std::uint64_t>(std::count_if(open_.begin(), open_.end(), [&](const Open& row) {
            return row.controller == event.controller && row.sqid == event.queue && row.sqid == 0 &&
                   row.opcode == kEventRequest;
          }));
      const bool all = event.c == 0 || event.c == ring.last_slot + std::uint64_t{1};
      if (all && ring.open == waiting) ring.traffic = mix(ring.completed, waiting);
      return;
    }
    default:
      traffic(event.controller, event.queue, what);  // doorbells, fetches, DMA
      return;
  }
}

void History::hash(engine::Hasher& hasher) const {
  for (const std::uint64_t chain : controllers_) hasher.add(chain);
  for (const Queue& row : queues_) {
    hasher.add(std::uint64_t{row.controller} << 32U | row.qid);
    hasher.add(row.traffic);
  }
  for (const Subsystem& row : subsystems_) {
    hasher.add(row.ended);
    hasher.add(row.order);
    hasher.add(row.changes.order);
  }
  for (const Content& row : contents_) {
    hasher.add(std::uint64_t{row.subsystem} << 32U | row.nsid);
    hasher.add(row.writes);
    hasher.add(row.commands.ended);
    hasher.add(row.commands.order);
  }
  std::uint64_t open = 0;  // a sum has no order
  for (const Open& row : open_) open += mix(row.what, mix(row.after_changes, row.after_content));
  for (const Request& row : requests_) open += mix(row.what, mix(row.after_changes, row.after_content));
  hasher.add(open);
}

}  // namespace polypath::explore
