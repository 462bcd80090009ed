// Runs inputs, one after the other, fast: the world of each shape is set up once and restored before a run;
// the model goes on from a copy of what it knew then.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fuzz/counters.h"
#include "fuzz/target.h"
#include "model/statistics.h"
#include "trace/trace.h"

namespace polypath::fuzz {

struct ArenaOptions {
  const Target* target = &attach_target();
  std::string fault;     ///< planted fault that is on from the start, empty none
  bool model = true;     ///< false: nothing is judged
  bool counters = true;  ///< fill Arena::counters()
  bool rules = false;    ///< add up Arena::statistics()
};

/// Of one run. Valid until the next.
struct Result {
  std::uint64_t steps = 0, events = 0;       ///< steps done and boundary events, set-up not counted
  bool cut = false;                          ///< a limit was reached
  std::span<const model::Finding> findings;  ///< hazards among them
  const trace::Trace* trace = nullptr;

  /// First finding that is no hazard, null when the run is clean.
  const model::Finding* violation() const;
};

class Arena {
 public:
  explicit Arena(ArenaOptions options = {});
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// The same input gives the same result whatever ran before.
  Result run(const Input& input);
  Counters& counters() { return counters_; }
  const ArenaOptions& options() const { return options_; }
  /// Of all runs so far, the set-up of each counted.
  const model::Statistics& statistics() const { return statistics_; }

 private:
  struct Prepared;
  Prepared& prepared(const Shape& shape);

  struct Place {
    std::uint64_t key = 0, used = 0;
    std::unique_ptr<Prepared> world;
  };
  static constexpr std::size_t kWorlds = 128;  // bounds memory
  ArenaOptions options_;
  std::array<Place, kWorlds> worlds_;
  std::uint64_t uses_ = 0;
  Counters counters_;
  model::Statistics statistics_{};
};

/// What makes two findings the same for a person: the rule, and the command and status, register or doorbell
/// of the event that broke it. "INV-NS-10 completed read 0x0000".
std::string shape_of(const trace::Trace& trace, const model::Finding& finding);

}  // namespace polypath::fuzz
