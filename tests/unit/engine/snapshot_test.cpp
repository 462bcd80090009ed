// A world that does everything an engine can, at random: a snapshot taken anywhere and restored has the same
// future.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/engine.h"
#include "engine/random.h"
#include "engine/table.h"

namespace polypath::engine {
namespace {

struct Actor {
  std::uint64_t work = 0;
  Ticket timer;
  template <class V>
  void fields(V&& v) const {
    v("work", work);
    v("timer", timer);
  }
};

/// Engine, random stream and a table: all that decides its future is in here, so a copy is a snapshot.
class World {
 public:
  explicit World(std::uint64_t seed) : engine_(seed), random_(seed, "world") {
    engine_.set_overrides({{1, 3, 2, 5}, {2, kReadySite, 1, 0}});
    for (std::uint32_t i = 0; i < 6; ++i) {
      actors_.insert({});
      engine_.set_cause({i, static_cast<std::uint8_t>(i % 3)});
      engine_.schedule(random_.below(100), 1, i, 0);
    }
  }

  /// One event; a digest of what happened, 0 when nothing was left.
  std::uint64_t step() {
    if (random_.bernoulli(1, 10)) {
      const std::uint64_t payload = random_.next();
      engine_.inject(1, std::as_bytes(std::span(&payload, 1)), engine_.now() + random_.below(50), 2,
                     static_cast<std::uint32_t>(random_.below(6)));
    }
    if (engine_.ready_count() > 1 && random_.bernoulli(1, 5)) {
      engine_.choose_ready(static_cast<std::ptrdiff_t>(random_.below(engine_.ready_count())));
    }
    Event event;
    const Time until = random_.bernoulli(1, 8) ? engine_.now() + random_.below(20) : kForever;
    if (!engine_.next(event, until)) return engine_.now();
    Actor& actor = actors_[event.whom];
    actor.work = mix(actor.work, event.arg ^ event.what);
    for (std::uint64_t i = random_.below(3); i > 0; --i) {
      const auto whom = static_cast<std::uint32_t>(engine_.decide(3, actors_.size()));
      switch (random_.below(4)) {
        case 0:
          engine_.ready(3, whom, random_.next());
          break;
        case 1:
          engine_.cancel(actors_[whom].timer);
          actors_[whom].timer = engine_.schedule_cancellable(engine_.now() + kMillisecond, 4, whom, 0);
          break;
        default:
          engine_.schedule(engine_.now() + engine_.duration(4, 10, 10000), 1, whom, random_.next());
      }
    }
    if (engine_.pending_events() == 0) engine_.schedule(engine_.now() + 1, 1, 0, 0);
    return mix(engine_.now(), mix(event.arg, event.whom));
  }

  std::uint64_t hash(HashKind kind) const {
    Hasher hasher;
    engine_.hash(hasher, kind);
    random_.hash(hasher);
    actors_.hash(hasher);
    return hasher.value();
  }
  const Engine& engine() const { return engine_; }

 private:
  Engine engine_;
  Random random_;
  Table<Actor> actors_;
};

struct Future {
  std::vector<std::uint64_t> steps, exact, canonical;
  bool operator==(const Future&) const = default;
};

Future run(World& world, int steps) {
  Future future;
  for (int i = 0; i < steps; ++i) {
    future.steps.push_back(world.step());
    future.exact.push_back(world.hash(HashKind::exact));
    future.canonical.push_back(world.hash(HashKind::canonical));
  }
  return future;
}

TEST(Snapshot, restored_anywhere_it_has_the_same_future_and_the_same_hashes) {
  World used(12345);  // restoring overwrites a world that has its own past
  run(used, 200);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed, "where");
    World world(seed);
    run(world, static_cast<int>(random.below(400)));
    const World snapshot = world;
    EXPECT_EQ(snapshot.hash(HashKind::exact), world.hash(HashKind::exact));
    const Future future = run(world, 150);
    ASSERT_GT(world.engine().events_handled(), snapshot.engine().events_handled());

    World copy = snapshot;
    EXPECT_EQ(run(copy, 150), future) << "seed " << seed;
    used = snapshot;
    EXPECT_EQ(run(used, 150), future) << "seed " << seed;
    used = snapshot;
    EXPECT_EQ(used.hash(HashKind::exact), snapshot.hash(HashKind::exact))
        << "a snapshot is not touched by its futures";
  }
}

TEST(Snapshot, the_same_seed_is_the_same_run_and_another_seed_another) {
  World one(5), same(5), other(6);
  const Future future = run(one, 300);
  EXPECT_EQ(run(same, 300), future);
  EXPECT_NE(run(other, 300), future);
}

// ---- What the hashes see ----

std::uint64_t hash_of(const Engine& engine, HashKind kind) {
  Hasher hasher;
  engine.hash(hasher, kind);
  return hasher.value();
}

TEST(ExactHash, sees_everything_that_can_make_a_difference) {
  Engine base(1);
  base.schedule(100, 1, 2, 3);
  base.ready(1, 1, 1);
  const std::uint64_t before = hash_of(base, HashKind::exact);
  const auto changed = [&](auto&& change) {
    Engine copy = base;
    change(copy);
    return hash_of(copy, HashKind::exact) != before;
  };
  EXPECT_FALSE(changed([](Engine&) {}));
  EXPECT_TRUE(changed([](Engine& e) { e.schedule(100, 1, 2, 3); }));
  EXPECT_TRUE(changed([](Engine& e) { e.cancel(e.schedule_cancellable(100, 1, 2, 3)); }));
  EXPECT_TRUE(changed([](Engine& e) { e.ready(1, 1, 1); }));
  EXPECT_TRUE(changed([](Engine& e) { e.set_cause({1, 0}); }));
  EXPECT_TRUE(changed([](Engine& e) { e.set_overrides({{1, 1, 1, 1}}); }));
  EXPECT_TRUE(changed([](Engine& e) { e.inject(1, {}, kForever, 1, 1); }));
  EXPECT_TRUE(changed([](Engine& e) { e.choose_ready(0); }));
  EXPECT_TRUE(changed([](Engine& e) {
    e.set_cause({0, 1});
    e.decide(1, 2);
    e.set_cause({});
  }));
}

TEST(ExactHash, sees_which_ticket_serves_next) {
  Engine forwards(1), backwards(1);
  Event event;
  for (Engine* engine : {&forwards, &backwards}) {
    const bool first = engine == &forwards;
    engine->schedule_cancellable(first ? 10 : 20, 1, 1, 1);
    engine->schedule_cancellable(first ? 20 : 10, 1, 1, 1);
    while (engine->next(event)) continue;
  }
  EXPECT_NE(hash_of(forwards, HashKind::exact), hash_of(backwards, HashKind::exact));
  EXPECT_EQ(hash_of(forwards, HashKind::canonical), hash_of(backwards, HashKind::canonical));
  EXPECT_NE(forwards.schedule_cancellable(30, 1, 1, 1), backwards.schedule_cancellable(30, 1, 1, 1));
}

TEST(CanonicalHash, equal_futures_at_other_times_with_other_tickets_and_numbers_are_equal) {
  // The second world has a past: time went by, tickets and an injection were used up, a cancelled event is
  // left over.
  const auto present = [](Engine& engine) {
    engine.set_cause({3, 0});
    engine.schedule(engine.now() + 50, 1, 2, 3);
    engine.schedule_cancellable(engine.now() + 50, 4, 5, 6);
    const std::byte payload[] = {std::byte{1}, std::byte{2}};
    engine.inject(7, payload, engine.now() + 60, 8, 9);
  };
  Engine fresh(1), old(1);
  Event event;
  const std::byte other_payload[] = {std::byte{9}};
  old.inject(1, other_payload, 10, 1, 1);
  const Ticket left_over = old.schedule_cancellable(5000, 1, 1, 1);
  old.schedule_cancellable(20, 1, 1, 1);
  ASSERT_TRUE(old.next(event));
  ASSERT_TRUE(old.next(event));
  old.cancel(left_over);
  present(fresh);
  present(old);
  EXPECT_NE(hash_of(fresh, HashKind::exact), hash_of(old, HashKind::exact));
  EXPECT_EQ(hash_of(fresh, HashKind::canonical), hash_of(old, HashKind::canonical));
}

TEST(CanonicalHash, other_futures_are_not_equal) {
  Engine base(1);
  base.schedule(100, 1, 2, 3);
  base.schedule(100, 4, 5, 6);
  const std::uint64_t before = hash_of(base, HashKind::canonical);
  const auto changed = [&](auto&& change) {
    Engine copy = base;
    change(copy);
    return hash_of(copy, HashKind::canonical) != before;
  };
  EXPECT_TRUE(changed([](Engine& e) { e.schedule(100, 1, 2, 3); }));
  EXPECT_TRUE(changed([](Engine& e) { e.ready(1, 2, 3); }));
  EXPECT_TRUE(changed([](Engine& e) {
    Event event;
    e.next(event, 1);  // 99 left instead of 100
  }));
  Engine swapped(1);
  swapped.schedule(100, 4, 5, 6);
  swapped.schedule(100, 1, 2, 3);
  EXPECT_NE(hash_of(swapped, HashKind::canonical), before) << "equal times are ordered";

  Engine payload_a(1), payload_b(1);
  const std::byte a[] = {std::byte{1}}, b[] = {std::byte{2}};
  payload_a.inject(1, a, 5, 1, 1);
  payload_b.inject(1, b, 5, 1, 1);
  EXPECT_NE(hash_of(payload_a, HashKind::canonical), hash_of(payload_b, HashKind::canonical));
}

TEST(CanonicalHash, ready_work_is_a_set) {
  Engine one(1), other(1), twice(1);
  one.ready(1, 1, 1);
  one.ready(2, 2, 2);
  other.ready(2, 2, 2);
  other.ready(1, 1, 1);
  twice.ready(1, 1, 1);
  twice.ready(1, 1, 1);
  EXPECT_EQ(hash_of(one, HashKind::canonical), hash_of(other, HashKind::canonical));
  EXPECT_NE(hash_of(one, HashKind::canonical), hash_of(twice, HashKind::canonical));
  EXPECT_NE(hash_of(one, HashKind::exact), hash_of(other, HashKind::exact));
}

TEST(CanonicalHash, overrides_are_counted_from_here) {
  Engine fresh(1), advanced(1);
  fresh.set_overrides({{1, 5, 0, 9}});
  advanced.set_overrides({{1, 5, 0, 3}, {1, 5, 2, 9}});
  advanced.set_cause({1, 0});
  advanced.decide(5, 100);
  EXPECT_NE(hash_of(fresh, HashKind::canonical), hash_of(advanced, HashKind::canonical));
  advanced.decide(5, 100);
  EXPECT_EQ(hash_of(fresh, HashKind::canonical), hash_of(advanced, HashKind::canonical));
}

}  // namespace
}  // namespace polypath::engine
