#include "engine/event_queue.h"

namespace polypath::engine {

EventQueue& EventQueue::operator=(const EventQueue& other) {
  if (this == &other) return *this;
  clear();
  front_.assign(other.front_.begin() + static_cast<std::ptrdiff_t>(other.head_), other.front_.end());
  other.for_each_occupied([&](std::size_t index) {
    const Bucket& bucket = other.buckets_[index];
    buckets_[index].events.assign(bucket.events.begin(), bucket.events.end());
    buckets_[index].earliest = bucket.earliest;
  });
  digits_ = other.digits_;
  levels_ = other.levels_;
  last_ = other.last_;
  size_ = other.size_;
  return *this;
}

void EventQueue::clear() {
  front_.clear();
  head_ = 0;
  for_each_occupied([&](std::size_t index) {
    buckets_[index].events.clear();
    buckets_[index].earliest = kForever;
  });
  digits_ = {};
  levels_ = 0;
  last_ = 0;
  size_ = 0;
}

// The front is used up: moves last_ on to the earliest time, deals the earliest bucket out over the levels
// below it (all empty) and takes the first event at that time.
Event EventQueue::advance() {
  const std::size_t index = lowest();
  Bucket& bucket = buckets_[index];
  last_ = bucket.earliest;
  const Event* event = bucket.events.data();
  const Event* const end = event + bucket.events.size();
  for (; event->at != last_; ++event) put(*event);
  const Event first = *event;
  for (++event; event != end; ++event) put(*event);
  vacate(index);
  return first;
}

// Forgets the popped part of the front when it is the larger one, so that a long chain of events at one time
// does not grow it for ever.
void EventQueue::compact() {
  if (head_ * 2 < front_.size()) return;
  front_.erase(front_.begin(), front_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

}  // namespace polypath::engine
