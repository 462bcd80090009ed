// Timed events in the order (time, insertion). A radix heap: monotone integer keys need no comparisons, and
// equal times leave in the order in which they came.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/time.h"

namespace polypath::engine {

/// Plain data: what happens to whom, and why. 32 bytes.
struct Event {
  Time at = 0;
  std::uint64_t arg = 0;
  std::uint32_t whom = 0;    ///< index in a table of the world
  std::uint32_t cause = 0;   ///< Cause::id
  std::uint32_t ticket = 0;  ///< slot of a cancellable event, 0 for none
  std::uint16_t what = 0;    ///< kind, numbered by the world
  std::uint8_t latitude = 0;
  std::uint8_t injected = 0;  ///< 1: `arg` is the index of an injection
  bool operator==(const Event&) const = default;
};
static_assert(sizeof(Event) == 32);

/// Pushing and popping cost amortized O(log of the time span), and touch memory in sequence only. A copy
/// takes what is pending and not the capacity; assignment reuses the capacity of the target.
class EventQueue {
 public:
  EventQueue() = default;
  EventQueue(const EventQueue& other) { *this = other; }
  EventQueue(EventQueue&&) noexcept = default;
  EventQueue& operator=(const EventQueue& other);
  EventQueue& operator=(EventQueue&&) noexcept = default;
  ~EventQueue() = default;

  /// `event.at` must not lie before the time of the last event popped since clear().
  void push(const Event& event) {
    assert(event.at >= last_);
    put(event);
    ++size_;
  }
  /// Takes the earliest event; the queue must not be empty.
  Event pop() {
    assert(size_ != 0);
    --size_;
    if (head_ == front_.size()) return advance();
    const Event event = front_[head_++];
    if (head_ >= kCompact || head_ == front_.size()) compact();
    return event;
  }
  /// Time of the earliest event, kForever when there is none. Constant time.
  Time next_time() const {
    if (head_ != front_.size()) return last_;
    return levels_ == 0 ? kForever : buckets_[lowest()].earliest;
  }
  /// Time of the earliest event for which `wanted` holds. Linear in what lies before it and near it.
  template <class Predicate>
  Time next_time_if(Predicate&& wanted) const;
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// Empties the queue, which then accepts any time again.
  void clear();

  /// Removes the events for which `unwanted` holds. Linear.
  template <class Predicate>
  void remove_if(Predicate&& unwanted);

  /// Calls `f` for each event in the order in which they would be popped.
  template <class F>
  void for_each_in_order(F&& f) const;

 private:
  // front_ holds the events at time last_. All others lie in a bucket named by the highest hexadecimal digit
  // in which their time differs from last_ (the level) and its value there, which is greater than last_'s. So
  // a bucket's times all lie before those of the buckets after it, and equal times are always in one bucket,
  // in the order of insertion. Sixteen digits, not two: an event moves once per level, and a large population
  // pays for each move in cache misses.
  struct Bucket {
    std::vector<Event> events;
    Time earliest = kForever;
  };
  static constexpr unsigned kDigitBits = 4;
  static constexpr unsigned kDigits = 1U << kDigitBits;
  static constexpr unsigned kLevels = 64 / kDigitBits;
  static constexpr std::size_t kCompact = 1024;
  static constexpr std::size_t kKeptCapacity = 4096;

  static unsigned digit(Time time, unsigned level) {
    return static_cast<unsigned>(time >> (level * kDigitBits)) & (kDigits - 1);
  }
  std::size_t lowest() const {
    const auto level = static_cast<unsigned>(std::countr_zero(levels_));
    return level * kDigits + static_cast<unsigned>(std::countr_zero(digits_[level]));
  }
  void put(const Event& event) {
    const Time difference = event.at ^ last_;
    if (difference == 0) {
      front_.push_back(event);
      return;
    }
    const unsigned level = (static_cast<unsigned>(std::bit_width(difference)) - 1) / kDigitBits;
    const unsigned value = digit(event.at, level);
    Bucket& bucket = buckets_[level * kDigits + value];
    bucket.events.push_back(event);
    bucket.earliest = std::min(bucket.earliest, event.at);
    levels_ |= 1U << level;
    digits_[level] |= 1U << value;
  }
  // Large buckets give their memory back: a population passes through many of them, and would be paid for
  // many times.
  void vacate(std::size_t index) {
    Bucket& bucket = buckets_[index];
    bucket.events.clear();
    if (bucket.events.capacity() > kKeptCapacity) bucket.events = std::vector<Event>();
    bucket.earliest = kForever;
    const std::size_t level = index / kDigits;
    digits_[level] &= ~(1U << index % kDigits);
    if (digits_[level] == 0) levels_ &= ~(1U << level);
  }
  /// Calls f(index) for each bucket that is not empty, in the order of their times; f may vacate it.
  template <class F>
  void for_each_occupied(F&& f) const {
    for (std::uint32_t levels = levels_; levels != 0; levels &= levels - 1) {
      const auto level = static_cast<unsigned>(std::countr_zero(levels));
      for (std::uint32_t digits = digits_[level]; digits != 0; digits &= digits - 1) {
        f(level * kDigits + static_cast<unsigned>(std::countr_zero(digits)));
      }
    }
  }
  Event advance();
  void compact();

  std::vector<Event> front_;
  std::size_t head_ = 0;  ///< next event of front_
  std::array<Bucket, kLevels * kDigits> buckets_;
  std::array<std::uint32_t, kLevels> digits_{};  ///< per level, bit v: the bucket of digit v is not empty
  std::uint32_t levels_ = 0;                     ///< bit i: some bucket of level i is not empty
  Time last_ = 0;
  std::size_t size_ = 0;
};

template <class Predicate>
Time EventQueue::next_time_if(Predicate&& wanted) const {
  for (std::size_t i = head_; i < front_.size(); ++i) {
    if (wanted(front_[i])) return last_;
  }
  Time earliest = kForever;
  for_each_occupied([&](std::size_t index) {
    if (earliest != kForever) return;  // an earlier bucket had one
    for (const Event& event : buckets_[index].events) {
      if (event.at < earliest && wanted(event)) earliest = event.at;
    }
  });
  return earliest;
}

template <class Predicate>
void EventQueue::remove_if(Predicate&& unwanted) {
  front_.erase(front_.begin(), front_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
  std::erase_if(front_, unwanted);
  size_ = front_.size();
  for_each_occupied([&](std::size_t index) {
    Bucket& bucket = buckets_[index];
    std::erase_if(bucket.events, unwanted);
    if (bucket.events.empty()) return vacate(index);
    bucket.earliest = kForever;
    for (const Event& event : bucket.events) bucket.earliest = std::min(bucket.earliest, event.at);
    size_ += bucket.events.size();
  });
}

template <class F>
void EventQueue::for_each_in_order(F&& f) const {
  for (std::size_t i = head_; i < front_.size(); ++i) f(front_[i]);
  std::vector<std::size_t> order;
  for_each_occupied([&](std::size_t index) {
    const std::vector<Event>& events = buckets_[index].events;
    order.resize(events.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(events[i].at, i); });
    for (const std::size_t i : order) f(events[i]);
  });
}

}  // namespace polypath::engine
