#include "replay/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>

#include "spec/commands.h"
#include "trace/text.h"

namespace polypath::replay {
namespace {

using trace::Boundary;

/// What the simulated trace shows of each recorded command, and of events.
struct Replayed {
  std::vector<bool> submitted;
  std::vector<std::optional<std::uint16_t>> status;
  std::map<std::uint16_t, std::vector<std::uint32_t>> events;  // by the topology's controller
};

Replayed read_trace(const Stimulus& stimulus, const trace::Trace& trace, std::size_t commands) {
  constexpr std::uint8_t kAsyncEventRequest = 0x0C;
  Replayed out;
  out.submitted.resize(commands);
  out.status.resize(commands);
  using Key = std::tuple<std::uint16_t, std::uint16_t, std::uint16_t>;  // controller, queue, CID
  struct Open {
    std::optional<std::size_t> command;
    bool event_request = false;
  };
  std::map<Key, Open> open;
  for (const auto& event : trace.events()) {
    trace::Parts parts;
    if (event.kind == Boundary::submitted && trace::read_submitted(trace, event, parts)) {
      spec::SubmissionEntry entry;
      std::memcpy(&entry, parts.entry.data(), sizeof entry);
      Open now;
      now.event_request = event.queue == 0 && entry.opcode == kAsyncEventRequest;
      const auto command = stimulus.command_of_step.find(event.cause);
      if (command != stimulus.command_of_step.end()) {
        now.command = command->second;
        out.submitted[command->second] = true;
      }
      open[{event.controller, event.queue, entry.cid}] = now;
    } else if (event.kind == Boundary::completed && trace::read_completed(trace, event, parts)) {
      spec::CompletionEntry entry;
      std::memcpy(&entry, parts.entry.data(), sizeof entry);
      const auto known = open.find({event.controller, entry.sqid, entry.cid});
      if (known == open.end()) continue;
      if (known->second.command) out.status[*known->second.command] = entry.linux_status();
      // Events of the set-up were answered before the recording began.
      if (known->second.event_request && entry.linux_status() == 0 && event.earliest >= stimulus.begin) {
        out.events[event.controller].push_back(entry.dw0);
      }
      open.erase(known);
    }
  }
  return out;
}

void count(const trace::Recording& recording, ReplayResult& result) {
  result.commands = recording.commands.size();
  result.completions = recording.completions();
  result.unmatched = recording.unmatched_lines;
  result.unmatched_lines = recording.unmatched;
  result.lost_events = recording.lost_events;
  result.events_recorded = recording.events.size();
  for (const auto& command : recording.commands) {
    const auto* row = spec::find_command(spec::set_of_queue(command.queue), command.entry.opcode);
    ++result.kinds[row != nullptr ? std::string(row->name)
                                  : fmt::format("{} opcode {:#04x}", command.queue == 0 ? "admin" : "I/O",
                                                command.entry.opcode)];
    ++result.statuses[command.completed() ? trace::status_text(command.status) : "not recorded"];
    if (command.queue == 0) continue;
    ++result.paths[command.disk != trace::kNoDisk ? recording.disks[command.disk].name
                                                  : recording.controllers[command.controller].name];
  }
  for (const auto& event : recording.events) {
    ++result
          .events[recording.controllers[event.controller].name + " " + trace::async_event_text(event.dword)];
  }
}

void compare_events(const trace::Recording& recording, const Stimulus& stimulus, const Replayed& replayed,
                    ReplayResult& result) {
  std::map<std::uint16_t, std::vector<std::uint32_t>> recorded;
  for (const auto& event : recording.events) recorded[event.controller].push_back(event.dword);
  for (std::uint16_t i = 0; i < recording.controllers.size(); ++i) {
    const auto mine = recorded.find(i);
    const auto theirs = replayed.events.find(stimulus.controller_of[i]);
    const std::vector<std::uint32_t> none;
    const auto& left = mine != recorded.end() ? mine->second : none;
    const auto& right = theirs != replayed.events.end() ? theirs->second : none;
    for (std::size_t k = 0; k < std::max(left.size(), right.size()); ++k) {
      if (k < left.size() && k < right.size() && left[k] == right[k]) {
        ++result.events_agree;
        continue;
      }
      const auto text = [k](const std::vector<std::uint32_t>& events) {
        return k < events.size() ? trace::async_event_text(events[k]) : std::string("none");
      };
      result.events_differ.push_back({recording.controllers[i].name, k + 1, text(left), text(right)});
    }
  }
}

}  // namespace

ReplayResult compare(const trace::Recording& recording, const Stimulus& stimulus,
                     const trace::Trace& replayed_trace,
                     const std::map<std::uint32_t, std::string>& trouble) {
  ReplayResult result;
  count(recording, result);
  result.inferences = stimulus.inferences;
  result.not_replayed = stimulus.not_replayed;
  const Replayed replayed = read_trace(stimulus, replayed_trace, recording.commands.size());
  for (std::size_t i = 0; i < recording.commands.size(); ++i) {
    const auto step = stimulus.step_of_command[i];
    if (step == 0) continue;  // is in not_replayed
    const auto& command = recording.commands[i];
    if (!command.completed() || command.ended_by_host()) {
      ++result.open;
      continue;
    }
    if (replayed.status[i] == command.status) {
      ++result.agree;
      continue;
    }
    Differing differing;
    differing.time_ns = command.time;
    differing.controller = recording.controllers[command.controller].name;
    differing.queue = command.queue;
    differing.cid = command.entry.cid;
    differing.recorded = trace::status_text(command.status);
    const auto why = trouble.find(step);
    if (replayed.status[i]) {
      differing.replayed = trace::status_text(*replayed.status[i]);
      differing.reason = trace::command_text(command.queue, command.entry) + " ended otherwise";
    } else if (replayed.submitted[i]) {
      differing.replayed = "no completion";
      differing.reason = trace::command_text(command.queue, command.entry) + " did not end";
    } else {
      differing.replayed = "not sent";
      differing.reason = why != trouble.end() ? why->second : "the run ended before its turn";
    }
    result.differ.push_back(std::move(differing));
  }
  compare_events(recording, stimulus, replayed, result);
  return result;
}

}  // namespace polypath::replay
