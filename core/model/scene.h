// What a rule works with: the state, the event at hand, and a way to speak.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

#include "model/options.h"
#include "model/state.h"
#include "trace/trace.h"

namespace polypath::model {

struct Scene {
  const trace::Trace& trace;
  State& s;
  const Options& options;
  const trace::BoundaryEvent& event;
  Seq now = 0;              ///< number of the event plus one
  Time time = 0;            ///< when the observer wrote it down
  std::uint16_t index = 0;  ///< controller that the event is about
  bool at_end = false;      ///< no event: the trace ended

  Controller& c() const { return s.controllers[index]; }
  bool sees(std::uint32_t observed) const { return (c().observed & observed) == observed; }
};

inline RuleStatistics& statistics_of(const Scene& scene, Rule rule) {
  return scene.s.statistics[static_cast<std::size_t>(rule)];
}
inline void exercised(const Scene& scene, Rule rule) { ++statistics_of(scene, rule).exercised; }
inline void inconclusive(const Scene& scene, Rule rule) { ++statistics_of(scene, rule).inconclusive; }
inline void allowed_set(const Scene& scene, Rule rule, std::size_t size) {
  auto& statistics = statistics_of(scene, rule);
  ++statistics.sets;
  statistics.set_sizes += size;
}

/// Reports that a rule is broken. The event at hand is among the events that show it, and those given (0:
/// none).
void violation(const Scene& scene, Rule rule, std::string summary, std::string allowed, std::string seen,
               std::initializer_list<Seq> events = {});

/// Name of a controller in texts.
const std::string& name_of(const Scene& scene, std::uint16_t controller);
/// "after 12 s", from `since` to now; at the end of a world at rest it says so, too.
std::string since_text(const Scene& scene, Time since);
/// "nvme0 queue 1 read nsid 1 slba 8 nlb 8" for texts.
std::string text_of(const Scene& scene, const Command& command);

template <class T>
T read_as(std::span<const std::byte> bytes) {
  T value{};
  if (!bytes.empty()) std::memcpy(&value, bytes.data(), std::min(sizeof(T), bytes.size()));
  return value;
}

}  // namespace polypath::model
