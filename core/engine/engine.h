// The discrete-event engine: one clock, timed events in a total order (time, then insertion), a ready set for work
// whose order the standard leaves open, decisions that answer to (cause, site, how-many-th), and injected input.
// An Engine is a value: copying it is a snapshot, assigning the copy restores it. It knows nothing of NVMe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/event_queue.h"
#include "engine/hash.h"
#include "engine/time.h"

namespace polypath::engine {

/// What made something happen: the id of a program step (0: the world itself). Events inherit the cause of the event
/// or step during which they were scheduled, so removing one step leaves the decisions of all others as they were.
struct Cause {
  std::uint32_t id = 0;
  std::uint8_t latitude = 0;  ///< 0 benign: every decision answers 0; n > 0: answers vary with n
  bool operator==(const Cause&) const = default;
};

/// A place where something is left open. Numbers are permanent: recorded overrides name them.
using Site = std::uint16_t;

/// Exact answer for one decision, from a recording.
struct DecisionOverride {
  std::uint32_t cause = 0;
  Site site = 0;
  std::uint32_t nth = 0;
  std::uint64_t value = 0;
};

/// Names a cancellable event. The default names none.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const Ticket&) const = default;
};

enum class HashKind : std::uint8_t {
  exact,     ///< equal futures and equal past numbers: absolute times, stamps, generations
  canonical  ///< equal futures only: times relative to now, for exploration
};

/// Bytes that came from outside (a socket, a real device, a script), recorded so that the run can be repeated.
struct Injection {
  Time at = 0;
  std::uint32_t source = 0;
  std::uint64_t offset = 0, bytes = 0;  ///< place in Engine::injected_bytes()
};

class Engine {
 public:
  explicit Engine(std::uint64_t seed = 0);

  Time now() const { return now_; }
  std::uint64_t seed() const { return seed_; }

  /// The cause that everything scheduled or decided from here on belongs to.
  Cause cause() const { return cause_; }
  void set_cause(Cause cause) { cause_ = cause; }

  /// Puts an event at `at` (not before now; an earlier time means now). `what` is the caller's event kind.
  void schedule(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  /// The same, with a ticket to cancel it.
  Ticket schedule_cancellable(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  /// True if the event was still pending; it will not happen then. Constant time; a stale ticket is harmless.
  bool cancel(Ticket ticket);
  bool pending(Ticket ticket) const;

  /// Adds work that may happen now in any order relative to other ready work. Benign order: insertion.
  void ready(std::uint16_t what, std::uint32_t whom, std::uint64_t arg);
  std::size_t ready_count() const { return ready_.size(); }
  /// Exploration chooses which ready item is next, by position in insertion order; -1 lets the decision rule choose.
  void choose_ready(std::ptrdiff_t position) { chosen_ready_ = position; }
  const Event& ready_at(std::size_t position) const { return ready_[position].event; }

  /// Takes the next thing that happens: a ready item if there is one, else the earliest event, moving the clock to it.
  /// Sets the cause. False when nothing is left, or the next event lies after `until` (then now() becomes `until`).
  bool next(Event& out, Time until = kForever);
  /// Time of the next happening (now() when something is ready), kForever when nothing is pending.
  Time next_time();
  bool idle() { return next_time() == kForever; }

  /// Answer in [0, choices) for this site under the current cause. 0 when benign; an override wins over both.
  std::uint64_t decide(Site site, std::uint64_t choices);
  /// Like decide, with an override's value unbounded: a duration of `typical` ns, stretched by latitude up to `most`.
  Time duration(Site site, Time typical, Time most);
  void set_overrides(std::vector<DecisionOverride> overrides);

  /// The single entrance for outside input: records it and schedules `what` for `whom` with the injection's index.
  void inject(std::uint32_t source, std::span<const std::byte> payload, Time at, std::uint16_t what,
              std::uint32_t whom);
  std::span<const Injection> injections() const { return injections_; }
  std::span<const std::byte> injected_bytes(std::size_t index) const;

  std::uint64_t events_handled() const { return handled_; }
  std::size_t pending_events() const;  ///< timed events that are neither cancelled nor handled

  void hash(Hasher& hasher, HashKind kind) const;

 private:
  struct ReadyItem {
    Event event;
    std::uint64_t rank = 0;  ///< 0 benign, else a hash of the item's own key: independent of its neighbours
  };
  struct TicketSlot {
    std::uint32_t generation = 1;
    bool live = false;
  };
  struct Counter {
    std::uint64_t key = 0;  ///< cause << 16 | site
    std::uint32_t count = 0;
  };

  std::uint32_t nth(Site site);

  std::uint64_t seed_ = 0;
  Time now_ = 0;
  Cause cause_;
  EventQueue queue_;
  std::vector<ReadyItem> ready_;
  std::ptrdiff_t chosen_ready_ = -1;
  std::vector<TicketSlot> tickets_;
  std::vector<std::uint32_t> free_tickets_;
  std::vector<Counter> counters_;  ///< sorted by key
  std::vector<DecisionOverride> overrides_;  ///< sorted by (cause, site, nth)
  std::vector<Injection> injections_;
  std::vector<std::byte> injected_;
  std::uint64_t handled_ = 0;
  std::size_t cancelled_ = 0;
};

}  // namespace polypath::engine
