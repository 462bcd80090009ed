// A driver from CC.EN to live, its resets and its end, as a state machine that polls CSTS and goes on with
// each completion of its own commands. Base specification, "Controller Initialization", "Controller
// Shutdown".
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/act.h"
#include "spec/identify.h"
#include "spec/log_feature_event.h"
#include "spec/registers.h"

namespace polypath::host {
namespace {

constexpr std::uint32_t kAllOnes = 0xFFFFFFFF;  // what a function answers that is not there any more
constexpr std::uint8_t kEffectsLogBit = 2;      // LPA bit 1
constexpr std::uint32_t kSupportedEvents = spec::oaes::ns_attribute;

template <std::size_t N>
std::string text_of(const std::array<char, N>& padded) {
  std::string text(padded.data(), std::find(padded.begin(), padded.end(), '\0'));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

spec::SubmissionEntry admin(std::uint8_t opcode, std::uint32_t cdw10, std::uint32_t cdw11 = 0) {
  spec::SubmissionEntry entry;
  entry.opcode = opcode;
  entry.cdw10 = cdw10;
  entry.cdw11 = cdw11;
  return entry;
}

}  // namespace

void Act::set_state(std::uint32_t driver, ControllerState state) {
  Driver& d = s.drivers[driver];
  d.state = state;
  for (const Handle path : d.paths) {
    Head& head = s.heads[s.paths[path.index].head.index];
    const auto at = std::find(head.paths.begin(), head.paths.end(), path) - head.paths.begin();
    head.records[static_cast<std::size_t>(at)].controller = state;
  }
}

void Act::probe_next(std::uint32_t host) {
  Host& h = s.hosts[host];
  while (h.probing == 0 && h.probed < h.drivers.size()) {
    const std::uint32_t driver = h.drivers[h.probed++];
    h.probing = driver + 1;
    begin_probe(driver);  // may end at once, when the controller is dead
  }
}

void Act::set_enable(Driver& d, bool on) {
  std::uint64_t cc = 0;
  if (on) {
    constexpr std::uint64_t kSeveralSets = 0x40;  // CAP.CSS: I/O command sets are chosen per namespace
    if ((spec::cap::css.get(d.cap) & kSeveralSets) != 0) cc = spec::cc::css.put(cc, 6);
    cc = spec::cc::iosqes.put(cc, 6);
    cc = spec::cc::iocqes.put(cc, 4);
    cc = spec::cc::en.put(cc, 1);
  } else {
    cc = spec::cc::en.put(port(d).read_register(spec::reg::cc, 4), 0);
    cc = spec::cc::shn.put(cc, 0);
  }
  port(d).write_register(spec::reg::cc, cc, 4);
}

void Act::wait(std::uint32_t driver, Step step, Time limit) {
  s.drivers[driver].step = step;
  s.drivers[driver].give_up_at = engine::after(now(), limit);
  poll(driver);
}

static Time ready_limit(const Driver& d) {
  return (spec::cap::to.get(d.cap) + 1) * 500 * engine::kMillisecond;
}

void Act::begin_probe(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  ++d.epoch;
  d.lost = false;
  set_state(driver, ControllerState::connecting);
  d.cap = port(d).read_register(spec::reg::cap, 8);
  d.lost = static_cast<std::uint32_t>(d.cap) == kAllOnes;
  constexpr std::uint64_t kPagesOf4KiB = 0;
  if (d.lost || spec::cap::mpsmin.get(d.cap) > kPagesOf4KiB) return die(driver);
  if (d.page == 0) d.page = port(d).memory().allocate(spec::kIdentifyBytes);
  set_enable(d, false);  // whatever firmware or another driver left
  wait(driver, Step::wait_disabled, ready_limit(d));
}

void Act::poll(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  const auto csts = static_cast<std::uint32_t>(port(d).read_register(spec::reg::csts, 4));
  d.lost = d.lost || csts == kAllOnes;
  const bool late = now() >= d.give_up_at;
  const bool ready = spec::csts::rdy.get(csts) != 0;
  switch (d.step) {
    case Step::wait_disabled:
      if (d.lost) return die(driver);
      if (!ready) return program_and_enable(driver);
      if (late) return die(driver);
      break;
    case Step::wait_ready:
      if (d.lost || spec::csts::cfs.get(csts) != 0) return die(driver);
      if (ready) {
        d.queues[0].exists = true;
        d.step = Step::identify;
        return send_to_page(driver, admin(0x06, static_cast<std::uint32_t>(spec::Cns::controller)));
      }
      if (late) return die(driver);
      break;
    case Step::wait_torn_down:
    case Step::wait_released:
      if (!ready || d.lost || late) return torn_down(driver);
      break;
    case Step::wait_shutdown:
      if (d.lost || late || spec::csts::shst.get(csts) == std::uint64_t{2}) return let_go(driver);
      break;
    default:
      return;
  }
  schedule(What::poll, driver, d.epoch, now() + kPollInterval);
}

void Act::program_and_enable(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.doorbells_on = false;
  make_queue(d, 0, kAdminEntries, kAdminTags, 0);
  const Queue& q = d.queues[0];
  std::uint64_t aqa = spec::aqa::asqs.put(0, kAdminEntries - 1);
  aqa = spec::aqa::acqs.put(aqa, kAdminEntries - 1);
  port(d).write_register(spec::reg::aqa, aqa, 4);
  port(d).write_register(spec::reg::asq, q.sq, 8);
  port(d).write_register(spec::reg::acq, q.cq, 8);
  set_enable(d, true);
  wait(driver, Step::wait_ready, ready_limit(d));
}

void Act::send(std::uint32_t driver, const spec::SubmissionEntry& entry) {
  Command c;
  c.kind = CommandKind::own;
  c.driver = driver;
  c.entry = entry;
  c.cause = world.engine.cause();
  submit(c);
}

void Act::send_to_page(std::uint32_t driver, spec::SubmissionEntry entry) {
  entry.prp1 = s.drivers[driver].page;
  send(driver, entry);
}

void Act::set_up_done(std::uint32_t driver, const Completion& completion) {
  Driver& d = s.drivers[driver];
  const bool good = completion.status == 0;
  const auto ask_queues = [&] {
    const std::uint32_t vectors = port(d).vectors();
    const std::uint32_t wanted =
        std::min<std::uint32_t>(s.hosts[d.host].queues, vectors > 1 ? vectors - 1 : 1);
    d.step = Step::number_of_queues;
    const auto fid = static_cast<std::uint32_t>(spec::FeatureId::number_of_queues);
    send(driver, admin(0x09, fid, (wanted - 1) << 16U | (wanted - 1)));
  };
  switch (d.step) {
    case Step::identify:
      if (!good) return die(driver);
      parse_controller(driver);
      if (!join_subsystem(driver)) return die(driver);
      d.effects.fill(0);
      if ((d.facts.lpa & kEffectsLogBit) == 0) return ask_queues();
      d.step = Step::effects_log;
      return send_to_page(driver,
                          admin(0x02, static_cast<std::uint32_t>(spec::LogId::effects) | 0x3FFU << 16U));
    case Step::effects_log:
      if (good) {
        const auto bytes =
            std::as_writable_bytes(std::span(d.effects));  // admin commands come first in the log
        port(d).memory().read(d.page, bytes);
      }
      return ask_queues();
    case Step::number_of_queues: {
      const std::uint32_t vectors = port(d).vectors();
      const std::uint32_t granted = 1 + std::min(completion.dw0 & 0xFFFFU, completion.dw0 >> 16U);
      const std::uint32_t wanted =
          std::min<std::uint32_t>(s.hosts[d.host].queues, vectors > 1 ? vectors - 1 : 1);
      d.io_queues = good ? static_cast<std::uint16_t>(std::min(wanted, granted)) : std::uint16_t{0};
      d.at_queue = 0;
      return next_queue(driver);
    }
    case Step::create_cq:
      if (!good) {  // fewer queues than hoped for; with none the controller serves admin commands only
        d.io_queues = static_cast<std::uint16_t>(d.at_queue - 1);
        return become_live(driver);
      }
      d.step = Step::create_sq;
      {
        spec::SubmissionEntry entry = admin(0x01, d.at_queue | (d.queues[d.at_queue].entries - 1) << 16U,
                                            std::uint32_t{d.at_queue} << 16U | 1U);
        entry.prp1 = d.queues[d.at_queue].sq;
        return send(driver, entry);
      }
    case Step::create_sq:
      if (!good) {
        d.io_queues = static_cast<std::uint16_t>(d.at_queue - 1);
        return become_live(driver);
      }
      d.queues[d.at_queue].exists = true;
      return next_queue(driver);
    case Step::doorbell_buffer:
      if (good) d.doorbells_on = true;
      return become_live(driver);
    case Step::event_configuration:
      return configure_events(driver);
    case Step::delete_sq:
    case Step::delete_cq:
      return delete_next_queue(driver);
    default:
      return;
  }
}

void Act::parse_controller(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  spec::IdentifyController data;
  port(d).memory().read_value(d.page, data);
  d.facts = {text_of(data.sn), text_of(data.mn), text_of(data.fr), text_of(data.subnqn),
             data.cntlid,      data.oacs,        data.oncs,        data.oaes,
             data.ctratt,      data.cmic,        data.mdts,        data.lpa,
             data.acl,         data.crdt};
  d.aborts_left = d.facts.acl + 1U;
}

// A subsystem is known by its NQN and numbered after the first of its controllers that is probed.
bool Act::join_subsystem(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (d.subsystem) return s.subsystems[d.subsystem.index].nqn == d.facts.nqn;  // after a reset
  Host& host = s.hosts[d.host];
  const auto at =
      std::lower_bound(host.subsystems.begin(), host.subsystems.end(), d.facts.nqn,
                       [&](Handle h, const std::string& nqn) { return s.subsystems[h.index].nqn < nqn; });
  if (at == host.subsystems.end() || s.subsystems[at->index].nqn != d.facts.nqn) {
    Subsystem made;
    made.host = d.host;
    made.nqn = d.facts.nqn;
    const auto& headers = world.trace.header.controllers;
    made.header_index = d.controller < headers.size() ? headers[d.controller].subsystem : 0;
    made.instance = d.controller;
    made.policy = host.policy;
    made.drivers = {driver};
    d.subsystem = s.subsystems.insert(std::move(made));
    host.subsystems.insert(at, d.subsystem);
    return true;
  }
  Subsystem& subsystem = s.subsystems[at->index];
  if ((d.facts.cmic & spec::cmic::several_controllers) == 0) return false;
  for (const std::uint32_t other : subsystem.drivers) {
    if (s.drivers[other].facts.cntlid == d.facts.cntlid) return false;
  }
  subsystem.drivers.push_back(driver);
  d.subsystem = *at;
  return true;
}

void Act::leave_subsystem(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  const Handle handle = d.subsystem;
  d.subsystem = {};
  Subsystem* subsystem = s.subsystems.get(handle);
  if (subsystem == nullptr) return;
  std::erase(subsystem->drivers, driver);
  if (!subsystem->drivers.empty()) return;
  std::erase(s.hosts[d.host].subsystems, handle);
  s.subsystems.erase(handle);
}

void Act::next_queue(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (d.at_queue == d.io_queues) return configure_doorbells(driver);
  const std::uint16_t qid = ++d.at_queue;
  const auto mqes = static_cast<std::uint32_t>(spec::cap::mqes.get(d.cap));
  const std::uint32_t entries = std::clamp<std::uint32_t>(s.hosts[d.host].queue_depth, 2, mqes + 1);
  const std::uint16_t vector = port(d).vectors() > 1 ? qid : std::uint16_t{0};
  make_queue(d, qid, entries, entries - 1, vector);
  d.step = Step::create_cq;
  constexpr std::uint32_t kContiguousWithInterrupts = 3;
  spec::SubmissionEntry entry =
      admin(0x05, qid | (entries - 1) << 16U, std::uint32_t{vector} << 16U | kContiguousWithInterrupts);
  entry.prp1 = d.queues[qid].cq;
  send(driver, entry);
}

// Doorbells in memory, where the controller takes them: the register is written only when it asks for that.
void Act::configure_doorbells(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (d.io_queues == 0 || (d.facts.oacs & spec::oacs::doorbell_buffer) == 0) return become_live(driver);
  port::HostMemory& memory = port(d).memory();
  if (!d.doorbells) {
    d.doorbells.doorbells = memory.allocate(spec::kPageSize);
    d.doorbells.event_indexes = memory.allocate(spec::kPageSize);
  }
  static constexpr std::array<std::byte, spec::kPageSize> kZeros{};
  memory.write(d.doorbells.doorbells, kZeros);  // as the queues of an earlier life left them
  memory.write(d.doorbells.event_indexes, kZeros);
  d.step = Step::doorbell_buffer;
  spec::SubmissionEntry entry = admin(0x7C, 0);
  entry.prp1 = d.doorbells.doorbells;
  entry.prp2 = d.doorbells.event_indexes;
  send(driver, entry);
}

// As in Linux the controller is live, and takes I/O on paths that it had before, before events are
// configured.
void Act::become_live(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  set_state(driver, ControllerState::live);
  kick_all(driver);
  const std::uint32_t events = d.facts.oaes & kSupportedEvents;
  if (events == 0) return configure_events(driver);
  d.step = Step::event_configuration;
  send(driver, admin(0x09, static_cast<std::uint32_t>(spec::FeatureId::async_event), events));
}

// The configuration stands (or was refused: then there are no events): request them, and look what is there.
void Act::configure_events(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.step = Step::none;
  if ((d.facts.oaes & kSupportedEvents) != 0) submit_event_request(driver);
  want_scan(driver);  // changes during the outage are found by looking
  std::vector<Handle> waiters;
  waiters.swap(d.live_waiters);
  for (const Handle request : waiters) end_request(request, 0);
}

void Act::begin_reset(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  ++d.epoch;
  stop_scan(driver);
  set_state(driver, ControllerState::resetting);
  set_enable(d, false);
  wait(driver, Step::wait_torn_down, ready_limit(d));
}

void Act::begin_release(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  ++d.epoch;
  stop_scan(driver);
  set_state(driver, ControllerState::deleting_noio);
  while (!d.paths.empty()) remove_path(d.paths.front());
  set_enable(d, false);
  wait(driver, Step::wait_released, ready_limit(d));
}

// RDY is 0, or will not become it: nothing more comes from the controller.
void Act::torn_down(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  const bool late =
      now() >= d.give_up_at && spec::csts::rdy.get(port(d).read_register(spec::reg::csts, 4)) != 0;
  if (!d.lost) {
    for (std::uint16_t qid = 0; qid < s.drivers[driver].queues.size(); ++qid) reap(driver, qid, false);
  }
  cancel_all(driver);
  if (d.step == Step::wait_released) return let_go(driver);
  if (d.lost || late) return die(driver);
  ++d.epoch;
  set_state(driver, ControllerState::connecting);
  program_and_enable(driver);
}

void Act::begin_shutdown(std::uint32_t driver, bool abrupt) {
  Driver& d = s.drivers[driver];
  ++d.epoch;
  for (Queue& q : d.queues)
    q.deadline = engine::kForever;  // the old epoch's timers are stale: set them again
  for (Queue& q : d.queues) {
    if (q.in_flight != 0) arm(d, q, engine::after(now(), timeout_of(d, q)));
  }
  stop_scan(driver);
  d.abrupt = abrupt;
  set_state(driver, ControllerState::deleting);
  while (!d.paths.empty()) remove_path(d.paths.front());
  if (abrupt) return shut_down_controller(driver);
  d.step = Step::drain;
  go_on_draining(driver);
}

void Act::go_on_draining(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (d.step != Step::drain || d.io_commands != 0) return;
  d.step = Step::delete_sq;
  d.at_queue = static_cast<std::uint16_t>(d.io_queues + 1);
  delete_next_queue(driver);
}

// Submission queues first: a completion queue with users cannot be deleted.
void Act::delete_next_queue(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (--d.at_queue == 0) {
    if (d.step == Step::delete_cq || d.io_queues == 0) return shut_down_controller(driver);
    d.step = Step::delete_cq;
    d.at_queue = d.io_queues;
  }
  const bool sq = d.step == Step::delete_sq;
  if (!sq) d.queues[d.at_queue].exists = false;
  send(driver, admin(sq ? 0x00 : 0x04, d.at_queue));
}

void Act::shut_down_controller(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  const auto request = d.abrupt ? spec::ShutdownRequest::abrupt : spec::ShutdownRequest::normal;
  const std::uint64_t cc = port(d).read_register(spec::reg::cc, 4);
  port(d).write_register(spec::reg::cc, spec::cc::shn.put(cc, static_cast<std::uint64_t>(request)), 4);
  wait(driver, Step::wait_shutdown, kShutdownTimeout);
}

void Act::let_go(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  ++d.epoch;
  d.step = Step::none;
  stop_scan(driver);
  d.scan_wanted = d.changed_log_wanted = false;
  cancel_all(driver);
  while (!d.paths.empty()) remove_path(d.paths.front());
  const bool dying = d.state == ControllerState::dead;
  if (!dying) set_state(driver, ControllerState::unbound);
  leave_subsystem(driver);
  std::vector<Handle> gone, live;
  std::vector<ScanWaiter> scans;
  gone.swap(d.gone_waiters);
  live.swap(d.live_waiters);
  scans.swap(d.scan_waiters);
  for (const Handle request : gone) end_request(request, 0);
  for (const Handle request : live) end_request(request, EIO);
  for (const ScanWaiter& waiter : scans) end_request(waiter.request);
  Host& host = s.hosts[d.host];
  if (host.probing == driver + 1) {
    host.probing = 0;
    probe_next(d.host);
  }
}

void Act::die(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (!d.lost) set_enable(d, false);
  set_state(driver, ControllerState::dead);
  // Whoever waits for a scan of it was asked for something that did not happen.
  for (const ScanWaiter& waiter : d.scan_waiters) {
    Request& request = s.requests[waiter.request.index];
    if (request.kind == RequestKind::control) request.error = EIO;
  }
  let_go(driver);
}

}  // namespace polypath::host
