#include "engine/engine.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <functional>
#include <tuple>
#include <utility>

namespace polypath::engine {

namespace {

// Fewer dead entries than this are not worth a pass.
constexpr std::size_t kSweepAtLeast = 64;

// Keep what is drawn from one key apart.
constexpr std::uint64_t kAnswer = 1;
constexpr std::uint64_t kStretch = 2;

std::uint64_t word(const Cause& cause) { return std::uint64_t{cause.id} << 8U | cause.latitude; }
std::uint64_t word(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32U | low; }
std::uint64_t counter_key(std::uint32_t cause, Site site) { return std::uint64_t{cause} << 16U | site; }

auto override_key(const DecisionOverride& o) { return std::tuple(o.cause, o.site, o.nth); }

// What an event is, without when, and without the numbers that only history gave it.
std::uint64_t meaning(const Event& event, std::uint64_t arg) {
  std::uint64_t hash = mix(arg, word(event.whom, event.cause));
  const std::uint32_t cancellable = event.ticket != 0 ? 1 : 0;
  hash =
      mix(hash, word(std::uint32_t{event.what} << 16U | std::uint32_t{event.latitude} << 8U | event.injected,
                     cancellable));
  return hash;
}

void add_exact(Hasher& hasher, const Event& event) {
  hasher.add(event.at);
  hasher.add(meaning(event, event.arg));
  hasher.add(event.ticket);
}

}  // namespace

Engine::Engine(std::uint64_t seed) : seed_(seed) {}

Event Engine::make_event(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg) const {
  Event event;
  event.at = std::max(at, now_);
  event.arg = arg;
  event.whom = whom;
  event.cause = cause_.id;
  event.what = what;
  event.latitude = cause_.latitude;
  return event;
}

// ---- Timed events ----

void Engine::schedule(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg) {
  if (at == kForever) return;
  queue_.push(make_event(at, what, whom, arg));
}

Ticket Engine::schedule_cancellable(Time at, std::uint16_t what, std::uint32_t whom, std::uint64_t arg) {
  if (at == kForever) return {};
  Event event = make_event(at, what, whom, arg);
  if (free_tickets_.empty()) {
    tickets_.emplace_back();
    event.ticket = static_cast<std::uint32_t>(tickets_.size());
  } else {
    event.ticket = free_tickets_.back();
    free_tickets_.pop_back();
  }
  TicketSlot& slot = tickets_[event.ticket - 1];
  slot.live = true;
  queue_.push(event);
  return {event.ticket, slot.generation};
}

bool Engine::pending(Ticket ticket) const {
  if (ticket.slot == 0 || ticket.slot > tickets_.size()) return false;
  const TicketSlot& slot = tickets_[ticket.slot - 1];
  return slot.live && slot.generation == ticket.generation;
}

bool Engine::cancel(Ticket ticket) {
  if (!pending(ticket)) return false;
  tickets_[ticket.slot - 1].live = false;
  ++cancelled_;
  if (cancelled_ >= kSweepAtLeast && cancelled_ > queue_.size() / 2) sweep();
  return true;
}

// The event of this slot has left the queue, so its number may serve again, under a new generation.
void Engine::retire(std::uint32_t ticket) {
  TicketSlot& slot = tickets_[ticket - 1];
  if (!slot.live) --cancelled_;
  slot.live = false;
  if (++slot.generation == 0) slot.generation = 1;  // generation 0 means no ticket
  free_tickets_.push_back(ticket);
}

// Cancelled events outnumber the pending ones: one pass takes them out, which the cancellations since the
// last pass have paid for.
void Engine::sweep() {
  queue_.remove_if([this](const Event& event) {
    if (live(event)) return false;
    retire(event.ticket);
    return true;
  });
}

// ---- Ready work ----

void Engine::ready(std::uint16_t what, std::uint32_t whom, std::uint64_t arg) {
  if (ready_taken_ == ready_.size()) {
    ready_.clear();
    ranked_.clear();
    ready_taken_ = benign_ = 0;
  } else if (ready_taken_ >= kSweepAtLeast && ready_taken_ > ready_.size() / 2) {
    compact_ready();
  }
  ReadyItem item;
  item.event = make_event(now_, what, whom, arg);
  const Answer rank = answer(kReadySite);
  if (rank.by != Answer::By::benign) {
    item.rank = rank.value;
    ranked_.push_back({item.rank, ready_.size()});
    std::push_heap(ranked_.begin(), ranked_.end(), std::greater{});
  }
  ready_.push_back(item);
}

std::size_t Engine::ready_index(std::size_t position) const {
  assert(position < ready_count());
  for (std::size_t i = 0;; ++i) {
    if (ready_[i].taken) continue;
    if (position-- == 0) return i;
  }
}

// Position in ready_ of the item with the lowest (rank, insertion).
std::size_t Engine::next_ready() {
  while (!ranked_.empty() && ready_[ranked_.front().position].taken) {
    std::pop_heap(ranked_.begin(), ranked_.end(), std::greater{});
    ranked_.pop_back();
  }
  while (benign_ < ready_.size() && (ready_[benign_].taken || ready_[benign_].rank != kBenignRank)) ++benign_;
  if (ranked_.empty()) return benign_;
  if (benign_ == ready_.size() || ranked_.front().rank < kBenignRank) return ranked_.front().position;
  return benign_;
}

void Engine::take_ready(Event& out) {
  const bool choose = chosen_ready_ >= 0 && static_cast<std::size_t>(chosen_ready_) < ready_count();
  ReadyItem& item = ready_[choose ? ready_index(static_cast<std::size_t>(chosen_ready_)) : next_ready()];
  chosen_ready_ = -1;
  out = item.event;
  item.taken = true;
  ++ready_taken_;
}

bool Engine::take_pending(Event& out) {
  std::ptrdiff_t position = std::exchange(chosen_pending_, -1);
  bool found = false;
  for_each_pending([&](const Event& event) {
    if (position-- != 0) return;
    out = event;
    found = true;
  });
  if (!found) return false;
  bool removed = false;  // equal events are one as good as the other
  queue_.remove_if([&](const Event& event) { return !removed && event == out && (removed = true); });
  if (out.ticket != 0) retire(out.ticket);
  if (clock_moves_) now_ = std::max(now_, out.at);
  out.at = now_;
  return true;
}

void Engine::compact_ready() {
  std::erase_if(ready_, [](const ReadyItem& item) { return item.taken; });
  ready_taken_ = benign_ = 0;
  ranked_.clear();
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    if (ready_[i].rank != kBenignRank) ranked_.push_back({ready_[i].rank, i});
  }
  std::make_heap(ranked_.begin(), ranked_.end(), std::greater{});
}

// ---- The clock ----

bool Engine::next(Event& out, Time until) {
  if (chosen_pending_ >= 0 && take_pending(out)) {
    chosen_ready_ = -1;
  } else if (ready_count() != 0 && until >= now_) {
    take_ready(out);
  } else {
    for (bool happens = false; !happens;) {
      // A cancelled event after `until` stays: taking it out would move the queue ahead of the clock, as it
      // is when cancelled events were all that was left.
      if (queue_.empty() || queue_.next_time() > until) {
        if (queue_.empty()) queue_.clear();
        if (until != kForever) now_ = std::max(now_, until);
        return false;
      }
      out = queue_.pop();
      happens = live(out);
      if (out.ticket != 0) retire(out.ticket);
    }
    now_ = out.at;
  }
  cause_ = {out.cause, out.latitude};
  ++handled_;
  return true;
}

Time Engine::next_time() const {
  if (ready_count() != 0) return now_;
  if (cancelled_ == 0) return queue_.next_time();
  return queue_.next_time_if([this](const Event& event) { return live(event); });
}

// ---- Decisions ----

// How many decisions of the current cause this site has had; counts this one.
std::uint32_t Engine::count(Site site) {
  const std::uint64_t key = counter_key(cause_.id, site);
  if (last_counter_ >= counters_.size() || counters_[last_counter_].key != key) {
    const auto at = std::ranges::lower_bound(counters_, key, {}, &Counter::key);
    last_counter_ = static_cast<std::size_t>(at - counters_.begin());
    if (at == counters_.end() || at->key != key) counters_.insert(at, Counter{key, 0});
  }
  return counters_[last_counter_].count++;
}

std::uint32_t Engine::counted(std::uint32_t cause, Site site) const {
  const std::uint64_t key = counter_key(cause, site);
  const auto at = std::ranges::lower_bound(counters_, key, {}, &Counter::key);
  return at == counters_.end() || at->key != key ? 0 : at->count;
}

Engine::Answer Engine::answer(Site site) {
  if (cause_.latitude == 0 && overrides_.empty()) return {};
  const DecisionOverride wanted{cause_.id, site, count(site), 0};
  const auto at = std::ranges::lower_bound(overrides_, override_key(wanted), {}, override_key);
  if (at != overrides_.end() && override_key(*at) == override_key(wanted)) {
    return {at->value, Answer::By::recording};
  }
  if (cause_.latitude == 0) return {};
  const std::uint64_t key = mix(mix(seed_, word(cause_)), word(wanted.nth, site));
  return {mix(key, kAnswer), Answer::By::latitude};
}

std::uint64_t Engine::decide(Site site, std::uint64_t choices) {
  const Answer given = answer(site);
  if (given.by == Answer::By::benign || choices == 0) return 0;
  if (given.by == Answer::By::recording) return given.value % choices;
  // The high half of the product maps 64 bits onto the choices; unevenness is below choices / 2^64.
  return static_cast<std::uint64_t>(static_cast<uint128>(given.value) * choices >> 64U);
}

Time Engine::duration(Site site, Time typical, Time most) {
  const Answer given = answer(site);
  if (given.by == Answer::By::recording) return given.value;
  if (given.by == Answer::By::benign || most <= typical) return typical;
  const Time room = most - typical;
  const auto magnitudes = static_cast<std::uint64_t>(std::bit_width(room)) + 1;
  const auto bits = static_cast<unsigned>(static_cast<uint128>(given.value) * magnitudes >> 64U);
  if (bits == 0) return typical;
  const Time stretch = mix(given.value, kStretch) >> (64U - bits);
  return typical + std::min(stretch, room);
}

void Engine::set_overrides(std::vector<DecisionOverride> overrides) {
  overrides_ = std::move(overrides);
  std::ranges::sort(overrides_, {},
                    [](const DecisionOverride& o) { return std::pair(override_key(o), o.value); });
}

// ---- Outside input ----

void Engine::inject(std::uint32_t source, std::span<const std::byte> payload, Time at, std::uint16_t what,
                    std::uint32_t whom) {
  Injection injection;
  injection.at = std::max(at, now_);
  injection.source = source;
  injection.offset = injected_.size();
  injection.bytes = payload.size();
  injection.after = handled_;
  injection.cause = cause_;
  injection.what = what;
  injection.whom = whom;
  injected_.insert(injected_.end(), payload.begin(), payload.end());
  injected_hash_ = mix(injected_hash_, word(source, whom));
  injected_hash_ = mix(injected_hash_, hash_bytes(payload.data(), payload.size(), injection.at));
  injected_hash_ = mix(injected_hash_, mix(handled_, word(cause_)) ^ what);
  injections_.push_back(injection);
  if (at == kForever) return;
  Event event = make_event(at, what, whom, injections_.size() - 1);
  event.injected = 1;
  queue_.push(event);
}

std::span<const std::byte> Engine::injected_bytes(std::size_t index) const {
  assert(index < injections_.size());
  const Injection& injection = injections_[index];
  return std::span(injected_).subspan(injection.offset, injection.bytes);
}

// ---- Hashes ----

void Engine::hash(Hasher& hasher, HashKind kind) const {
  hasher.add(seed_);
  if (kind == HashKind::exact) {
    hash_exact(hasher);
  } else {
    hash_canonical(hasher);
  }
}

void Engine::hash_exact(Hasher& hasher) const {
  hasher.add(now_);
  hasher.add(word(cause_));
  hasher.add(handled_);
  hasher.add(queue_.size());
  queue_.for_each_in_order([&](const Event& event) { add_exact(hasher, event); });
  hasher.add(ready_count());
  for (const ReadyItem& item : ready_) {
    if (item.taken) continue;
    add_exact(hasher, item.event);
    hasher.add(item.rank);
  }
  hasher.add(static_cast<std::uint64_t>(chosen_ready_));
  if (chosen_pending_ >= 0) hasher.add(static_cast<std::uint64_t>(chosen_pending_));
  hasher.add(tickets_.size());
  for (const TicketSlot& slot : tickets_)
    hasher.add(std::uint64_t{slot.generation} << 1U | (slot.live ? 1U : 0U));
  for (const std::uint32_t slot : free_tickets_) hasher.add(slot);
  hasher.add(counters_.size());
  for (const Counter& counter : counters_) {
    hasher.add(counter.key);
    hasher.add(counter.count);
  }
  hasher.add(overrides_.size());
  for (const DecisionOverride& o : overrides_) {
    hasher.add(counter_key(o.cause, o.site));
    hasher.add(o.nth);
    hasher.add(o.value);
  }
  hasher.add(injections_.size());
  hasher.add(injected_hash_);
}

void Engine::hash_canonical(Hasher& hasher) const {
  // What arrives is the payload; which number its injection got is history.
  const auto named = [this](const Event& event) {
    if (event.injected == 0) return meaning(event, event.arg);
    const std::span<const std::byte> bytes = injected_bytes(event.arg);
    return meaning(event, hash_bytes(bytes.data(), bytes.size(), injections_[event.arg].source));
  };
  hasher.add(pending_events());
  queue_.for_each_in_order([&](const Event& event) {
    if (!live(event)) return;
    hasher.add(event.at - now_);
    hasher.add(named(event));
  });
  std::uint64_t sum = 0;
  for (const ReadyItem& item : ready_) {
    if (!item.taken) sum += named(item.event);  // a sum has no order
  }
  hasher.add(ready_count());
  hasher.add(sum);
  for (const DecisionOverride& o : overrides_) {
    const std::uint32_t used = counted(o.cause, o.site);
    if (o.nth < used) continue;
    hasher.add(counter_key(o.cause, o.site));
    hasher.add(o.nth - used);
    hasher.add(o.value);
  }
}

}  // namespace polypath::engine
