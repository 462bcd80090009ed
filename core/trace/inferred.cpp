#include "trace/inferred.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "spec/log_feature_event.h"

namespace polypath::trace {
namespace {

using engine::Time;

constexpr std::uint8_t kIdentify = 0x06, kNsAttachment = 0x15;
constexpr Time kEventWindow = engine::kSecond;

bool is_admin(const RecordedCommand& command, std::uint8_t opcode) {
  return command.queue == 0 && command.entry.opcode == opcode;
}
bool is_namespace_event(const RecordedEvent& event) {
  return event.dword == spec::event_dword(spec::EventType::notice, spec::event_info::ns_attribute_changed,
                                          spec::LogId::changed_ns);
}
bool succeeded(const RecordedCommand& command) { return command.completed() && command.status == 0; }

std::vector<std::string> names_of(const Recording& recording, const std::vector<std::uint16_t>& controllers) {
  std::vector<std::string> names;
  for (const auto index : controllers) names.push_back(recording.controllers[index].name);
  return names;
}

/// Sets of controllers that turned out to be in one subsystem.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::uint16_t{0});
  }
  std::uint16_t find(std::uint16_t index) const {
    while (parent_[index] != index) index = parent_[index];
    return index;
  }
  void join(std::uint16_t a, std::uint16_t b) {
    const auto [low, high] = std::minmax({find(a), find(b)});
    parent_[high] = low;
  }

 private:
  std::vector<std::uint16_t> parent_;
};

struct Reached {
  std::set<std::uint16_t> controllers;
  std::uint64_t blocks = 0;
};
using Key = std::pair<std::uint32_t, std::uint32_t>;  // subsystem, NSID

/// One more than the highest block of a read, write or the like that reached the media.
std::uint64_t end_of_range(const RecordedCommand& command) {
  switch (command.entry.opcode) {
    case 0x01:    // Write
    case 0x02:    // Read
    case 0x04:    // Write Uncorrectable
    case 0x05:    // Compare
    case 0x08:    // Write Zeroes
    case 0x0C: {  // Verify
      const auto first = command.entry.slba();
      const auto count = std::uint64_t{command.entry.block_count()};
      return first > std::numeric_limits<std::uint64_t>::max() - count ? first : first + count;
    }
    default:
      return 0;
  }
}

}  // namespace

std::string list_text(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

std::string seconds_text(Time time) {
  return fmt::format("{}.{:06}", time / engine::kSecond, time % engine::kSecond / engine::kMicrosecond);
}

std::vector<InferredAttachment> infer_attachments(const Recording& recording) {
  std::vector<std::size_t> commands;
  for (std::size_t i = 0; i < recording.commands.size(); ++i) {
    if (is_admin(recording.commands[i], kNsAttachment)) commands.push_back(i);
  }
  std::vector<InferredAttachment> out;
  for (std::size_t k = 0; k < commands.size(); ++k) {
    const auto& command = recording.commands[commands[k]];
    InferredAttachment attachment;
    attachment.command = commands[k];
    attachment.attach = (command.entry.cdw10 & 0xFU) == 0;
    const auto what = fmt::format("the Namespace Attachment at {} s on {} ({} namespace {})",
                                  seconds_text(command.time), recording.controllers[command.controller].name,
                                  attachment.attach ? "attach" : "detach", command.entry.nsid);
    Time until = command.time + kEventWindow;
    if (k + 1 < commands.size()) until = std::min(until, recording.commands[commands[k + 1]].time);
    std::set<std::uint16_t> reporting;
    for (const auto& event : recording.events) {
      if (event.time >= command.time && event.time < until && is_namespace_event(event))
        reporting.insert(event.controller);
    }
    if (!succeeded(command)) {
      attachment.controllers = {command.controller};
      attachment.sentence = what + " did not succeed: taken to name its own controller";
    } else if (reporting.empty()) {
      attachment.controllers = {command.controller};
      attachment.sentence = what + " was followed by no namespace event: taken to name its own controller";
    } else {
      attachment.controllers.assign(reporting.begin(), reporting.end());
      const auto names = names_of(recording, attachment.controllers);
      attachment.sentence = fmt::format("{} names {}: {} then reported a namespace event", what,
                                        list_text(names), names.size() == 1 ? "it" : "they");
    }
    out.push_back(std::move(attachment));
  }
  return out;
}

InferredTopology infer_topology(const Recording& recording,
                                const std::vector<InferredAttachment>& attachments) {
  InferredTopology out;
  Groups groups(recording.controllers.size());
  std::map<std::uint32_t, std::uint16_t> by_instance;      // Linux's subsystem instance to a controller of it
  std::map<std::uint16_t, std::set<std::string>> reasons;  // by controller, why it is with others
  for (const auto& disk : recording.disks) {
    if (!disk.path) continue;
    const auto [known, fresh] = by_instance.try_emplace(disk.subsystem, disk.controller);
    if (fresh) continue;
    if (groups.find(known->second) == groups.find(disk.controller)) continue;
    groups.join(known->second, disk.controller);
    reasons[disk.controller].insert(
        fmt::format("their paths lead to heads of subsystem instance {}", disk.subsystem));
  }
  for (const auto& attachment : attachments) {
    const auto& command = recording.commands[attachment.command];
    if (!succeeded(command)) continue;
    for (const auto controller : attachment.controllers) {
      if (groups.find(command.controller) == groups.find(controller)) continue;
      groups.join(command.controller, controller);
      reasons[controller].insert(fmt::format("{} attached or detached a namespace of {}",
                                             recording.controllers[command.controller].name,
                                             recording.controllers[controller].name));
    }
  }
  std::map<std::uint16_t, std::uint32_t> numbers;
  for (std::uint16_t i = 0; i < recording.controllers.size(); ++i) {
    const auto [known, fresh] = numbers.try_emplace(groups.find(i), out.subsystems);
    if (fresh) ++out.subsystems;
    out.subsystem_of.push_back(known->second);
  }
  for (std::uint32_t subsystem = 0; subsystem < out.subsystems; ++subsystem) {
    std::vector<std::string> names;
    std::set<std::string> why;
    for (std::uint16_t i = 0; i < recording.controllers.size(); ++i) {
      if (out.subsystem_of[i] != subsystem) continue;
      names.push_back(recording.controllers[i].name);
      why.merge(reasons[i]);
    }
    out.sentences.push_back(
        names.size() == 1
            ? names[0] + " is alone in its subsystem: nothing recorded ties it to another controller"
            : list_text(names) + " are one subsystem: " + list_text({why.begin(), why.end()}));
  }

  std::map<Key, Reached> reached;
  for (const auto& disk : recording.disks) {
    if (disk.nsid != 0)
      reached[{out.subsystem_of[disk.controller], disk.nsid}].controllers.insert(disk.controller);
  }
  for (const auto& command : recording.commands) {
    const auto nsid = command.entry.nsid;
    if (nsid == 0 || nsid == spec::kBroadcastNsid || !succeeded(command)) continue;
    const Key key{out.subsystem_of[command.controller], nsid};
    if (command.queue != 0) {
      auto& found = reached[key];
      found.controllers.insert(command.controller);
      found.blocks = std::max(found.blocks, end_of_range(command));
    } else if (is_admin(command, kIdentify)) {
      // Descriptors and I/O command set data exist for active namespaces only (CNS 03h, 05h); CNS 00h would
      // also succeed, with zeros, for one that is not attached.
      const auto cns = command.entry.cdw10 & 0xFFU;
      if (cns == 0x03 || cns == 0x05) reached[key].controllers.insert(command.controller);
    }
  }
  // Whatever an attachment names exists, and was attached at the start if its first command detaches it.
  std::map<std::pair<Key, std::uint16_t>, bool> first_is_attach;
  for (const auto& attachment : attachments) {
    const auto& command = recording.commands[attachment.command];
    if (!succeeded(command)) continue;
    const Key key{out.subsystem_of[command.controller], command.entry.nsid};
    for (const auto controller : attachment.controllers) {
      reached[key].controllers.insert(controller);
      first_is_attach.try_emplace({key, controller}, attachment.attach);
    }
  }
  for (const auto& [key, found] : reached) {
    InferredNamespace ns;
    ns.subsystem = key.first;
    ns.nsid = key.second;
    ns.blocks_seen = found.blocks;
    ns.shared = found.controllers.size() > 1;
    ns.seen_on.assign(found.controllers.begin(), found.controllers.end());
    for (const auto controller : ns.seen_on) {
      const auto first = first_is_attach.find({key, controller});
      if (first == first_is_attach.end() || !first->second) ns.attached_at_start.push_back(controller);
    }
    out.sentences.push_back(fmt::format("namespace {} is {}: it was reached through {}", ns.nsid,
                                        ns.shared ? "shared" : "private",
                                        list_text(names_of(recording, ns.seen_on))));
    out.namespaces.push_back(std::move(ns));
  }
  return out;
}

}  // namespace polypath::trace
