// The clock, timed events, cancellation and outside input. The plain list of events beside the engine is the
// oracle.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "allocations.h"
#include "engine/random.h"

namespace polypath::engine {
namespace {

std::uint64_t hash_of(const Engine& engine, HashKind kind) {
  Hasher hasher;
  engine.hash(hasher, kind);
  return hasher.value();
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

// ---- The clock ----

TEST(Clock, events_happen_in_order_of_time_then_of_scheduling_and_move_it) {
  Engine engine;
  engine.schedule(20, 1, 0, 0);
  engine.schedule(10, 2, 0, 0);
  engine.schedule(20, 3, 0, 0);
  EXPECT_EQ(engine.next_time(), 10U);
  Event event;
  std::vector<std::pair<Time, int>> seen;
  while (engine.next(event)) {
    EXPECT_EQ(engine.now(), event.at);
    seen.emplace_back(event.at, event.what);
  }
  EXPECT_EQ(seen, (std::vector<std::pair<Time, int>>{{10, 2}, {20, 1}, {20, 3}}));
  EXPECT_EQ(engine.now(), 20U);
  EXPECT_EQ(engine.events_handled(), 3U);
  EXPECT_TRUE(engine.idle());
  EXPECT_EQ(engine.next_time(), kForever);
}

TEST(Clock, stops_at_until_and_goes_there_even_when_nothing_is_left) {
  Engine engine;
  engine.schedule(100, 1, 0, 0);
  Event event;
  EXPECT_FALSE(engine.next(event, 99));
  EXPECT_EQ(engine.now(), 99U);
  EXPECT_TRUE(engine.next(event, 100));
  EXPECT_FALSE(engine.next(event, 500));
  EXPECT_EQ(engine.now(), 500U);
  EXPECT_FALSE(engine.next(event));
  EXPECT_EQ(engine.now(), 500U);
  EXPECT_FALSE(engine.next(event, 400));
  EXPECT_EQ(engine.now(), 500U) << "never backwards";
}

TEST(Clock, an_event_in_the_past_means_now_and_one_at_forever_does_not_happen) {
  Engine engine;
  Event event;
  engine.next(event, 50);
  engine.schedule(3, 1, 0, 0);
  engine.schedule(kForever, 2, 0, 0);
  EXPECT_EQ(engine.schedule_cancellable(kForever, 3, 0, 0), Ticket{});
  EXPECT_FALSE(engine.pending(Ticket{}));
  EXPECT_FALSE(engine.cancel(Ticket{}));
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.what, 1);
  EXPECT_EQ(engine.now(), 50U);
  EXPECT_FALSE(engine.next(event));
}

TEST(Clock, a_delay_that_does_not_fit_is_forever) {
  EXPECT_EQ(after(5, 7), 12U);
  EXPECT_EQ(after(5, kForever), kForever);
  EXPECT_EQ(after(kForever - 1, 1), kForever);
  EXPECT_EQ(after(kForever, 0), kForever);
}

TEST(Clock, events_and_ready_work_carry_the_cause_under_which_they_were_scheduled) {
  Engine engine;
  engine.set_cause({7, 3});
  engine.schedule(10, 1, 2, 4);
  engine.ready(5, 0, 0);
  engine.set_cause({8, 0});
  engine.schedule(10, 1, 2, 4);
  engine.set_cause({});
  Event event;
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(engine.cause(), (Cause{7, 3}));
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(engine.cause(), (Cause{7, 3}));
  EXPECT_EQ(event.whom, 2U);
  EXPECT_EQ(event.arg, 4U);
  engine.schedule(10, 9, 0, 0);  // inherits
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(engine.cause(), (Cause{8, 0}));
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.what, 9);
  EXPECT_EQ(engine.cause(), (Cause{7, 3}));
}

// ---- Cancellation ----

TEST(Cancel, a_cancelled_event_does_not_happen_and_its_ticket_is_spent) {
  Engine engine;
  const Ticket first = engine.schedule_cancellable(10, 1, 0, 0);
  const Ticket second = engine.schedule_cancellable(20, 2, 0, 0);
  EXPECT_TRUE(engine.pending(first));
  EXPECT_TRUE(engine.cancel(first));
  EXPECT_FALSE(engine.pending(first));
  EXPECT_FALSE(engine.cancel(first));
  EXPECT_EQ(engine.pending_events(), 1U);
  EXPECT_EQ(engine.next_time(), 20U);
  Event event;
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.what, 2);
  EXPECT_FALSE(engine.pending(second));
  EXPECT_FALSE(engine.cancel(second)) << "it has happened";
}

TEST(Cancel, a_stale_ticket_does_not_touch_the_heir_of_its_slot) {
  Engine engine;
  Event event;
  const Ticket old = engine.schedule_cancellable(10, 1, 0, 0);
  ASSERT_TRUE(engine.next(event));
  const Ticket heir = engine.schedule_cancellable(20, 2, 0, 0);
  ASSERT_EQ(heir.slot, old.slot);
  EXPECT_FALSE(engine.pending(old));
  EXPECT_FALSE(engine.cancel(old));
  EXPECT_TRUE(engine.pending(heir));
}

TEST(Cancel, the_clock_stays_when_only_cancelled_events_were_left_and_may_go_on_from_there) {
  Engine engine;
  for (const Time at : {100U, 200U}) engine.cancel(engine.schedule_cancellable(at, 1, 0, 0));
  Event event;
  EXPECT_TRUE(engine.idle());
  EXPECT_FALSE(engine.next(event));
  EXPECT_EQ(engine.now(), 0U);
  engine.schedule(50, 2, 0, 0);
  engine.schedule(10, 3, 0, 0);
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.what, 3);
  EXPECT_EQ(engine.now(), 10U);
}

TEST(Cancel, looking_ahead_changes_nothing) {
  Engine engine;
  for (const Time at : {100U, 200U, 300U}) {
    const Ticket ticket = engine.schedule_cancellable(at, 1, 0, 0);
    if (at != 300) engine.cancel(ticket);
  }
  const std::uint64_t before = hash_of(engine, HashKind::exact);
  EXPECT_EQ(engine.next_time(), 300U);
  EXPECT_EQ(hash_of(engine, HashKind::exact), before);
}

TEST(Cancel, cancelled_timers_take_no_room_for_long) {
  // As I/O timeouts do: each is armed far ahead and cancelled soon.
  Engine engine;
  Event event;
  engine.schedule(1, 1, 0, 0);
  std::size_t most = 0;
  std::vector<Ticket> window;
  for (int i = 0; i < 200000; ++i) {
    ASSERT_TRUE(engine.next(event));
    engine.schedule(engine.now() + 1000, 1, 0, 0);
    window.push_back(engine.schedule_cancellable(engine.now() + 30 * kSecond, 2, 0, 0));
    if (window.size() > 32) {
      ASSERT_TRUE(engine.cancel(window.front()));
      window.erase(window.begin());
    }
    most = std::max(most, engine.queued_events());
  }
  EXPECT_LE(most, 2 * 33U + 64);
}

TEST(Cancel, many_timers_cancelled_in_any_order_leave_exactly_the_others) {
  Random random(4, "timers");
  Engine engine;
  std::vector<Ticket> tickets;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    tickets.push_back(engine.schedule_cancellable(random.below(kSecond), 1, 0, i));
  }
  std::vector<std::uint64_t> kept;
  std::vector<std::uint64_t> order(tickets.size());
  for (std::uint64_t i = 0; i < order.size(); ++i) order[static_cast<std::size_t>(i)] = i;
  random.shuffle(std::span<std::uint64_t>(order));
  for (const std::uint64_t i : order) {
    if (i % 10 == 0) {
      kept.push_back(i);
    } else {
      ASSERT_TRUE(engine.cancel(tickets[static_cast<std::size_t>(i)]));
    }
  }
  EXPECT_EQ(engine.pending_events(), kept.size());
  std::vector<std::uint64_t> happened;
  Event event;
  while (engine.next(event)) happened.push_back(event.arg);
  std::sort(kept.begin(), kept.end());
  std::sort(happened.begin(), happened.end());
  EXPECT_EQ(happened, kept);
  EXPECT_EQ(engine.queued_events(), 0U);
}

// ---- Against a plain list ----

/// The same semantics with no cleverness: a list that is searched.
class PlainEngine {
 public:
  void schedule(Time at, std::uint64_t arg) { events_.push_back({std::max(at, now_), arg}); }
  bool cancel(std::uint64_t arg) {
    return std::erase_if(events_, [&](const Item& item) { return item.arg == arg; }) != 0;
  }
  bool next(std::uint64_t& arg, Time until) {
    const auto first = std::min_element(events_.begin(), events_.end(),
                                        [](const Item& a, const Item& b) { return a.at < b.at; });
    if (first == events_.end() || first->at > until) {
      if (until != kForever) now_ = std::max(now_, until);
      return false;
    }
    now_ = first->at;
    arg = first->arg;
    events_.erase(first);
    return true;
  }
  Time next_time() const {
    Time earliest = kForever;
    for (const Item& item : events_) earliest = std::min(earliest, item.at);
    return earliest;
  }
  Time now() const { return now_; }
  std::size_t size() const { return events_.size(); }

 private:
  struct Item {
    Time at;
    std::uint64_t arg;
  };
  std::vector<Item> events_;
  Time now_ = 0;
};

TEST(EngineAgainstPlainList, same_happenings_whatever_is_scheduled_cancelled_and_waited_for) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed, "engine");
    Engine engine;
    PlainEngine plain;
    std::vector<std::pair<Ticket, std::uint64_t>> tickets;  // spent ones too
    std::uint64_t made = 0;
    const std::uint64_t octaves = 1 + random.below(45);
    const auto time = [&] { return engine.now() + random.below(std::uint64_t{1} << random.below(octaves)); };
    for (int step = 0; step < 1500; ++step) {
      switch (random.below(10)) {
        case 0:
        case 1: {
          const Time at = time();
          engine.schedule(at, 1, 0, made);
          plain.schedule(at, made++);
          break;
        }
        case 2:
        case 3:
        case 4: {
          const Time at = time();
          tickets.emplace_back(engine.schedule_cancellable(at, 1, 0, made), made);
          plain.schedule(at, made++);
          break;
        }
        case 5:
        case 6: {
          if (tickets.empty()) break;
          const auto& [ticket, arg] = tickets[static_cast<std::size_t>(random.below(tickets.size()))];
          ASSERT_EQ(engine.cancel(ticket), plain.cancel(arg));
          break;
        }
        default: {
          ASSERT_EQ(engine.next_time(), plain.next_time());
          const Time until = random.bernoulli(2, 3) ? kForever : time();
          Event event;
          std::uint64_t expected = 0;
          const bool happened = engine.next(event, until);
          ASSERT_EQ(happened, plain.next(expected, until)) << "seed " << seed << " step " << step;
          if (happened) {
            ASSERT_EQ(event.arg, expected) << "seed " << seed << " step " << step;
          }
        }
      }
      ASSERT_EQ(engine.now(), plain.now());
      ASSERT_EQ(engine.pending_events(), plain.size());
      ASSERT_EQ(engine.idle(), plain.size() == 0);
    }
  }
}

// ---- Outside input ----

TEST(Inject, arrives_at_its_time_with_its_bytes_and_is_recorded) {
  Engine engine;
  engine.set_cause({4, 0});
  engine.inject(9, bytes("completion"), 100, 3, 12);
  engine.inject(9, bytes(""), 50, 3, 13);
  Event event;
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 13U);
  EXPECT_TRUE(engine.injected_bytes(event.arg).empty());
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(engine.now(), 100U);
  EXPECT_EQ(event.what, 3);
  const std::span<const std::byte> arrived = engine.injected_bytes(event.arg);
  EXPECT_TRUE(std::ranges::equal(arrived, bytes("completion")));
  ASSERT_EQ(engine.injections().size(), 2U);
  EXPECT_EQ(engine.injections()[0].source, 9U);
  EXPECT_EQ(engine.injections()[0].at, 100U);
  EXPECT_EQ(engine.injections()[0].cause, (Cause{4, 0}));
  EXPECT_EQ(engine.injections()[1].after, 0U);
}

TEST(Inject, a_run_repeated_from_its_record_is_the_same_run) {
  // The first run is fed by a source that no second run could ask again.
  const auto handle = [](Engine& engine, const Event& event, Hasher& digest) {
    digest.add(engine.now());
    digest.add(event.what);
    if (event.injected != 0) {
      const std::span<const std::byte> arrived = engine.injected_bytes(event.arg);
      digest.add_bytes(arrived.data(), arrived.size());
      engine.schedule(engine.now() + arrived.size(), 2, 0, 0);
    }
    if (event.what == 1) engine.schedule(engine.now() + 10, 1, 0, 0);
  };

  Random outside(77, "the world");
  Engine first(5);
  Hasher first_digest;
  first.schedule(10, 1, 0, 0);
  Event event;
  for (int i = 0; i < 300; ++i) {
    if (outside.bernoulli(1, 4)) {
      std::vector<std::byte> payload(static_cast<std::size_t>(outside.below(20)));
      for (std::byte& b : payload) b = static_cast<std::byte>(outside.below(256));
      first.set_cause({static_cast<std::uint32_t>(outside.below(3)), 0});
      first.inject(1, payload, first.now() + outside.below(15), 3, 0);
    }
    ASSERT_TRUE(first.next(event));
    handle(first, event, first_digest);
  }
  ASSERT_GT(first.injections().size(), 20U);

  Engine second(5);
  Hasher second_digest;
  second.schedule(10, 1, 0, 0);
  std::size_t index = 0;
  for (int i = 0; i < 300; ++i) {
    for (; index < first.injections().size() && first.injections()[index].after == second.events_handled();
         ++index) {
      const Injection& recorded = first.injections()[index];
      second.set_cause(recorded.cause);
      second.inject(recorded.source, first.injected_bytes(index), recorded.at, recorded.what, recorded.whom);
    }
    ASSERT_TRUE(second.next(event));
    handle(second, event, second_digest);
  }
  EXPECT_EQ(first_digest.value(), second_digest.value());
  EXPECT_EQ(hash_of(first, HashKind::exact), hash_of(second, HashKind::exact));
}

// ---- Cost ----

TEST(HotPath, scheduling_cancelling_ready_work_and_decisions_hardly_ever_allocate_in_the_steady_state) {
  Engine engine(3);
  Random random(3, "steady");
  for (int i = 0; i < 100; ++i) engine.schedule(random.below(1000), 1, 0, 0);
  const auto run = [&](int events) {
    Event event;
    Ticket timer;
    for (int i = 0; i < events; ++i) {
      engine.next(event);
      engine.set_cause({static_cast<std::uint32_t>(i % 8), static_cast<std::uint8_t>(i % 3)});
      if (event.what == 2) continue;
      engine.schedule(engine.now() + 1 + engine.duration(1, 100, 5000), 1, 0, 0);
      engine.cancel(timer);
      timer = engine.schedule_cancellable(engine.now() + 30 * kSecond, 3, 0, 0);
      engine.ready(2, 0, 0);
    }
  };
  run(300000);
  const std::uint64_t before = allocations().made;
  run(20000);
  // As time goes on, a bucket of the queue is used for the first time or meets its record now and then.
  EXPECT_LE(allocations().made - before, 20U);
}

}  // namespace
}  // namespace polypath::engine
