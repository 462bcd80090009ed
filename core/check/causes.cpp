#include "check/causes.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "spec/queue_entry.h"
#include "spec/registers.h"

namespace polypath::check {
namespace {

using trace::Boundary;

constexpr std::uint64_t kNone = ~std::uint64_t{0};
constexpr std::size_t kRemembered = 32;  // writes of a namespace that later commands may have met
constexpr std::uint8_t kGetLogPage = 0x02, kIdentify = 0x06, kEventRequest = 0x0C,
                       kNamespaceManagement = 0x0D, kNamespaceAttachment = 0x15;

struct Command {
  std::uint64_t submitted = kNone, last = kNone;  ///< last: fetch or transfer
  spec::SubmissionEntry entry;
};
struct Write {
  std::uint64_t submitted = 0, completed = kNone;
  std::uint64_t first = 0, end = 0;  ///< blocks
};
struct Queue {
  std::uint64_t last_submitted = kNone, last_doorbell = kNone, last_fetched = kNone;
  std::vector<std::uint64_t> unrung, unread;  ///< submissions, completions
};
struct Controller {
  std::uint32_t subsystem = 0;
  std::uint64_t last_register = kNone;  ///< that enables, disables or shows it
  std::uint64_t last_completed = kNone, last_interrupt = kNone;
  std::map<std::uint16_t, Queue> queues;
  std::map<std::uint32_t, Command> open;  ///< by SQID << 16 | CID
};
struct Change {
  std::uint64_t submitted = 0, completed = kNone;
};

bool moves_blocks(std::uint8_t opcode) { return opcode != 0; }
bool writes_blocks(std::uint8_t opcode) { return opcode == 0x01 || opcode == 0x08 || opcode == 0x04; }

struct Walk {
  const trace::Trace& trace;
  Causes out;
  std::vector<Controller> controllers;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Write>> writes;  ///< by subsystem and NSID
  std::map<std::pair<std::uint32_t, std::uint32_t>, Change> changes;             ///< the last of each
  std::map<std::uint32_t, std::uint64_t> requests;                               ///< app_submit by cause
  std::map<std::uint32_t, std::uint64_t> last_of_cause;                          ///< completions

  explicit Walk(const trace::Trace& t) : trace(t), controllers(t.header.controllers.size()) {
    for (std::size_t i = 0; i < controllers.size(); ++i) {
      controllers[i].subsystem = t.header.controllers[i].subsystem;
    }
    out.command.resize(t.events().size());
  }

  void edge(std::uint64_t from, std::uint64_t to, Why why) {
    if (from < to) out.edges.push_back({from, to, why});
  }

  void submitted(std::uint64_t at, const trace::BoundaryEvent& event, Controller& c) {
    Queue& queue = c.queues[event.queue];
    edge(queue.last_submitted, at, Why::queue_order);
    edge(c.last_register, at, Why::life);
    queue.last_submitted = at;
    queue.unrung.push_back(at);
    Command command;
    command.submitted = command.last = at;
    trace::Parts parts;
    if (trace::read_submitted(trace, event, parts)) {
      std::memcpy(&command.entry, parts.entry.data(), sizeof command.entry);
    }
    const spec::SubmissionEntry& entry = command.entry;
    if (event.queue != 0) {
      const auto request = requests.find(event.cause);
      if (request != requests.end()) edge(request->second, at, Why::request);
      meet_writes(at, c, entry, true);
    } else if (entry.opcode == kNamespaceManagement || entry.opcode == kNamespaceAttachment) {
      after_changes(at, c, entry.nsid, false);
      changes[{c.subsystem, entry.nsid}].submitted = at;
      changes[{c.subsystem, entry.nsid}].completed = kNone;
    }
    if (event.queue != 0) after_changes(at, c, entry.nsid, false);
    if (event.queue == 0 && (entry.opcode == kIdentify || entry.opcode == kGetLogPage)) {
      after_changes(at, c, entry.nsid, true);
    }
    c.open[std::uint32_t{event.queue} << 16U | entry.cid] = command;
  }

  // A command comes after the changes of its namespace, a list after those of any.
  void after_changes(std::uint64_t at, const Controller& c, std::uint32_t nsid, bool any) {
    for (const auto& [key, change] : changes) {
      if (key.first != c.subsystem || (!any && key.second != nsid)) continue;
      edge(change.completed == kNone ? change.submitted : change.completed, at, Why::attachment);
    }
  }

  void meet_writes(std::uint64_t at, const Controller& c, const spec::SubmissionEntry& entry, bool begins) {
    if (!moves_blocks(entry.opcode)) return;
    auto& list = writes[{c.subsystem, entry.nsid}];
    const std::uint64_t first = std::uint64_t{entry.cdw11} << 32U | entry.cdw10;
    const std::uint64_t end = first + (entry.cdw12 & 0xFFFFU) + 1;
    for (const Write& write : list) {
      if (write.first >= end || first >= write.end) continue;
      if (begins && write.completed != kNone) edge(write.completed, at, Why::data);
      if (!begins && write.completed == kNone) edge(write.submitted, at, Why::data);  // it may have met it
    }
    if (!begins || !writes_blocks(entry.opcode)) return;
    if (list.size() == kRemembered) list.erase(list.begin());
    list.push_back({at, kNone, first, end});
  }

  void completed(std::uint64_t at, const trace::BoundaryEvent& event, Controller& c) {
    c.queues[event.queue].unread.push_back(at);
    c.last_completed = at;
    trace::Parts parts;
    if (!trace::read_completed(trace, event, parts)) return;
    spec::CompletionEntry entry;
    std::memcpy(&entry, parts.entry.data(), sizeof entry);
    const auto place = c.open.find(std::uint32_t{entry.sqid} << 16U | entry.cid);
    if (place == c.open.end()) return;
    const Command command = place->second;
    c.open.erase(place);
    out.command[at] = command.submitted;
    edge(command.last, at, Why::processing);
    if (entry.sqid != 0) {
      last_of_cause[event.cause] = at;
      for (auto& write : writes[{c.subsystem, command.entry.nsid}]) {
        if (write.submitted == command.submitted) write.completed = at;
      }
      meet_writes(at, c, command.entry, false);
      return;
    }
    if (command.entry.opcode == kNamespaceManagement || command.entry.opcode == kNamespaceAttachment) {
      Change change = changes[{c.subsystem, command.entry.nsid}];
      if (change.submitted != command.submitted) return;
      change.completed = at;
      changes[{c.subsystem, command.entry.nsid}].completed = at;
      if (command.entry.opcode == kNamespaceManagement && command.entry.nsid == 0) {
        changes[{c.subsystem, entry.dw0}] = change;  // created: known by its number from here on
      }
    } else if (command.entry.opcode == kEventRequest) {
      for (const auto& [key, change] : changes) {
        if (key.first == c.subsystem) edge(change.submitted, at, Why::event);
      }
    }
  }

  void write_register(std::uint64_t at, const trace::BoundaryEvent& event, Controller& c) {
    if (event.a != spec::reg::cc && event.kind == Boundary::register_write) return;
    edge(c.last_register, at, Why::life);
    c.last_register = at;
    const bool resets = event.kind == Boundary::function || spec::cc::en.get(event.c) == 0;
    if (event.kind == Boundary::register_read || !resets) return;
    for (const auto& [key, command] : c.open) edge(command.last, at, Why::life);
    c.open.clear();
    c.queues.clear();
  }

  void take(std::uint64_t at, const trace::BoundaryEvent& event) {
    out.command[at] = at;
    if (event.kind == Boundary::app_submit) {
      requests[event.cause] = at;
      return;
    }
    if (event.kind == Boundary::app_complete) {
      const auto last = last_of_cause.find(event.cause);
      if (last != last_of_cause.end()) edge(last->second, at, Why::request);
      const auto request = requests.find(event.cause);
      if (request != requests.end()) edge(request->second, at, Why::request);
      return;
    }
    if (event.controller >= controllers.size()) return;
    Controller& c = controllers[event.controller];
    switch (event.kind) {
      case Boundary::submitted:
        submitted(at, event, c);
        return;
      case Boundary::sq_doorbell: {
        Queue& queue = c.queues[event.queue];
        for (const std::uint64_t entry : queue.unrung) edge(entry, at, Why::submission);
        queue.unrung.clear();
        edge(queue.last_doorbell, at, Why::queue_order);
        queue.last_doorbell = at;
        return;
      }
      case Boundary::fetched:
      case Boundary::dma: {
        Queue& queue = c.queues[event.queue];
        const auto command = c.open.find(std::uint32_t{event.queue} << 16U | (event.a & 0xFFFFU));
        if (command != c.open.end()) {
          edge(command->second.last, at, Why::processing);
          command->second.last = at;
          out.command[at] = command->second.submitted;
        }
        if (event.kind == Boundary::dma) return;
        edge(queue.last_doorbell, at, Why::submission);
        edge(queue.last_fetched, at, Why::queue_order);
        queue.last_fetched = at;
        return;
      }
      case Boundary::completed:
        completed(at, event, c);
        return;
      case Boundary::interrupt:
        edge(c.last_completed, at, Why::completion);
        c.last_interrupt = at;
        return;
      case Boundary::cq_doorbell: {
        Queue& queue = c.queues[event.queue];
        for (const std::uint64_t entry : queue.unread) edge(entry, at, Why::completion);
        queue.unread.clear();
        edge(c.last_interrupt, at, Why::completion);
        return;
      }
      case Boundary::register_write:
      case Boundary::function:
        write_register(at, event, c);
        return;
      case Boundary::register_read:
        if (event.a == spec::reg::csts) write_register(at, event, c);
        return;
      default:
        return;
    }
  }
};

}  // namespace

std::string_view why_name(Why why) {
  switch (why) {
    case Why::queue_order:
      return "queue order";
    case Why::submission:
      return "submission";
    case Why::processing:
      return "processing";
    case Why::completion:
      return "completion";
    case Why::request:
      return "request";
    case Why::life:
      return "life of the controller";
    case Why::attachment:
      return "attachment";
    case Why::event:
      return "event";
    case Why::data:
      return "data";
  }
  return "";
}

Causes causes_of(const trace::Trace& trace) {
  Walk walk(trace);
  for (std::uint64_t at = 0; at < trace.events().size(); ++at) walk.take(at, trace.events()[at]);
  return std::move(walk.out);
}

}  // namespace polypath::check
