// Timed events in the order (time, insertion). A radix heap: monotone integer keys need no comparisons, and equal
// times leave in the order in which they came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/hash.h"
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
  std::uint8_t reserved = 0;
};
static_assert(sizeof(Event) == 32);

class EventQueue {
 public:
  /// `event.at` must not lie before the last popped event's time.
  void push(const Event& event);
  /// The earliest event; the queue must not be empty.
  const Event& top();
  Event pop();
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void clear();

  /// Calls `f` for each event in the order in which they would be popped.
  template <class F>
  void for_each_in_order(F&& f) const {
    EventQueue copy = *this;
    while (!copy.empty()) f(copy.pop());
  }

 private:
  // Bucket 0 holds events at time last_; bucket i > 0 those whose highest bit differing from last_ is bit i - 1.
  static constexpr std::size_t kBuckets = 65;
  void refill();

  std::array<std::vector<Event>, kBuckets> buckets_;
  std::size_t head_ = 0;  ///< next event of bucket 0
  std::uint64_t occupied_ = 0;  ///< bit i: bucket i + 1 is not empty
  Time last_ = 0;
  std::size_t size_ = 0;
};

}  // namespace polypath::engine
