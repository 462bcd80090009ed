// The reference model: a monitor over the boundary events of a trace. It knows what the standard allows,
// nothing of how a controller is made. docs/model.md says how it judges.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/findings.h"
#include "model/options.h"
#include "model/state.h"
#include "trace/trace.h"

namespace polypath::model {

/// A value: a copy is a snapshot, which goes on with the same trace (after Trace::rewind to the same moment).
class Monitor {
 public:
  /// Takes the header as initial facts. The trace outlives the monitor.
  explicit Monitor(const trace::Trace& trace, const Options& options = {});

  /// Takes in the events that came since the last call.
  void advance();
  /// The trace was forgotten (Trace::forget) after advance: its next event is number 0 again there, not here.
  void forgotten();
  /// The trace ends: what should have happened and did not. `until` is how long it was observed; without it,
  /// up to its last event. A world in which nothing can happen any more was observed for ever
  /// (engine::kForever).
  void finish(Time until = 0);

  const std::vector<Finding>& findings() const { return state_.findings; }
  /// By rule, in the order of rules().
  std::span<const RuleStatistics> statistics() const { return state_.statistics; }
  const RuleStatistics& statistics(Rule rule) const {
    return state_.statistics[static_cast<std::size_t>(rule)];
  }
  Verdict verdict() const;
  /// Of everything it knows: equal hashes, equal judgments of the same future.
  std::uint64_t hash() const;
  std::uint64_t events() const { return next_; }

 private:
  void take(const trace::BoundaryEvent& event);

  const trace::Trace* trace_;
  Options options_;
  State state_;
  std::uint64_t next_ = 0;  ///< events taken in
  std::uint64_t base_ = 0;  ///< events that the trace has forgotten
};

}  // namespace polypath::model
