// The radix heap against a plain heap, which needs no argument to be believed.
#include "engine/event_queue.h"

#include <gtest/gtest.h>

#include <queue>
#include <set>
#include <vector>

#include "allocations.h"
#include "engine/hash.h"
#include "engine/random.h"

namespace polypath::engine {
namespace {

/// std::priority_queue in the order (time, insertion). `arg` of our events is the number of the insertion.
class PlainHeap {
 public:
  void push(const Event& event) { heap_.push(event); }
  Event pop() {
    skip();
    const Event event = heap_.top();
    heap_.pop();
    return event;
  }
  void remove(std::uint64_t arg) { removed_.insert(arg); }
  Time next_time() {
    skip();
    return heap_.empty() ? kForever : heap_.top().at;
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.arg > b.arg;
    }
  };
  void skip() {
    while (!heap_.empty() && removed_.contains(heap_.top().arg)) heap_.pop();
  }
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
  std::set<std::uint64_t> removed_;
};

/// How far ahead the events of a workload lie.
enum class Spread { ties, near_and_tied, octaves, far_timers, everything };

Time increment(Random& random, Spread spread) {
  switch (spread) {
    case Spread::ties:
      return random.bernoulli(1, 50) ? 1 : 0;
    case Spread::near_and_tied:
      return random.below(5);
    case Spread::octaves:
      return random.below(std::uint64_t{1} << random.below(40));
    case Spread::far_timers:
      return random.bernoulli(1, 3) ? 30 * kSecond + random.below(3) : random.below(10 * kMicrosecond);
    case Spread::everything:
      return random.below(std::uint64_t{1} << random.below(58));
  }
  return 0;
}

void add(Hasher& digest, const Event& event) {
  digest.add(event.at);
  digest.add(event.arg);
}

class EventQueueAgainstPlainHeap : public testing::TestWithParam<Spread> {};

TEST_P(EventQueueAgainstPlainHeap, same_order_and_same_digest) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random(seed, "workload");
    EventQueue queue;
    PlainHeap plain;
    Hasher ours, theirs;
    Time now = 0;
    std::uint64_t made = 0;
    const std::uint64_t pushes_in_100 = 45 + random.below(15);
    for (int step = 0; step < 6000; ++step) {
      if (queue.empty() || random.bernoulli(pushes_in_100, 100)) {
        Event event;
        event.at = now + increment(random, GetParam());
        event.arg = made++;
        queue.push(event);
        plain.push(event);
      } else {
        ASSERT_EQ(queue.next_time(), plain.next_time());
        const Event event = queue.pop();
        const Event expected = plain.pop();
        ASSERT_EQ(event, expected) << "seed " << seed << " step " << step;
        add(ours, event);
        add(theirs, expected);
        now = event.at;
      }
    }
    while (!queue.empty()) {
      add(ours, queue.pop());
      add(theirs, plain.pop());
    }
    EXPECT_EQ(ours.value(), theirs.value()) << "seed " << seed;
    EXPECT_EQ(plain.next_time(), kForever);
  }
}

TEST_P(EventQueueAgainstPlainHeap, same_order_when_events_are_removed_from_the_middle) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random(seed, "removal");
    EventQueue queue;
    PlainHeap plain;
    Time now = 0;
    std::uint64_t made = 0;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 100; ++i) {
        Event event;
        event.at = now + increment(random, GetParam());
        event.arg = made++;
        queue.push(event);
        plain.push(event);
      }
      for (std::uint64_t i = random.below(60); i > 0; --i) {
        ASSERT_EQ(queue.pop(), plain.pop());
      }
      const std::uint64_t divisor = 2 + random.below(5);
      queue.remove_if([&](const Event& event) {
        if (event.arg % divisor != 0) return false;
        plain.remove(event.arg);
        return true;
      });
      ASSERT_EQ(queue.next_time(), plain.next_time());
      if (queue.empty()) continue;
      const Event event = queue.pop();
      ASSERT_EQ(event, plain.pop());
      now = event.at;
    }
    while (!queue.empty()) ASSERT_EQ(queue.pop(), plain.pop());
  }
}

TEST_P(EventQueueAgainstPlainHeap, a_copy_lists_and_pops_the_same_future_and_leaves_the_original_alone) {
  Random random(3, "copy");
  EventQueue queue, restored;
  Time now = 0;
  std::uint64_t made = 0;
  for (int round = 0; round < 200; ++round) {
    for (std::uint64_t i = random.below(8); i > 0; --i) {
      Event event;
      event.at = now + increment(random, GetParam());
      event.arg = made++;
      queue.push(event);
    }
    for (std::uint64_t i = random.below(queue.size() + 1) / 2; i > 0; --i) now = queue.pop().at;

    std::vector<Event> listed;
    queue.for_each_in_order([&](const Event& event) { listed.push_back(event); });
    ASSERT_EQ(listed.size(), queue.size());
    EventQueue copy = queue;
    restored = queue;
    for (const Event& event : listed) {
      ASSERT_EQ(copy.pop(), event);
      ASSERT_EQ(restored.pop(), event);
    }
    EXPECT_TRUE(copy.empty());
    ASSERT_EQ(queue.size(), listed.size());
  }
}

INSTANTIATE_TEST_SUITE_P(spreads, EventQueueAgainstPlainHeap,
                         testing::Values(Spread::ties, Spread::near_and_tied, Spread::octaves,
                                         Spread::far_timers, Spread::everything));

TEST(EventQueue, equal_times_leave_in_the_order_in_which_they_came_even_when_pushed_at_different_times) {
  EventQueue queue;
  const auto push = [&](Time at, std::uint64_t arg) {
    Event event;
    event.at = at;
    event.arg = arg;
    queue.push(event);
  };
  push(1000, 1);
  push(5, 0);
  push(1000, 2);
  EXPECT_EQ(queue.pop().arg, 0U);
  push(1000, 3);
  push(999, 9);
  EXPECT_EQ(queue.pop().arg, 9U);
  push(1000, 4);
  for (std::uint64_t arg = 1; arg <= 4; ++arg) {
    EXPECT_EQ(queue.pop().arg, arg);
    if (arg == 2) push(1000, 5);  // while its time is being served
  }
  EXPECT_EQ(queue.pop().arg, 5U);
}

TEST(EventQueue, the_ends_of_the_time_scale_are_times_like_others) {
  EventQueue queue;
  Event event;
  for (const Time at : {kForever - 1, Time{0}, Time{1} << 63U, kForever - 1, Time{1}}) {
    event.at = at;
    queue.push(event);
    ++event.arg;
  }
  EXPECT_EQ(queue.next_time(), 0U);
  std::vector<Time> times;
  while (!queue.empty()) times.push_back(queue.pop().at);
  EXPECT_EQ(times, (std::vector<Time>{0, 1, Time{1} << 63U, kForever - 1, kForever - 1}));
  EXPECT_EQ(queue.next_time(), kForever);
}

TEST(EventQueue, a_cleared_queue_starts_over) {
  EventQueue queue;
  Event event;
  event.at = 100;
  queue.push(event);
  queue.push(event);
  queue.pop();
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_time(), kForever);
  event.at = 7;
  queue.push(event);
  EXPECT_EQ(queue.pop().at, 7U);
}

TEST(EventQueue, a_long_chain_at_one_time_does_not_grow_the_queue) {
  // Two events are always pending at the same time, so the front never runs empty.
  EventQueue queue;
  Event event;
  queue.push(event);
  queue.push(event);
  const auto chain = [&](int length) {
    for (int i = 0; i < length; ++i) queue.push(queue.pop());
  };
  chain(5000);
  const std::uint64_t before = allocations().made;
  chain(100000);
  EXPECT_EQ(allocations().made, before);
}

TEST(EventQueue, a_copy_costs_what_is_pending_not_what_once_was) {
  EventQueue queue;
  Random random(1);
  Event event;
  for (int i = 0; i < 100000; ++i) {
    event.at = random.below(kSecond);
    queue.push(event);
  }
  while (queue.size() > 3) queue.pop();
  const std::uint64_t before = allocations().made;
  const EventQueue copy = queue;
  EXPECT_LE(allocations().made - before, 3U);
  EXPECT_EQ(copy.size(), 3U);
}

}  // namespace
}  // namespace polypath::engine
