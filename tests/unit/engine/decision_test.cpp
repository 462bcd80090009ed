// What the standard or the scheduler leaves open: decisions, durations, and the order of ready work.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "engine/engine.h"
#include "engine/random.h"

namespace polypath::engine {
namespace {

constexpr Site kFetch = 10;
constexpr Site kPost = 11;

// ---- Decisions ----

TEST(Decision, a_benign_cause_gets_the_first_choice_and_the_typical_duration) {
  Engine engine(99);
  engine.set_cause({5, 0});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(engine.decide(kFetch, 1000), 0U);
    EXPECT_EQ(engine.duration(kPost, 80, 9000), 80U);
  }
}

TEST(Decision, latitude_reaches_every_choice_about_equally_often) {
  Engine engine(1);
  std::map<std::uint64_t, int> counts;
  for (std::uint32_t cause = 1; cause <= 1000; ++cause) {
    engine.set_cause({cause, 1});
    for (int i = 0; i < 10; ++i) ++counts[engine.decide(kFetch, 5)];
  }
  ASSERT_EQ(counts.size(), 5U);
  for (const auto& [choice, count] : counts) EXPECT_NEAR(count, 2000, 200) << choice;
}

TEST(Decision, seed_latitude_cause_site_and_nth_each_give_other_answers) {
  const auto answers = [](std::uint64_t seed, Cause cause, Site site) {
    Engine engine(seed);
    engine.set_cause(cause);
    std::vector<std::uint64_t> out;
    for (int i = 0; i < 4; ++i) out.push_back(engine.decide(site, 1'000'000'007));
    return out;
  };
  const auto reference = answers(1, {1, 1}, kFetch);
  EXPECT_EQ(answers(1, {1, 1}, kFetch), reference);
  EXPECT_NE(answers(2, {1, 1}, kFetch), reference);
  EXPECT_NE(answers(1, {2, 1}, kFetch), reference);
  EXPECT_NE(answers(1, {1, 2}, kFetch), reference);
  EXPECT_NE(answers(1, {1, 1}, kPost), reference);
  EXPECT_EQ(std::set<std::uint64_t>(reference.begin(), reference.end()).size(), 4U);
}

TEST(Decision, answers_of_a_cause_stay_when_another_cause_is_removed) {
  // Three steps whose events interleave; each event decides twice. Without step 2 the others decide as
  // before.
  const auto run = [](const std::vector<std::uint32_t>& steps) {
    Engine engine(2024);
    for (const std::uint32_t step : steps) {
      engine.set_cause({step, static_cast<std::uint8_t>(step)});
      engine.schedule(step * 3, 1, 0, 0);
    }
    std::map<std::uint32_t, std::vector<std::uint64_t>> answers;
    Event event;
    while (engine.next(event) && engine.now() < 20000) {
      auto& of_cause = answers[event.cause];
      of_cause.push_back(engine.decide(kFetch, 100));
      of_cause.push_back(engine.duration(kPost, 50, 700));
      engine.schedule(engine.now() + of_cause.back(), 1, 0, 0);
    }
    return answers;
  };
  const auto all = run({1, 2, 3});
  const auto without = run({1, 3});
  ASSERT_GT(all.at(1).size(), 20U);
  EXPECT_FALSE(without.contains(2));
  EXPECT_EQ(without.at(1), all.at(1));
  EXPECT_EQ(without.at(3), all.at(3));
}

TEST(Decision, a_single_choice_is_counted_like_any_other) {
  // Else the number of choices, which depends on the state, would move later answers.
  Engine one(3), other(3);
  for (Engine* engine : {&one, &other}) {
    engine->set_cause({1, 1});
    engine->decide(kFetch, engine == &one ? 1 : 50);
  }
  EXPECT_EQ(one.decide(kFetch, 1 << 30), other.decide(kFetch, 1 << 30));
}

TEST(Decision, an_override_wins_over_benign_and_over_latitude_at_its_key_only) {
  for (const std::uint8_t latitude : {std::uint8_t{0}, std::uint8_t{4}}) {
    Engine plain(6), overridden(6);
    overridden.set_overrides({{7, kFetch, 2, 41}, {7, kPost, 0, 13 * kSecond}, {8, kFetch, 0, 1}});
    for (Engine* engine : {&plain, &overridden}) engine->set_cause({7, latitude});
    for (std::uint32_t nth = 0; nth < 5; ++nth) {
      const std::uint64_t expected = plain.decide(kFetch, 50);
      EXPECT_EQ(overridden.decide(kFetch, 50), nth == 2 ? 41 : expected);
    }
    plain.duration(kPost, 10, 20);
    EXPECT_EQ(overridden.duration(kPost, 10, 20), 13 * kSecond) << "a recorded duration is not bounded";
    EXPECT_EQ(overridden.duration(kPost, 10, 20), plain.duration(kPost, 10, 20));
  }
}

TEST(Decision, a_recorded_choice_that_does_not_exist_here_still_is_an_answer) {
  Engine engine;
  engine.set_overrides({{1, kFetch, 0, 7}, {1, kFetch, 1, 7}});
  engine.set_cause({1, 0});
  EXPECT_EQ(engine.decide(kFetch, 5), 2U);
  EXPECT_EQ(engine.decide(kFetch, 0), 0U);
}

TEST(Duration, stays_between_typical_and_most_and_knows_every_order_of_magnitude) {
  Engine engine(8);
  int exactly_typical = 0;
  std::set<Time> different;
  std::map<int, int> magnitudes;
  Time longest = 0;
  for (std::uint32_t cause = 1; cause <= 4000; ++cause) {
    engine.set_cause({cause, 2});
    const Time time = engine.duration(kPost, 1000, 1000 + kMillisecond);
    ASSERT_GE(time, 1000U);
    ASSERT_LE(time, 1000 + kMillisecond);
    longest = std::max(longest, time);
    different.insert(time);
    if (time == 1000) ++exactly_typical;
    int digits = 0;
    for (Time stretch = time - 1000; stretch != 0; stretch /= 10) ++digits;
    ++magnitudes[digits];
  }
  EXPECT_GT(exactly_typical, 100);
  EXPECT_GT(different.size(), 2000U);
  EXPECT_GT(longest, kMillisecond / 2);
  for (int digits = 1; digits <= 6; ++digits) EXPECT_GT(magnitudes[digits], 200) << digits;
}

TEST(Duration, is_total_at_its_ends) {
  Engine engine(8);
  engine.set_cause({1, 1});
  EXPECT_EQ(engine.duration(kPost, 70, 70), 70U);
  EXPECT_EQ(engine.duration(kPost, 70, 3), 70U);
  for (int i = 0; i < 200; ++i) engine.duration(kPost, 0, kForever);
}

// ---- Ready work ----

struct Item {
  std::uint32_t cause;
  std::uint8_t latitude;
  std::uint32_t whom;
};

std::vector<std::uint32_t> order_of(const std::vector<Item>& items, std::uint64_t seed) {
  Engine engine(seed);
  for (const Item& item : items) {
    engine.set_cause({item.cause, item.latitude});
    engine.ready(1, item.whom, 0);
  }
  std::vector<std::uint32_t> order;
  Event event;
  while (engine.next(event)) order.push_back(event.whom);
  return order;
}

TEST(Ready, comes_before_timed_events_and_does_not_move_the_clock) {
  Engine engine;
  engine.schedule(0, 1, 0, 0);
  engine.schedule(5, 2, 0, 0);
  engine.ready(3, 0, 0);
  EXPECT_EQ(engine.next_time(), 0U);
  Event event;
  std::vector<int> seen;
  while (engine.next(event)) {
    seen.push_back(event.what);
    if (event.what == 2) {
      engine.ready(4, 0, 0);
      EXPECT_EQ(engine.next_time(), 5U);
      EXPECT_FALSE(engine.idle());
    }
  }
  EXPECT_EQ(seen, (std::vector<int>{3, 1, 2, 4}));
  EXPECT_EQ(engine.now(), 5U);
}

TEST(Ready, benign_work_is_done_in_the_order_in_which_it_came) {
  std::vector<Item> items;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 500; ++i) {
    items.push_back({i % 7, 0, i});
    expected.push_back(i);
  }
  EXPECT_EQ(order_of(items, 1), expected);
}

TEST(Ready, latitude_gives_other_orders_for_other_seeds_and_mixes_with_benign_work) {
  std::vector<Item> items;
  for (std::uint32_t i = 0; i < 20; ++i) items.push_back({i, static_cast<std::uint8_t>(i % 2), i});
  std::set<std::vector<std::uint32_t>> orders;
  bool overtook = false, fell_behind = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<std::uint32_t> order = order_of(items, seed);
    orders.insert(order);
    std::vector<std::uint32_t> benign;
    std::ranges::copy_if(order, std::back_inserter(benign), [](std::uint32_t whom) { return whom % 2 == 0; });
    EXPECT_TRUE(std::ranges::is_sorted(benign));
    overtook |= order.front() % 2 == 1;
    fell_behind |= order.back() == 1;
  }
  EXPECT_EQ(orders.size(), 50U);
  EXPECT_TRUE(overtook);
  EXPECT_TRUE(fell_behind);
}

TEST(Ready, the_order_of_the_others_stays_when_any_item_is_removed) {
  Random random(5, "ready");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<Item> items;
    for (std::uint32_t i = 0; i < 25; ++i) {
      items.push_back({i + 1, static_cast<std::uint8_t>(random.below(4)), i});
    }
    const std::vector<std::uint32_t> all = order_of(items, seed);
    for (std::uint32_t removed = 0; removed < 25; ++removed) {
      std::vector<Item> fewer = items;
      fewer.erase(fewer.begin() + removed);
      std::vector<std::uint32_t> expected = all;
      std::erase(expected, removed);
      ASSERT_EQ(order_of(fewer, seed), expected) << "seed " << seed << " without " << removed;
    }
  }
}

TEST(Ready, the_lowest_rank_is_next_however_items_come_and_go) {
  // The oracle orders by (rank, insertion); a recorded rank makes the ranks known here.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed, "ranks");
    Engine engine;
    struct Known {
      std::uint64_t rank;
      std::uint32_t whom;
    };
    std::vector<Known> known;
    std::vector<DecisionOverride> overrides;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      if (random.bernoulli(1, 2)) overrides.push_back({i, kReadySite, 0, kBenignRank - 3 + random.below(7)});
    }
    engine.set_overrides(overrides);
    const auto rank_of = [&](std::uint32_t cause) {
      for (const DecisionOverride& o : overrides) {
        if (o.cause == cause) return o.value;
      }
      return kBenignRank;
    };
    std::uint32_t made = 0;
    const std::uint64_t pressure = 50 + random.below(4);
    while (made < 2000 || !known.empty()) {
      ASSERT_EQ(engine.ready_count(), known.size());
      if (made < 2000 && (known.empty() || random.bernoulli(pressure, 100))) {
        engine.set_cause({made, 0});
        engine.ready(1, made, 0);
        known.push_back({rank_of(made), made});
        ++made;
        continue;
      }
      auto expected = std::ranges::min_element(known, {}, &Known::rank);
      if (random.bernoulli(1, 8)) {
        const std::uint64_t position = random.below(known.size());
        expected = known.begin() + static_cast<std::ptrdiff_t>(position);
        ASSERT_EQ(engine.ready_at(position).whom, expected->whom);
        engine.choose_ready(static_cast<std::ptrdiff_t>(position));
      }
      Event event;
      ASSERT_TRUE(engine.next(event));
      ASSERT_EQ(event.whom, expected->whom);
      known.erase(expected);
    }
  }
}

TEST(Ready, a_choice_holds_for_one_item_and_one_that_does_not_exist_is_none) {
  Engine engine;
  for (std::uint32_t i = 0; i < 4; ++i) engine.ready(1, i, 0);
  Event event;
  engine.choose_ready(2);
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 2U);
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 0U);
  engine.choose_ready(2);
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 1U);
  EXPECT_EQ(engine.ready_at(0).whom, 3U);
}

TEST(Pending, a_chosen_timed_event_happens_now_and_the_others_keep_their_times) {
  Engine engine;
  engine.schedule(10, 1, 0, 0);
  const Ticket ticket = engine.schedule_cancellable(20, 1, 1, 0);
  engine.schedule(30, 1, 2, 0);
  engine.ready(1, 3, 0);
  engine.choose_pending(1);
  Event event;
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 1U) << "before ready work";
  EXPECT_EQ(event.at, 0U);
  EXPECT_EQ(engine.now(), 0U);
  EXPECT_FALSE(engine.pending(ticket));
  EXPECT_FALSE(engine.cancel(ticket));
  EXPECT_EQ(engine.pending_events(), 2U);
  engine.choose_pending(7);  // there is none
  std::vector<std::uint32_t> order;
  std::vector<Time> times;
  while (engine.next(event)) {
    order.push_back(event.whom);
    times.push_back(engine.now());
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{3, 0, 2}));
  EXPECT_EQ(times, (std::vector<Time>{0, 10, 30}));
}

TEST(Pending, cancelled_events_are_not_counted_in_the_order_of_choice) {
  Engine engine;
  engine.cancel(engine.schedule_cancellable(5, 1, 0, 0));
  engine.schedule(10, 1, 1, 0);
  engine.schedule(10, 1, 2, 0);
  std::vector<std::uint32_t> shown;
  engine.for_each_pending([&](const Event& event) { shown.push_back(event.whom); });
  EXPECT_EQ(shown, (std::vector<std::uint32_t>{1, 2}));
  engine.choose_pending(1);
  Event event;
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 2U);
  ASSERT_TRUE(engine.next(event));
  EXPECT_EQ(event.whom, 1U);
  EXPECT_FALSE(engine.next(event));
}

}  // namespace
}  // namespace polypath::engine
