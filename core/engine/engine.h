// The discrete-event engine: one clock, timed events in a total order (time, then insertion), a ready set for
// work whose order the standard leaves open, decisions that answer to (cause, site, how-many-th), and
// injected input. An Engine is a value: copying it is a snapshot, assigning the copy restores it. It knows
// nothing of NVMe.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/event_queue.h"
#include "engine/hash.h"
#include "engine/time.h"

namespace polypath::engine {

/// What made something happen: the id of a program step (0: the world itself). Events inherit the cause of
/// the event or step during which they were scheduled, so removing one step leaves the decisions of all
/// others as they were.
struct Cause {
  std::uint32_t id = 0;
  std::uint8_t latitude = 0;  ///< 0 benign: every decision answers 0; n > 0: answers vary with n
  bool operator==(const Cause&) const = default;
};

/// A place where something is left open. Numbers are permanent: recorded overrides name them.
using Site = std::uint16_t;

/// The engine's own site: the rank of a ready item. The lowest rank happens first, benign items have
/// kBenignRank.
inline constexpr Site kReadySite = 0xFFFF;
inline constexpr std::uint64_t kBenignRank = std::uint64_t{1} << 63U;

/// Exact answer for one decision, from a recording.
struct DecisionOverride {
  std::uint32_t cause = 0;
  Site site = 0;
  std::uint32_t nth = 0;
  std::uint64_t value = 0;
  bool operator==(const DecisionOverride&) const = default;
};

/// Names a cancellable event. The default names none.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const Ticket&) const = default;
  template <class V>
  void fields(V&& v) const {
    v("slot", slot);
    v("generation", generation);
  }
};

enum class HashKind : std::uint8_t {
  exact,     ///< equal futures and equal past numbers: absolute times, stamps, generations
  canonical  ///< equal futures only, for exploration, which makes the open choices itself: times relative to
             ///< now, ready work as a set, overrides counted from here; no numbers of tickets, decisions or
             ///< injections
};

/// Bytes that came from outside (a socket, a real device, a script), recorded so that the run can be
/// repeated: a replay injects the same again when events_handled() is `after`, under the same cause.
struct Injection {
  Time at = 0;
  std::uint32_t source = 0;
  std::uint64_t offset = 0, bytes = 0;  ///< place in the record; see Engine::injected_bytes()
  std::uint64_t after = 0;              ///< events handled before it came
  Cause cause;
  std::uint16_t what = 0;
  std::uint32_t whom = 0;
};

class Engine {
 public:
  explicit Engine(std::uint64_t seed = 0);

  Time now() const { return now_; }
  std::uint64_t seed() const { return seed_; }

  /// The cause that everything scheduled or decided from here on belongs to.
  Cause cause() const { return cause_; }
  void set_cause(Cause cause) { cause_ = cause; }

  /// Puts an event at `at` (not before now; an earlier time means now). `what` is the caller's event kind. An
  /// event at kForever never happens and is not kept.
  void schedule(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  /// The same, with a ticket to cancel it (the empty ticket at kForever).
  Ticket schedule_cancellable(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  /// True if the event was still pending; it will not happen then. Amortized constant time; a stale ticket is
  /// harmless.
  bool cancel(Ticket ticket);
  bool pending(Ticket ticket) const;

  /// Adds work that may happen now in any order relative to other ready work. Benign order: insertion. An
  /// item with latitude goes before or after the benign ones, by a rank that depends on its own (cause, nth)
  /// only.
  void ready(std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  std::size_t ready_count() const { return ready_.size() - ready_taken_; }
  /// Exploration chooses which ready item the next call of next() takes, by position in insertion order; -1
  /// (or a position that does not exist) lets the decision rule choose. Holds for one item.
  void choose_ready(std::ptrdiff_t position) { chosen_ready_ = position; }
  /// Linear in ready_count(): for exploration, not for hot paths.
  const Event& ready_at(std::size_t position) const { return ready_[ready_index(position)].event; }

  /// Exploration also chooses among timed events, where their durations are free: the next call of next()
  /// takes this live one, by position in their order, before ready work; -1 (or a position that does not
  /// exist) chooses none. The clock stays where it is, or moves to the event's time: then it must be one of
  /// the earliest. Holds for one call. Linear in pending_events().
  void choose_pending(std::ptrdiff_t position, bool clock_moves = false) {
    chosen_pending_ = position;
    clock_moves_ = clock_moves;
  }
  /// Calls f(event) for every live timed event in the order in which they would happen.
  template <class F>
  void for_each_pending(F&& f) const {
    queue_.for_each_in_order([&](const Event& event) {
      if (live(event)) f(event);
    });
  }

  /// Takes the next thing that happens: a ready item if there is one, else the earliest event, moving the
  /// clock to it. Sets the cause. False when nothing is left, or the next event lies after `until`; then
  /// now() becomes `until`, unless that is kForever.
  bool next(Event& out, Time until = kForever);
  /// Time of the next happening (now() when something is ready), kForever when nothing is pending.
  Time next_time() const;
  bool idle() const { return ready_count() == 0 && pending_events() == 0; }

  /// Answer in [0, choices) for this site under the current cause. 0 when benign; an override wins over both
  /// (modulo `choices`, so that any recorded number is an answer).
  std::uint64_t decide(Site site, std::uint64_t choices);
  /// Like decide, with an override's value unbounded: a duration of `typical` ns, stretched by latitude up to
  /// `most`. Each order of magnitude of the stretch is as likely as any other, and so is none.
  Time duration(Site site, Time typical, Time most);
  /// Before the run: benign decisions are counted only when there are overrides. Of equal keys the
  /// lowest value counts.
  void set_overrides(std::vector<DecisionOverride> overrides);

  /// The single entrance for outside input: records it and schedules `what` for `whom` with the injection's
  /// index.
  void inject(std::uint32_t source, std::span<const std::byte> payload, Time at, std::uint16_t what,
              std::uint32_t whom);
  std::span<const Injection> injections() const { return injections_; }
  std::span<const std::byte> injected_bytes(std::size_t index) const;

  std::uint64_t events_handled() const { return handled_; }
  /// Timed events that are neither cancelled nor handled.
  std::size_t pending_events() const { return queue_.size() - cancelled_; }
  /// Room taken for pending events, cancelled ones included until they are swept.
  std::size_t queued_events() const { return queue_.size(); }

  void hash(Hasher& hasher, HashKind kind) const;

 private:
  struct ReadyItem {
    Event event;
    std::uint64_t rank = kBenignRank;
    bool taken = false;
  };
  struct RankedPosition {
    std::uint64_t rank = 0;
    std::size_t position = 0;  ///< in ready_
    auto operator<=>(const RankedPosition&) const = default;
  };
  struct TicketSlot {
    std::uint32_t generation = 1;
    bool live = false;
  };
  struct Counter {
    std::uint64_t key = 0;  ///< cause << 16 | site
    std::uint32_t count = 0;
  };
  struct Answer {
    std::uint64_t value = 0;
    enum class By : std::uint8_t { benign, latitude, recording } by = By::benign;
  };

  Event make_event(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg) const;
  bool live(const Event& event) const { return event.ticket == 0 || tickets_[event.ticket - 1].live; }
  void retire(std::uint32_t ticket);
  void sweep();
  Answer answer(Site site);
  std::uint32_t count(Site site);
  std::uint32_t counted(std::uint32_t cause, Site site) const;
  std::size_t ready_index(std::size_t position) const;
  std::size_t next_ready();
  void take_ready(Event& out);
  bool take_pending(Event& out);
  void compact_ready();
  void hash_exact(Hasher& hasher) const;
  void hash_canonical(Hasher& hasher) const;

  std::uint64_t seed_ = 0;
  Time now_ = 0;
  Cause cause_;
  EventQueue queue_;

  std::vector<ReadyItem> ready_;        ///< in order of insertion; taken ones stay until compact_ready
  std::vector<RankedPosition> ranked_;  ///< heap of the items that are not benign; may name taken ones
  std::size_t ready_taken_ = 0;
  std::size_t benign_ = 0;  ///< no item before this position of ready_ is benign and not taken
  std::ptrdiff_t chosen_ready_ = -1;
  std::ptrdiff_t chosen_pending_ = -1;
  bool clock_moves_ = false;

  std::vector<TicketSlot> tickets_;          ///< slot n is tickets_[n - 1]
  std::vector<std::uint32_t> free_tickets_;  ///< slots whose event has left the queue
  std::size_t cancelled_ = 0;                ///< cancelled events that are still in the queue

  std::vector<Counter> counters_;            ///< sorted by key
  std::size_t last_counter_ = 0;             ///< where the last one was found: decisions come in bursts
  std::vector<DecisionOverride> overrides_;  ///< sorted by (cause, site, nth)

  std::vector<Injection> injections_;
  std::vector<std::byte> injected_;
  std::uint64_t injected_hash_ = 0;  ///< of all that was injected, in order
  std::uint64_t handled_ = 0;
};

}  // namespace polypath::engine
