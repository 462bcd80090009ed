// A fact that is true or false, as far as boundary events tell. Commands change it at a moment that nobody
// sees, between their submission and their completion; so it has a set of possible values, and that set has a
// past.
#pragma once

#include <array>
#include <cstdint>

#include "engine/hash.h"

namespace polypath::model {

/// Number of a boundary event plus one: a moment in the order of observation. 0 is before the first event.
using Seq = std::uint64_t;
inline constexpr Seq kNow = ~Seq{0};  ///< not ended yet

class Fact {
 public:
  Fact() = default;  // unknown
  explicit Fact(bool value) : settled_(bit(value)) {}

  /// May the fact have this value at the moment?
  bool possible(bool value) const { return (settled_ & bit(value)) != 0 || pending_[value] != 0; }
  /// May it have had this value at any moment from `from` on?
  bool possible_since(bool value, Seq from) const { return possible(value) || last_possible_[value] >= from; }
  bool surely(bool value) const { return !possible(!value); }
  bool surely_since(bool value, Seq from) const { return !possible_since(!value, from); }
  /// No change is under way, and none ended after `from`.
  bool quiet_since(Seq from) const {
    return pending_[0] == 0 && pending_[1] == 0 && ended_[0] <= from && ended_[1] <= from;
  }
  /// Would a change to `target` that began at `from` and ends now surely change the value?
  bool flips(bool target, Seq from) const {
    return settled_ == bit(!target) && pending_[target] == 1 && pending_[!target] == 0 && ended_[0] <= from &&
           ended_[1] <= from;
  }
  Seq last_change(bool target) const { return pending_[target] != 0 ? kNow : ended_[target]; }

  /// A command that may set the value to `target` was submitted.
  void begin(bool target) { ++pending_[target]; }
  /// It succeeded. What overlapped it may have come after it.
  void apply(bool target, Seq from, Seq now) {
    const Before before(*this);
    --pending_[target];
    settled_ = static_cast<std::uint8_t>(bit(target) | (ended_[!target] > from ? bit(!target) : 0));
    ended_[target] = now;
    before.remember(*this, now);
  }
  /// It had no effect.
  void refuse(bool target, Seq now) {
    const Before before(*this);
    --pending_[target];
    before.remember(*this, now);
  }
  /// It may have had its effect or not, and will have none later.
  void drop(bool target, Seq now) {
    --pending_[target];
    settled_ |= bit(target);
    ended_[target] = now;
  }
  /// An observation, with no change under way, shows the value.
  void decide(bool value, Seq now) {
    const Before before(*this);
    settled_ = bit(value);
    before.remember(*this, now);
  }
  /// The value is lost.
  void forget() { settled_ = 3; }

  void hash(engine::Hasher& hasher) const {
    hasher.add(std::uint64_t{settled_} | std::uint64_t{pending_[0]} << 8U |
               std::uint64_t{pending_[1]} << 32U);
    for (const Seq seq : ended_) hasher.add(seq);
    for (const Seq seq : last_possible_) hasher.add(seq);
  }

 private:
  static constexpr std::uint8_t bit(bool value) { return value ? 2 : 1; }
  struct Before {
    explicit Before(const Fact& fact) : possible{fact.possible(false), fact.possible(true)} {}
    void remember(Fact& fact, Seq now) const {
      for (const bool value : {false, true}) {
        if (possible[value] && !fact.possible(value)) fact.last_possible_[value] = now;
      }
    }
    std::array<bool, 2> possible;
  };

  std::array<Seq, 2> ended_{};          ///< last end of a change to this value that may have had its effect
  std::array<Seq, 2> last_possible_{};  ///< last moment at which an impossible value was possible
  std::array<std::uint16_t, 2> pending_{};
  std::uint8_t settled_ = 3;  ///< values that the finished commands allow
};

}  // namespace polypath::model
