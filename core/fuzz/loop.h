// The fuzzing loop: makes inputs, runs them, keeps those that show new states, reports what breaks a rule.
// What it does depends on its seed and the inputs it was given only; budgets of time are its caller's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/random.h"
#include "fuzz/arena.h"
#include "fuzz/input.h"

namespace polypath::fuzz {

struct Found {
  Input input;        ///< with the moves that do not matter taken out
  std::string rule;   ///< id
  std::string shape;  ///< see shape_of
};

class Loop {
 public:
  /// With a latitude (see set_latitude), every input gets it.
  Loop(ArenaOptions options, std::uint64_t seed, std::optional<std::uint8_t> latitude = {});

  /// The input that the next step runs, made already: a caller can put it where it survives a crash.
  const Input& next() const { return next_; }
  /// Runs it. True when it broke a rule in a shape that was not reported before; `found` says how.
  bool step(Found& found);
  /// An input of an earlier campaign, or of a colleague: kept when it shows anything new here.
  void offer(const Input& input);
  /// A shape that needs no report any more.
  void forget_shape(const std::string& shape) { shapes_.insert(shape); }

  /// True when the input of the last step was kept.
  bool kept() const { return kept_; }
  const std::vector<Input>& corpus() const { return corpus_; }
  std::uint64_t runs() const { return runs_; }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t violations() const { return violations_; }
  std::size_t states() const { return states_; }
  const model::Statistics& statistics() const { return arena_.statistics(); }

 private:
  void make_next();
  void choose_next();
  bool new_states();
  Input shrink(const Input& input, const std::string& shape);

  Arena arena_;
  engine::Random dice_;
  std::optional<std::uint8_t> latitude_;
  Input next_;
  std::vector<Input> corpus_;
  std::array<std::uint8_t, kCounters> seen_{};  ///< by counter: bit set of its magnitudes seen
  std::set<std::string> shapes_;
  std::uint64_t runs_ = 0, steps_ = 0, violations_ = 0;
  std::size_t states_ = 0;
  bool kept_ = false;
};

}  // namespace polypath::fuzz
