// What one zone may be: the set of states and write pointers that the commands so far allow. Commands take
// effect at one moment between their submission and their completion, in any order, so each guess says which
// of the commands under way it has taken in already. Zoned Namespace command set, "Zone State Machine".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/hash.h"
#include "model/facts.h"
#include "spec/status.h"
#include "spec/zones.h"

namespace polypath::model {

enum class ZoneVerb : std::uint8_t { write, append, close, finish, open, reset, offline, extend };

/// What a command under way would do to a zone.
struct ZoneCommand {
  Seq submitted = 0;
  std::uint64_t at = 0, blocks = 0;  ///< of a write; `at` from the start of the zone
  std::uint16_t controller = 0;
  ZoneVerb verb = ZoneVerb::write;
  bool all = false;   ///< Select All: zones that it does not apply to are left alone
  bool lost = false;  ///< dropped by a reset that is not over
};

struct ZoneGuess {
  static constexpr std::size_t kMostApplied = 6;
  struct Applied {
    Seq submitted = 0;
    std::uint64_t at = 0;  ///< where an Append put its data
    bool operator==(const Applied&) const = default;
  };

  spec::ZoneState state = spec::ZoneState::empty;
  /// The zone descriptor has an extension.
  bool extension = false;
  std::uint8_t count = 0;
  std::uint64_t wp = 0;  ///< from the start of the zone
  std::array<Applied, kMostApplied> applied{};

  bool operator==(const ZoneGuess&) const = default;
  const Applied* find(Seq submitted) const;
  void forget(Seq submitted);
};

/// A state of the past.
struct ZonePast {
  spec::ZoneState state = spec::ZoneState::empty;
  bool extension = false;
  std::uint64_t wp = 0;
  Seq gone = 0;
};

class ZoneSet {
 public:
  /// Everything is possible. `by_itself`: media may make it read only or offline, and nobody tells.
  void forget(Seq now);
  void set_by_itself(bool by_itself) { by_itself_ = by_itself; }
  /// Media made it read only or offline. Commands under way may have come before.
  void wear(spec::ZoneState state, Seq now);
  /// One state for sure. Commands under way stay so.
  void start(spec::ZoneState state, std::uint64_t wp, bool extension, std::uint64_t capacity, Seq now);
  bool known() const { return known_; }
  /// What it was until now is not known to commands that are under way.
  void blur(Seq now) { blurred_ = now; }
  std::uint64_t capacity() const { return capacity_; }
  /// No command is under way, and none ended after `since`.
  bool quiet_since(Seq since) const { return open_.empty() && touched_ < since; }
  Seq touched() const { return touched_; }

  void begin(const ZoneCommand& command, Seq now);
  const ZoneCommand* find(Seq submitted) const;
  /// Its controller was reset: it may take effect until settle().
  void lose(Seq submitted);

  /// May the command have succeeded (with its data at `at`, of an Append), and with which errors may it have
  /// failed?
  struct Verdict {
    bool judged = false;  ///< false: the model does not know enough
    bool success = false;
    std::vector<spec::Status> errors;
  };
  Verdict judge(Seq submitted) const;
  bool may_be_at(Seq submitted, std::uint64_t at) const;

  /// It succeeded. False when it cannot have: then nothing is known any more.
  bool succeed(Seq submitted, const std::uint64_t* at, bool history, Seq now);
  /// It had no effect.
  void fail(Seq submitted, spec::Status status, bool history, Seq now);
  /// It may have had its effect or not, and will have none later.
  void settle(Seq submitted, bool history, Seq now);
  /// The same of what this controller lost in its reset.
  void settle_lost(std::uint16_t controller, bool history, Seq now);
  /// Which effect it had is not known.
  void doubt(Seq submitted, Seq now);

  /// May it have looked like this at a moment from `since` on?
  bool may_show(spec::ZoneState state, std::uint64_t wp, bool extension, Seq since) const;
  bool may_show_state(spec::ZoneState state, Seq since) const;
  /// Was it surely in another state all the time from `since` on?
  bool may_show_other(spec::ZoneState state, Seq since) const;
  /// It looked like this, while nothing was under way.
  void decide(spec::ZoneState state, std::uint64_t wp, bool extension, bool history, Seq now);

  /// No zone stays open: NVM Subsystem Reset, or all controllers shut down. `surely`: it happened. Commands
  /// under way may have come before it.
  void close_all(bool surely, bool maybe_full, Seq now);
  /// The write pointer may have fallen back to `least`.
  void fall_back(std::uint64_t least, Seq now);

  /// Bounds over all guesses, of what was possible at some time from `since` on.
  bool may_be_active(Seq since) const;
  bool may_be_open(Seq since) const;
  bool surely_active() const;
  bool surely_offline_since(Seq since) const { return offline_since_ < since; }
  bool surely_explicit() const;
  std::uint64_t least_pointer() const;
  std::uint64_t greatest_pointer() const;
  bool surely_empty() const;
  bool verb_open(ZoneVerb verb) const;
  std::size_t guesses() const { return guesses_.size(); }
  std::string text() const;

  void hash(engine::Hasher& hasher) const;

 private:
  static constexpr std::size_t kMostGuesses = 400, kMostPast = 64;
  bool explore(Seq without, std::vector<ZoneGuess>& out) const;
  void keep(const std::vector<ZoneGuess>& before, bool history, Seq now);
  void settle_guesses(std::vector<ZoneGuess>&& guesses, Seq now);
  void drop(Seq submitted);

  bool known_ = false;
  bool by_itself_ = false;
  std::uint64_t capacity_ = 0;
  Seq touched_ = 0;
  Seq blurred_ = 0;  ///< until then the past is not known
  Seq active_until_ = kNow, open_until_ = kNow;
  Seq offline_since_ = kNow;  ///< kNow: it may be in another state
  std::vector<ZoneGuess> guesses_;
  std::vector<ZoneCommand> open_;
  std::vector<ZonePast> past_;
};

bool zone_active(spec::ZoneState state);
bool zone_open(spec::ZoneState state);
/// "closed, 8 blocks written".
std::string zone_text(spec::ZoneState state, std::uint64_t wp);
/// Is the write pointer valid in this state?
bool zone_has_pointer(spec::ZoneState state);

}  // namespace polypath::model
