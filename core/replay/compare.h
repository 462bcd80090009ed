// What a replay did, beside what was recorded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replay/stimulus.h"
#include "trace/recording.h"
#include "trace/trace.h"

namespace polypath::replay {

/// A recorded command that ended otherwise in the replay.
struct Differing {
  engine::Time time_ns = 0;  ///< of the recording's clock
  std::string controller;
  std::uint16_t queue = 0;
  std::uint16_t cid = 0;
  std::string recorded;  ///< "invalid_field+DNR (0x4002)"
  std::string replayed;
  std::string reason;
};

struct DifferingEvent {
  std::string controller;
  std::size_t number = 0;  ///< the how many-th of this controller, from 1
  std::string recorded, replayed;
};

/// Every recorded command is in exactly one of agree, differ, not_replayed, open.
struct ReplayResult {
  std::uint64_t commands = 0, completions = 0;
  std::uint64_t agree = 0;
  std::vector<Differing> differ;
  std::vector<NotReplayed> not_replayed;
  std::uint64_t open = 0;       ///< sent, but the recording does not show how the controller ended them
  std::uint64_t unmatched = 0;  ///< lines of the recording that found no place
  std::vector<trace::UnmatchedLine> unmatched_lines;  ///< the first of them
  std::uint64_t lost_events = 0;                      ///< that the tracer says it dropped
  std::uint64_t events_recorded = 0, events_agree = 0;
  std::vector<DifferingEvent> events_differ;
  std::map<std::string, std::uint64_t> kinds;     ///< commands by name
  std::map<std::string, std::uint64_t> statuses;  ///< recorded completions by status
  std::map<std::string, std::uint64_t>
      paths;  ///< I/O commands by disk (controller when no disk was recorded)
  std::map<std::string, std::uint64_t> events;  ///< recorded events by controller and meaning
  std::vector<std::string> inferences;

  bool clean() const { return differ.empty() && events_differ.empty(); }
};

/// `trouble` names, by step id, why a step could not be carried out.
ReplayResult compare(const trace::Recording& recording, const Stimulus& stimulus,
                     const trace::Trace& replayed, const std::map<std::uint32_t, std::string>& trouble);

}  // namespace polypath::replay
