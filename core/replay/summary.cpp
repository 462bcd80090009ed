// How a replay is told to people and to programs.
#include <fmt/format.h>

#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "replay/replay.h"
#include "trace/inferred.h"

namespace polypath::replay {
namespace {

constexpr std::size_t kShown = 20;

std::string file_name(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string counts(const std::map<std::string, std::uint64_t>& by_name) {
  std::string text;
  for (const auto& [name, count] : by_name)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  return text.empty() ? "none" : text;
}

std::map<std::string, std::uint64_t> by_reason(const std::vector<NotReplayed>& commands) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& command : commands) ++out[command.reason];
  return out;
}

}  // namespace

std::string summary_text(const trace::Recording& recording, const ReplayResult& result) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}: {} commands, {} completions, {} events in {} s\n", file_name(recording.name),
                 result.commands, result.completions, result.events_recorded,
                 trace::seconds_text(recording.last_time - recording.first_time));
  fmt::format_to(out, "  commands   {}\n", counts(result.kinds));
  fmt::format_to(out, "  statuses   {}\n", counts(result.statuses));
  fmt::format_to(out, "  paths      {}\n", counts(result.paths));
  fmt::format_to(out, "  events     {}\n", counts(result.events));
  fmt::format_to(
      out, "  not used   {} unmatched lines, {} of the block layer, {} of other tracers, {} dropped events\n",
      result.unmatched, recording.block_lines, recording.other_lines, result.lost_events);
  for (const auto& line : result.unmatched_lines)
    fmt::format_to(out, "    line {}: {}\n", line.line, line.reason);
  fmt::format_to(out, "replayed:    {} agree, {} differ", result.agree, result.differ.size());
  if (!result.not_replayed.empty()) fmt::format_to(out, ", {} not replayed", result.not_replayed.size());
  if (result.open != 0)
    fmt::format_to(out, ", {} that no recorded entry of the controller ended", result.open);
  fmt::format_to(out, "; {} of {} events agree\n", result.events_agree, result.events_recorded);
  for (const auto& [reason, count] : by_reason(result.not_replayed)) {
    fmt::format_to(out, "  not replayed: {} ({})\n", count, reason);
  }
  for (std::size_t i = 0; i < result.differ.size() && i < kShown; ++i) {
    const auto& d = result.differ[i];
    fmt::format_to(out, "  differs at {} s, {} queue {} cid {}: recorded {}, replayed {} ({})\n",
                   trace::seconds_text(d.time_ns), d.controller, d.queue, d.cid, d.recorded, d.replayed,
                   d.reason);
  }
  if (result.differ.size() > kShown)
    fmt::format_to(out, "  ... and {} more\n", result.differ.size() - kShown);
  for (const auto& d : result.events_differ) {
    fmt::format_to(out, "  event {} of {}: recorded {}, replayed {}\n", d.number, d.controller, d.recorded,
                   d.replayed);
  }
  fmt::format_to(out, "inferred:\n");
  for (const auto& sentence : result.inferences) fmt::format_to(out, "  - {}\n", sentence);
  return text;
}

std::string summary_json(const trace::Recording& recording, const ReplayResult& result) {
  nlohmann::ordered_json json;
  json["file"] = recording.name;
  json["commands"] = result.commands;
  json["completions"] = result.completions;
  json["agree"] = result.agree;
  json["differ"] = nlohmann::ordered_json::array();
  for (const auto& d : result.differ) {
    json["differ"].push_back({{"time_ns", d.time_ns},
                              {"controller", d.controller},
                              {"queue", d.queue},
                              {"cid", d.cid},
                              {"recorded", d.recorded},
                              {"replayed", d.replayed},
                              {"reason", d.reason}});
  }
  json["not_replayed"] = by_reason(result.not_replayed);
  json["open"] = result.open;
  json["unmatched"] = result.unmatched;
  json["lost_events"] = result.lost_events;
  json["kinds"] = result.kinds;
  json["statuses"] = result.statuses;
  json["paths"] = result.paths;
  json["events"] = result.events;
  json["events_recorded"] = result.events_recorded;
  json["events_agree"] = result.events_agree;
  json["events_differ"] = nlohmann::ordered_json::array();
  for (const auto& d : result.events_differ) {
    json["events_differ"].push_back({{"controller", d.controller},
                                     {"number", d.number},
                                     {"recorded", d.recorded},
                                     {"replayed", d.replayed}});
  }
  json["inferences"] = result.inferences;
  // File names need not be UTF-8; what is not is replaced, so that this never throws.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace polypath::replay
