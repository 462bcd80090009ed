#include "host/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "host/act.h"
#include "spec/identify.h"

namespace polypath::host {

void Act::note(trace::Inside kind, std::uint32_t a, std::uint32_t b, std::uint32_t c,
               std::uint64_t value) const {
  trace::InsideEvent event;
  event.time = now();
  event.kind = kind;
  event.a = a;
  event.b = b;
  event.c = c;
  event.value = value;
  event.cause = world.engine.cause().id;
  world.trace.annotate(event);
}

std::uint32_t Hosts::add_host(const program::HostSpec& spec) {
  Host host;
  host.id = spec.id;
  policy_from_name(spec.policy, host.policy);
  host.queues = std::max<std::uint16_t>(spec.queues, 1);
  host.queue_depth = spec.queue_depth;
  host.io_timeout = spec.io_timeout;
  state_.hosts.push_back(std::move(host));
  return static_cast<std::uint32_t>(state_.hosts.size() - 1);
}

void Hosts::add_path(std::uint32_t host, std::uint32_t controller, const std::string& name,
                     const std::string& address) {
  Driver driver;
  driver.host = host;
  driver.controller = controller;
  driver.name = name;
  driver.address = address;
  state_.drivers.push_back(std::move(driver));
  const auto index = static_cast<std::uint32_t>(state_.drivers.size());
  if (state_.driver_of_controller.size() <= controller)
    state_.driver_of_controller.resize(controller + std::size_t{1});
  state_.driver_of_controller[controller] = index;
  state_.hosts[host].drivers.push_back(index - 1);
}

void Hosts::start(const Surroundings& world, std::uint32_t host) {
  state_.hosts[host].started = true;
  Act{state_, world}.probe_next(host);
}

void Hosts::start_unbound(std::uint32_t index) {
  Host& host = state_.hosts[index];
  host.started = true;
  host.probed = static_cast<std::uint32_t>(host.drivers.size());
}

bool Hosts::settled(std::uint32_t index) const {
  const Host& host = state_.hosts[index];
  if (!host.started || host.probing != 0 || host.probed < host.drivers.size()) return false;
  return std::all_of(host.drivers.begin(), host.drivers.end(), [&](std::uint32_t driver) {
    const Driver& d = state_.drivers[driver];
    switch (d.state) {
      case ControllerState::unbound:
      case ControllerState::dead:
        return true;
      case ControllerState::live:
        return d.step == Step::none && d.scan == ScanStep::none && !d.scan_wanted;
      default:
        return false;
    }
  });
}

void Hosts::handle(const Surroundings& world, const engine::Event& event) {
  Act act{state_, world};
  const Handle handle{event.whom, static_cast<std::uint32_t>(event.arg)};
  switch (static_cast<What>(event.what)) {
    case What::poll:
      if (state_.drivers[event.whom].epoch == event.arg) act.poll(event.whom);
      return;
    case What::deadline:
      if (state_.drivers[event.whom].epoch == event.arg >> 16U) {
        act.deadline(event.whom, static_cast<std::uint16_t>(event.arg));
      }
      return;
    case What::requeue:
      return act.requeue_work(handle);
    case What::scan:
      if (state_.drivers[event.whom].epoch == event.arg) act.begin_scan(event.whom);
      return;
    case What::retry:
      return act.retry(handle);
  }
}

void Hosts::on_interrupt(const Surroundings& world, std::uint32_t controller, std::uint16_t vector) {
  if (driver(controller) == nullptr) return;
  Act{state_, world}.interrupt(state_.driver_of_controller[controller] - 1, vector);
}

std::uint32_t Hosts::submit_io(const Surroundings& world, std::uint32_t host, std::uint32_t subsystem,
                               std::uint32_t nsid, const IoSpec& io) {
  return Act{state_, world}.submit_io(host, subsystem, nsid, io);
}

std::uint32_t Hosts::submit_admin(const Surroundings& world, std::uint32_t controller,
                                  const spec::SubmissionEntry& entry, std::span<const std::byte> data,
                                  std::uint32_t bytes_to_host) {
  return Act{state_, world}.submit_admin(index_of(controller), entry, data, bytes_to_host);
}

std::uint32_t Hosts::attachment(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                                std::span<const std::uint16_t> controller_ids, std::uint32_t select) {
  std::array<std::uint16_t, spec::kControllerListEntries + 1> list{};
  const std::size_t count = std::min(controller_ids.size(), spec::kControllerListEntries);
  list[0] = static_cast<std::uint16_t>(count);
  std::copy_n(controller_ids.begin(), count, list.begin() + 1);
  spec::SubmissionEntry entry;
  entry.opcode = 0x15;
  entry.nsid = nsid;
  entry.cdw10 = select;
  return submit_admin(world, controller, entry, std::as_bytes(std::span(list)), 0);
}

std::uint32_t Hosts::attach(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                            std::span<const std::uint16_t> controller_ids) {
  return attachment(world, controller, nsid, controller_ids, 0);
}

std::uint32_t Hosts::detach(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                            std::span<const std::uint16_t> controller_ids) {
  return attachment(world, controller, nsid, controller_ids, 1);
}

std::uint32_t Hosts::create_namespace(const Surroundings& world, std::uint32_t controller,
                                      std::uint64_t blocks, std::uint8_t lba_format, bool shared) {
  spec::IdentifyNamespace data{};
  data.nsze = data.ncap = blocks;
  data.flbas = lba_format;
  data.nmic = shared ? spec::nmic::shared : std::uint8_t{0};
  spec::SubmissionEntry entry;
  entry.opcode = 0x0D;
  return submit_admin(world, controller, entry, std::as_bytes(std::span(&data, 1)), 0);
}

std::uint32_t Hosts::delete_namespace(const Surroundings& world, std::uint32_t controller,
                                      std::uint32_t nsid) {
  spec::SubmissionEntry entry;
  entry.opcode = 0x0D;
  entry.nsid = nsid;
  entry.cdw10 = 1;
  return submit_admin(world, controller, entry, {}, 0);
}

std::uint32_t Hosts::reset(const Surroundings& world, std::uint32_t controller) {
  Act act{state_, world};
  const std::uint32_t driver = index_of(controller);
  Driver& d = state_.drivers[driver];
  const Handle request = act.make_request(RequestKind::control, d.host, driver);
  const std::uint32_t id = state_.requests[request.index].id;
  if (d.state != ControllerState::live) {
    act.end_request(request, EBUSY);
  } else {
    d.live_waiters.push_back(request);
    act.begin_reset(driver);
  }
  return id;
}

std::uint32_t Hosts::shutdown(const Surroundings& world, std::uint32_t controller, bool abrupt) {
  Act act{state_, world};
  const std::uint32_t driver = index_of(controller);
  Driver& d = state_.drivers[driver];
  const Handle request = act.make_request(RequestKind::control, d.host, driver);
  const std::uint32_t id = state_.requests[request.index].id;
  if (d.state == ControllerState::live) {
    d.gone_waiters.push_back(request);
    act.begin_shutdown(driver, abrupt);
  } else if (d.state == ControllerState::unbound || d.state == ControllerState::dead) {
    act.end_request(request, ENODEV);
  } else {
    act.end_request(request, EBUSY);
  }
  return id;
}

std::uint32_t Hosts::rescan(const Surroundings& world, std::uint32_t controller) {
  Act act{state_, world};
  const std::uint32_t driver = index_of(controller);
  Driver& d = state_.drivers[driver];
  const Handle request = act.make_request(RequestKind::control, d.host, driver);
  const std::uint32_t id = state_.requests[request.index].id;
  if (d.state != ControllerState::live) {
    act.end_request(request, EBUSY);
  } else {
    d.scan_waiters.push_back({request, d.scans + 1});
    act.want_scan(driver);
  }
  return id;
}

std::uint32_t Hosts::release(const Surroundings& world, std::uint32_t controller) {
  Act act{state_, world};
  const std::uint32_t driver = index_of(controller);
  Driver& d = state_.drivers[driver];
  const Handle request = act.make_request(RequestKind::control, d.host, driver);
  const std::uint32_t id = state_.requests[request.index].id;
  if (d.state == ControllerState::unbound || d.state == ControllerState::dead) {
    act.end_request(request, 0);
  } else {
    d.gone_waiters.push_back(request);
    act.begin_release(driver);
  }
  return id;
}

std::uint32_t Hosts::probe(const Surroundings& world, std::uint32_t controller) {
  Act act{state_, world};
  const std::uint32_t driver = index_of(controller);
  Driver& d = state_.drivers[driver];
  const Handle request = act.make_request(RequestKind::control, d.host, driver);
  const std::uint32_t id = state_.requests[request.index].id;
  if (d.state != ControllerState::unbound && d.state != ControllerState::dead) {
    act.end_request(request, EBUSY);
  } else {
    d.scan_waiters.push_back({request, d.scans + 1});
    act.begin_probe(driver);
  }
  return id;
}

void Hosts::set_policy(const Surroundings& world, std::uint32_t host, Policy policy) {
  Act act{state_, world};
  state_.hosts[host].policy = policy;
  for (const Handle subsystem : state_.hosts[host].subsystems)
    state_.subsystems[subsystem.index].policy = policy;
  for (const HeadKey& key : state_.hosts[host].heads) {
    state_.heads[key.head.index].current = kNoPath;
    act.kick(key.head);
  }
}

void Hosts::clear_outcomes() {
  for (const Outcome& outcome : state_.outcomes)
    state_.hosts[outcome.host].buffers.give(outcome.buffer, outcome.bytes);
  state_.outcomes.clear();
}

const Driver* Hosts::driver(std::uint32_t controller) const {
  if (controller >= state_.driver_of_controller.size()) return nullptr;
  const std::uint32_t driver = state_.driver_of_controller[controller];
  return driver == 0 ? nullptr : &state_.drivers[driver - 1];
}

const Head* Hosts::head(std::uint32_t host, std::uint32_t subsystem, std::uint32_t nsid) const {
  const std::vector<HeadKey>& keys = state_.hosts[host].heads;
  const auto at = std::lower_bound(
      keys.begin(), keys.end(), std::pair(subsystem, nsid),
      [](const HeadKey& key, const auto& wanted) { return std::pair(key.subsystem, key.nsid) < wanted; });
  const bool found = at != keys.end() && at->subsystem == subsystem && at->nsid == nsid;
  return found ? state_.heads.get(at->head) : nullptr;
}

std::string Hosts::head_name(const Head& head) const {
  const Subsystem* subsystem = state_.subsystems.get(head.subsystem);
  return subsystem == nullptr ? std::string() : fmt::format("nvme{}n{}", subsystem->instance, head.number);
}

std::vector<std::uint32_t> Hosts::namespaces_of(std::uint32_t controller) const {
  std::vector<std::uint32_t> nsids;
  if (const Driver* d = driver(controller)) {
    for (const Handle path : d->paths) nsids.push_back(state_.paths[path.index].nsid);
  }
  return nsids;
}

std::uint16_t Hosts::controller_id(std::uint32_t controller) const {
  const Driver* d = driver(controller);
  return d == nullptr ? std::uint16_t{0} : d->facts.cntlid;
}

void State::hash(engine::Hasher& hasher, engine::HashKind kind) const {
  engine::HashFields fields{hasher};
  fields("hosts", hosts);
  fields("drivers", drivers);
  subsystems.hash(hasher);
  heads.hash(hasher);
  paths.hash(hasher);
  requests.hash(hasher);
  ios.hash(hasher);
  commands.hash(hasher);
  fields("outcomes", outcomes);
  if (kind == engine::HashKind::exact) {
    hasher.add(next_request);
    for (const Driver& d : drivers) {
      hasher.add(d.epoch);
      hasher.add(d.scans);
      hasher.add(d.spurious);
      hasher.add(d.give_up_at);
      for (const Queue& q : d.queues) hasher.add(q.deadline);
    }
    commands.for_each([&](std::uint32_t, const Command& c) { hasher.add(c.started); });
    return;
  }
  // The pending timer tells when the queue's deadline is; each command's age is told relative to it.
  commands.for_each([&](std::uint32_t, const Command& c) {
    const Time deadline = drivers[c.driver].queues[c.qid].deadline;
    if (c.submitted && deadline != engine::kForever) hasher.add(deadline - c.started);
  });
}

}  // namespace polypath::host
