// The few events that matter for a finding, in causal order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/happens_before.h"
#include "model/findings.h"
#include "trace/trace.h"

namespace polypath::check {

struct Story {
  std::vector<Ordered> events;         ///< ascending
  std::vector<std::uint64_t> showing;  ///< those of them that show the broken rule
  /// Those of them that did not lead to it, as far as anybody can tell, and happened while it was awaited:
  /// resets of other controllers.
  std::vector<std::uint64_t> meanwhile;
};

inline constexpr std::size_t kStoryEvents = 16;

/// Of the ancestors of the events that show the finding, those that touch the same objects: their commands,
/// changes of their namespaces, writes of their blocks, resets of their controllers. The `most` nearest.
Story story_of(const trace::Trace& trace, const model::Finding& finding, std::size_t most = kStoryEvents);
/// The same for a step whose expectation failed: the events that it caused show it.
Story story_of_step(const trace::Trace& trace, std::uint32_t step, std::size_t most = kStoryEvents);

/// One line for each event: its number, what it was, which of the others it came right after.
std::string story_text(const trace::Trace& trace, const Story& story);
/// For Graphviz.
std::string story_dot(const trace::Trace& trace, const Story& story);

}  // namespace polypath::check
