#include "host/canonical.h"

#include <array>
#include <string_view>

#include "host/host.h"

namespace polypath::host {
namespace {

using engine::mix;

// Addresses, slots, and numbers that count what is over.
constexpr std::array<std::string_view, 12> kDropped{
    "page",  "buffers", "sq", "cq",  "command_of_tag", "first_waiting", "last_waiting", "list",
    "first", "last",    "id", "next"};

struct Walk {
  const State& s;
  Time now;
  engine::Hasher& hasher;
  engine::HashCanonicalFields fields{hasher, kDropped};

  Walk(const State& state, Time at, engine::Hasher& into) : s(state), now(at), hasher(into) {}

  void request(Handle handle) {
    const Request* row = s.requests.get(handle);
    hasher.add(row == nullptr ? 0 : request_name(*row));
  }
  std::uint64_t request_name(const Request& row) const {
    engine::Hasher own;
    engine::HashCanonicalFields content{own, kRequestDropped};
    row.fields(content);
    return own.value();
  }
  void path(Handle handle) {
    const Path* row = s.paths.get(handle);
    if (row == nullptr) return hasher.add(0);
    hasher.add(std::uint64_t{row->driver} << 32U | row->nsid);
  }
  void head(Handle handle) {
    const Head* row = s.heads.get(handle);
    if (row == nullptr) return hasher.add(0);
    hasher.add(std::uint64_t{row->host} << 32U | row->nsid);
    hasher.add(row->number);
    const Subsystem* subsystem = s.subsystems.get(row->subsystem);
    hasher.add(subsystem == nullptr ? 0xFFFF : subsystem->instance);
  }
  void io(const Io& row) {
    row.fields(fields);
    request(row.request);
    head(row.head);
    path(row.path);
  }
  void command(const Command& row) {
    row.fields(fields);
    if (row.kind == CommandKind::io) {
      if (const Io* owner = s.ios.get(row.owner)) io(*owner);
    } else {
      request(row.owner);
    }
    if (row.submitted && row.kind != CommandKind::event_request) hasher.add(now - row.started);
  }
  void command_at(std::uint32_t index_and_1) {
    if (index_and_1 == 0 || !s.commands.live(index_and_1 - 1)) return hasher.add(0);
    command(s.commands[index_and_1 - 1]);
  }
  void queue(const Queue& q) {
    q.fields(fields);
    for (const std::uint64_t bits : q.free_tags) hasher.add(bits);
    for (const std::uint32_t tag : q.command_of_tag) command_at(tag);
    for (std::uint32_t at = q.first_waiting; at != 0; at = s.commands[at - 1].next) command_at(at);
    hasher.add(q.deadline == engine::kForever ? q.deadline : q.deadline - now);
  }
  void driver(const Driver& d) {
    d.fields(fields);
    for (const Queue& q : d.queues) queue(q);
    for (const Handle p : d.paths) path(p);
    if (const Command* own = s.commands.get(d.own)) command(*own);
    for (const ScanWaiter& waiter : d.scan_waiters) {
      request(waiter.request);
      hasher.add(waiter.scan - d.scans);
    }
    for (const Handle waiter : d.live_waiters) request(waiter);
    for (const Handle waiter : d.gone_waiters) request(waiter);
    if (d.step != Step::none && d.give_up_at >= now) hasher.add(d.give_up_at - now);
  }
  void head_content(const Head& row) {
    row.fields(fields);
    for (const Handle p : row.paths) {
      path(p);
      if (const Path* content = s.paths.get(p)) content->fields(fields);
    }
    for (std::uint32_t at = row.first; at != 0; at = s.ios[at - 1].next) io(s.ios[at - 1]);
  }

 private:
  static constexpr std::array<std::string_view, 2> kRequestDropped{"id", "buffer"};
};

}  // namespace

std::uint64_t name_of(const State& state, const engine::Event& event) {
  std::uint64_t about = 0;
  const Handle handle{event.whom, static_cast<std::uint32_t>(event.arg)};
  engine::Hasher hasher;
  Walk walk(state, 0, hasher);
  switch (static_cast<What>(event.what)) {
    case What::poll:
    case What::scan:
      if (state.drivers[event.whom].epoch != event.arg) return 0;
      about = event.whom;
      break;
    case What::deadline:
      if (state.drivers[event.whom].epoch != event.arg >> 16U) return 0;
      about = std::uint64_t{event.whom} << 16U | (event.arg & 0xFFFFU);
      break;
    case What::requeue:
      if (state.heads.get(handle) == nullptr) return 0;
      walk.head(handle);
      about = hasher.value();
      break;
    case What::retry: {
      const Io* io = state.ios.get(handle);
      if (io == nullptr) return 0;
      walk.io(*io);
      about = hasher.value();
      break;
    }
  }
  return mix(mix(event.what, about), event.cause) | 1U;
}

void hash_canonical(const State& state, Time now, engine::Hasher& hasher) {
  Walk walk(state, now, hasher);
  for (const Host& host : state.hosts) {
    host.fields(walk.fields);
    for (const Handle subsystem : host.subsystems) {
      const Subsystem& row = state.subsystems[subsystem.index];
      row.fields(walk.fields);
      for (const Handle head : row.heads) walk.head_content(state.heads[head.index]);
    }
  }
  for (const Driver& d : state.drivers) walk.driver(d);
  std::uint64_t requests = 0;  // a sum has no order
  state.requests.for_each([&](std::uint32_t, const Request& row) { requests += walk.request_name(row); });
  hasher.add(state.requests.size());
  hasher.add(requests);
  hasher.add(state.outcomes.size());
}

}  // namespace polypath::host
