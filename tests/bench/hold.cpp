// HOLD: of a constant population of pending events, take the earliest and put it back a random while later.
// The plain heap (std::priority_queue, same 32-byte events, same total order) runs beside ours, so that the
// ratio of one run says what the machine does not. items_per_second is events per second; the first argument
// is the population.
#include <benchmark/benchmark.h>

#include <bit>
#include <queue>
#include <vector>

#include "engine/engine.h"
#include "engine/event_queue.h"
#include "engine/random.h"

namespace polypath::engine {
namespace {

// An exponential-like increment in integers: a geometric number of whole means and a uniform part of one.
// 2^20 ns, about a millisecond, is the unit: I/O latencies and short timers lie around it.
constexpr unsigned kMeanBits = 20;

Time increment(Random& random) {
  const std::uint64_t bits = random.next();
  const auto whole = static_cast<std::uint64_t>(std::countl_zero(bits | 1));
  return whole << kMeanBits | (bits & ((std::uint64_t{1} << kMeanBits) - 1));
}

/// `arg` numbers the insertions, which makes the order of equal times total.
class PlainHeap {
 public:
  void push(const Event& event) { heap_.push(event); }
  Event pop() {
    const Event event = heap_.top();
    heap_.pop();
    return event;
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.arg > b.arg;
    }
  };
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
};

template <class Queue>
void hold(benchmark::State& state) {
  Random random(1, "hold");
  Queue queue;
  std::uint64_t made = 0;
  const auto population = static_cast<std::uint64_t>(state.range(0));
  for (; made < population; ++made) {
    Event event;
    event.at = increment(random);
    event.arg = made;
    queue.push(event);
  }
  const auto turn = [&] {
    Event event = queue.pop();
    event.at += increment(random);
    event.arg = made++;
    queue.push(event);
  };
  for (std::uint64_t i = 0; i < 5 * population; ++i) turn();
  for (auto _ : state) turn();
  state.SetItemsProcessed(state.iterations());
}

void hold_radix_heap(benchmark::State& state) { hold<EventQueue>(state); }
void hold_priority_queue(benchmark::State& state) { hold<PlainHeap>(state); }

/// The whole engine: clock, causes, handling count; the second argument is the number of cancelled timers
/// that lie among the events at the start.
void hold_engine(benchmark::State& state) {
  Random random(1, "hold");
  Engine engine;
  for (std::int64_t i = 0; i < state.range(0); ++i) engine.schedule(increment(random), 1, 0, 0);
  std::vector<Ticket> tickets;
  for (std::int64_t i = 0; i < state.range(1); ++i) {
    tickets.push_back(engine.schedule_cancellable(30 * kSecond + increment(random), 2, 0, 0));
  }
  for (const Ticket ticket : tickets) engine.cancel(ticket);
  Event event;
  const auto turn = [&] {
    engine.next(event);
    engine.schedule(engine.now() + increment(random), 1, 0, 0);
  };
  for (std::int64_t i = 0; i < 5 * state.range(0); ++i) turn();
  for (auto _ : state) turn();
  state.SetItemsProcessed(state.iterations());
}

/// The plain heap with a million dead timers that it can only skip when they surface.
void hold_priority_queue_dead_timers(benchmark::State& state) {
  Random random(1, "hold");
  PlainHeap queue;
  std::uint64_t made = 0;
  const auto push = [&](Time at) {
    Event event;
    event.at = at;
    event.arg = made++;
    queue.push(event);
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) push(increment(random));
  for (std::int64_t i = 0; i < state.range(1); ++i) push((std::uint64_t{1} << 60U) + increment(random));
  const auto turn = [&] { push(queue.pop().at + increment(random)); };
  for (std::int64_t i = 0; i < 5 * state.range(0); ++i) turn();
  for (auto _ : state) turn();
  state.SetItemsProcessed(state.iterations());
}

/// As I/O timeouts do: every event arms a timer 30 s ahead and cancels the one armed `window` events before.
void hold_engine_rearming_timers(benchmark::State& state) {
  Random random(1, "hold");
  Engine engine;
  for (std::int64_t i = 0; i < state.range(0); ++i) engine.schedule(increment(random), 1, 0, 0);
  std::vector<Ticket> window(static_cast<std::size_t>(state.range(1)));
  std::size_t place = 0;
  Event event;
  const auto turn = [&] {
    engine.next(event);
    engine.schedule(engine.now() + increment(random), 1, 0, 0);
    engine.cancel(window[place]);
    window[place] = engine.schedule_cancellable(engine.now() + 30 * kSecond, 2, 0, 0);
    if (++place == window.size()) place = 0;
  };
  for (std::int64_t i = 0; i < 5 * state.range(0); ++i) turn();
  for (auto _ : state) turn();
  state.SetItemsProcessed(state.iterations());
}

/// Scheduling and cancelling a million timers, per timer.
void cancel_million_timers(benchmark::State& state) {
  std::vector<Ticket> tickets(1'000'000);
  for (auto _ : state) {
    Random random(1, "cancel");
    Engine engine;
    for (Ticket& ticket : tickets) ticket = engine.schedule_cancellable(increment(random), 1, 0, 0);
    for (const Ticket ticket : tickets) engine.cancel(ticket);
    benchmark::DoNotOptimize(engine.queued_events());
  }
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}

/// Ready work that makes more of itself: the path of a command through fetch, execution and posting.
void ready_chain(benchmark::State& state) {
  Engine engine;
  engine.set_cause({1, static_cast<std::uint8_t>(state.range(1))});
  for (std::int64_t i = 0; i < state.range(0); ++i) engine.ready(1, 0, 0);
  Event event;
  for (auto _ : state) {
    engine.next(event);
    engine.ready(1, 0, 0);
  }
  state.SetItemsProcessed(state.iterations());
}

/// Snapshot and restore of an engine with so many pending events; time per pair.
void snapshot_restore_engine(benchmark::State& state) {
  Random random(1, "snapshot");
  Engine engine;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    engine.schedule(increment(random), 1, 0, 0);
    if (i % 4 == 0) engine.schedule_cancellable(30 * kSecond + increment(random), 2, 0, 0);
  }
  for (auto _ : state) {
    Engine snapshot = engine;
    benchmark::DoNotOptimize(snapshot);
    engine = snapshot;
    benchmark::DoNotOptimize(engine);
  }
}

/// Restore alone, as exploration and fuzzing do: one snapshot, many returns to it.
void restore_engine(benchmark::State& state) {
  Random random(1, "snapshot");
  Engine engine;
  for (std::int64_t i = 0; i < state.range(0); ++i) engine.schedule(increment(random), 1, 0, 0);
  const Engine snapshot = engine;
  for (auto _ : state) {
    engine = snapshot;
    benchmark::DoNotOptimize(engine);
  }
}

void hash_engine(benchmark::State& state) {
  Random random(1, "snapshot");
  Engine engine;
  for (std::int64_t i = 0; i < state.range(0); ++i) engine.schedule(increment(random), 1, 0, 0);
  for (auto _ : state) {
    Hasher hasher;
    engine.hash(hasher, HashKind::exact);
    benchmark::DoNotOptimize(hasher.value());
  }
}

BENCHMARK(hold_radix_heap)->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(hold_priority_queue)->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(hold_engine)->Args({100, 0})->Args({10'000, 0})->Args({1'000'000, 0});
BENCHMARK(hold_engine)->Args({10'000, 1'000'000})->Args({1'000'000, 1'000'000});
BENCHMARK(hold_priority_queue_dead_timers)->Args({10'000, 1'000'000})->Args({1'000'000, 1'000'000});
BENCHMARK(hold_engine_rearming_timers)->Args({100, 32})->Args({10'000, 10'000});
BENCHMARK(cancel_million_timers)->Unit(benchmark::kMillisecond);
BENCHMARK(ready_chain)->Args({8, 0})->Args({8, 1})->Args({1000, 0})->Args({1000, 1});
BENCHMARK(snapshot_restore_engine)->Arg(10)->Arg(100)->Arg(10'000);
BENCHMARK(restore_engine)->Arg(10)->Arg(100)->Arg(10'000);
BENCHMARK(hash_engine)->Arg(10)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace polypath::engine
