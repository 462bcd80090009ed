// Properties, and what writing CC does: enable, Controller Reset, shutdown. Base specification, "Controller
// Properties", "Controller Level Reset", "Shutdown".
#include <algorithm>

#include "spec/registers.h"

#include "device/act.h"

namespace polypath::device {
namespace {

using spec::ShutdownRequest;
using spec::ShutdownState;

std::uint64_t cap_value(const Device& device, const Controller& c) {
  std::uint64_t value = 0;
  value = spec::cap::mqes.put(value, c.mqes);
  value = spec::cap::cqr.put(value, device.profile->any_queue_memory ? 0 : 1);
  value = spec::cap::to.put(value, device.profile->timeout_500ms);
  value = spec::cap::dstrd.put(value, c.dstrd);
  value = spec::cap::ams.put(value, device.profile->weighted_round_robin ? 1 : 0);
  value = spec::cap::css.put(value, 1U | (device.profile->zoned ? spec::kCapSeveralSets : 0U));
  value = spec::cap::nssrs.put(value, device.profile->subsystem_reset ? 1 : 0);
  value = spec::cap::crwms.put(value, device.profile->controller.ver >= 0x00020000 ? 1 : 0);
  return value;
}

ShutdownState shutdown_state(const Controller& c) {
  return static_cast<ShutdownState>(spec::csts::shst.get(c.csts));
}

void set(std::uint32_t& word, const spec::BitField& field, std::uint64_t value) {
  word = static_cast<std::uint32_t>(field.put(word, value));
}

void schedule(Act& act, engine::Site site, engine::Time typical, What what, std::uint32_t controller) {
  const auto delay = act.world.engine.duration(site, typical, 100 * typical);
  act.world.engine.schedule(act.world.engine.now() + delay, static_cast<std::uint16_t>(what), controller,
                            act.controller(controller).resets);
}

// What makes an enable impossible (the standard leaves it undefined; a fatal status is what others do too).
bool enable_is_illegal(const Profile& profile, const Controller& c) {
  const auto css = spec::cc::css.get(c.cc);
  const bool known = css == 0 || (profile.zoned && css == spec::kAllCommandSets);
  const bool rings = spec::aqa::asqs.get(c.aqa) == 0 || spec::aqa::acqs.get(c.aqa) == 0 ||
                     c.asq % 4096 != 0 || c.acq % 4096 != 0;
  return !known || spec::cc::mps.get(c.cc) != 0 || rings;
}

void enable(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  if (spec::cc::shn.get(c.cc) == 0 && spec::csts::st.get(c.csts) == 0) set(c.csts, spec::csts::shst, 0);
  if (enable_is_illegal(act.profile(), c)) {
    set(c.csts, spec::csts::cfs, 1);
    return;
  }
  if (shutdown_state(c) != ShutdownState::normal) return;  // RDY may not become 1 while SHST is not 0
  // A host that does not wait for RDY = 0 is served when the reset is over.
  if (!c.stopping) schedule(act, site::enable_delay, engine::kMillisecond, What::enabled, controller);
}

void controller_reset(Act& act, std::uint32_t controller) {
  clear_controller(act, controller);
  activate_at_reset(act, controller, ResetReach::controller);
  if (act.fault(Fault::reset_hits_peer)) {
    const auto& peers = act.device.subsystems[act.controller(controller).subsystem].controllers;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (peers[i] != controller || peers.size() < 2) continue;
      const std::uint32_t peer = peers[(i + 1) % peers.size()];
      for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
        const Handle command = act.device.commands.handle_at(k);
        const Command* row = act.device.commands.get(command);
        if (row != nullptr && row->controller == peer && row->phase != Phase::parked) {
          act.fired(Fault::reset_hits_peer);
          drop(act, command);
        }
      }
    }
  }
  if (act.fault(Fault::reset_restores_attachment)) {
    for (const std::uint32_t nsid : std::vector<std::uint32_t>(act.controller(controller).was_active)) {
      const std::int64_t ns = allocated(act, controller, nsid);
      if (ns < 0 || attached(act.controller(controller), nsid) >= 0) continue;
      act.fired(Fault::reset_restores_attachment);
      attach(act, static_cast<std::uint32_t>(ns), controller);
    }
  }
  if (act.fault(Fault::reset_closes_zones)) {
    close_zones(act.device, act.controller(controller).subsystem);
    act.fired(Fault::reset_closes_zones);
  }
  act.controller(controller).stopping = true;
  schedule(act, site::disable_delay, 100 * engine::kMicrosecond, What::disabled, controller);
}

void start_shutdown(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  set(c.csts, spec::csts::shst, static_cast<std::uint64_t>(ShutdownState::processing));
  stop_keep_alive(act, controller);
  if (act.broken_by(Fault::shutdown_hangs)) return;
  schedule(act, site::shutdown_delay, engine::kMillisecond, What::shutdown_done, controller);
}

void write_cc(Act& act, std::uint32_t controller, std::uint32_t value) {
  Controller& c = act.controller(controller);
  const bool was_enabled = spec::cc::en.get(c.cc) != 0;
  const bool enabled = spec::cc::en.get(value) != 0;
  const auto shn = static_cast<ShutdownRequest>(spec::cc::shn.get(value));
  const bool asks = shn == ShutdownRequest::normal || shn == ShutdownRequest::abrupt;
  const bool asked = spec::cc::shn.get(c.cc) != 0;
  if (was_enabled) {  // CSS, MPS and AMS keep the values of the enable
    const auto frozen = spec::cc::css.mask() | spec::cc::mps.mask() | spec::cc::ams.mask();
    value = static_cast<std::uint32_t>((value & ~frozen) | (c.cc & frozen));
  }
  c.cc = value;
  if (was_enabled && !enabled) {
    controller_reset(act, controller);
    if (!act.broken_by(Fault::disable_keeps_cc)) act.controller(controller).cc = 0;  // every field of CC
    if (asks) start_shutdown(act, controller);
    return;
  }
  if (asks && !asked && shutdown_state(c) == ShutdownState::normal) start_shutdown(act, controller);
  if (!was_enabled && enabled) enable(act, controller);
}

// The function's life is over at once: no aborts, no completion entries, and every property but CMBMSC, which
// no profile has, is reset (the admin queue's by the callers).
void lose_function(Act& act, std::uint32_t controller) {
  clear_controller(act, controller);
  Controller& c = act.controller(controller);
  c.cc = 0;
  c.stopping = false;
  std::fill(c.vector_masked.begin(), c.vector_masked.end(), std::uint8_t{0});
  set(c.csts, spec::csts::rdy, 0);
  set(c.csts, spec::csts::shst, 0);
}

void forget_admin_queue(Controller& c) {
  c.aqa = 0;
  c.asq = c.acq = 0;
}

// Base: NVM Subsystem Reset. Every controller of the subsystem (one domain) is reset and says so.
void subsystem_reset(Act& act, std::uint32_t controller) {
  const Subsystem& subsystem = act.device.subsystems[act.controller(controller).subsystem];
  const bool activated = activate_at_reset(act, controller, ResetReach::subsystem);
  for (const std::uint32_t peer : std::vector<std::uint32_t>(subsystem.controllers)) {
    if (peer != controller && act.broken_by(Fault::subsystem_reset_spares_peers)) continue;
    lose_function(act, peer);
    forget_admin_queue(act.controller(peer));
    set(act.controller(peer).csts, spec::csts::nssro, activated ? 0 : 1);
    act.world.functions[peer].observer->lost();
  }
  if (!act.broken_by(Fault::subsystem_reset_keeps_zones_open))
    close_zones(act.device, act.controller(controller).subsystem);
}

}  // namespace

void reset_function(Device& device, const Surroundings& world, std::uint32_t controller,
                    trace::FunctionEvent what) {
  Act act{device, world};
  lose_function(act, controller);
  activate_at_reset(act, controller,
                    what == trace::FunctionEvent::flr           ? ResetReach::controller
                    : what == trace::FunctionEvent::power_cycle ? ResetReach::power
                                                                : ResetReach::conventional);
  Controller& c = act.controller(controller);
  const bool keep =
      what == trace::FunctionEvent::flr && c.aqa != 0 && act.broken_by(Fault::flr_keeps_admin_queue);
  if (!keep) forget_admin_queue(c);
  if (what == trace::FunctionEvent::power_cycle) set(c.csts, spec::csts::nssro, 0);
}

void fail(Device& device, const Surroundings& world, std::uint32_t controller) {
  Act act{device, world};
  for (std::uint32_t k = 0; k < device.commands.end_index(); ++k) {
    const Handle command = device.commands.handle_at(k);
    const Command* row = device.commands.get(command);
    if (row == nullptr || row->controller != controller) continue;
    if (row->phase != Phase::parked && act.broken_by(Fault::fatal_goes_on)) continue;
    drop(act, command);
  }
  stop_keep_alive(act, controller);
  set(act.controller(controller).csts, spec::csts::cfs, 1);
}

Features default_features(const Controller& controller) {
  Features f;
  f.over_temperature = 343;
  f.queues_sq = f.queues_cq = static_cast<std::uint16_t>(controller.max_io_queues - 1);
  return f;
}

void clear_controller(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  ++c.resets;
  const bool keep = act.fault(Fault::reset_keeps_queues);
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row != nullptr && row->controller == controller) drop(act, command);
  }
  if (keep && c.sq.size() > 1) act.fired(Fault::reset_keeps_queues);
  for (std::size_t qid = 0; qid < c.sq.size(); ++qid) {
    if (keep && qid != 0) continue;
    act.device.sqs.erase(c.sq[qid]);
    c.sq[qid] = {};
  }
  for (std::size_t qid = 0; qid < c.cq.size(); ++qid) {
    if (keep && qid != 0) continue;
    act.device.cqs.erase(c.cq[qid]);
    c.cq[qid] = {};
  }
  // The MSI-X table is no property and stays; a message that was held back is of a queue that is gone.
  std::fill(c.vector_pending.begin(), c.vector_pending.end(), std::uint8_t{0});
  if (c.pin) c.vector_masked[0] = 0;  // INTMS is one
  forget_coalescing(act, controller);
  c.turn = {};
  c.io_queue_created = false;
  const Features before = c.features;
  for (Active& active : c.active) {
    active.error_recovery = 0;
    std::uint8_t& protection = act.device.namespaces[active.ns].write_protect;
    if (protection != spec::protection::none && act.broken_by(Fault::protection_ends_at_reset))
      protection = spec::protection::none;
  }
  c.features = c.saved;  // what was never saved is the default there
  if (before.write_atomicity != c.features.write_atomicity && act.broken_by(Fault::feature_survives_reset)) {
    c.features.write_atomicity = before.write_atomicity;
  }
  if (before.keep_alive_ms != 0 && act.broken_by(Fault::keep_alive_survives_reset))
    c.features.keep_alive_ms = before.keep_alive_ms;
  stop_keep_alive(act, controller);
  // An extended self-test goes on after the reset.
  if (c.self_test == spec::self_test::brief && !act.broken_by(Fault::self_test_survives_reset))
    end_self_test(act, controller, spec::self_test::aborted_by_reset);
  Sanitize& sanitize = act.device.subsystems[c.subsystem].sanitize;
  if (sanitize.outcome == spec::sanitize::Outcome::in_progress &&
      act.broken_by(Fault::sanitize_ends_at_reset)) {
    act.world.engine.cancel(sanitize.end);
    sanitize = {};
  }
  c.coalescing_disabled.assign((c.vectors + 31U) / 32U, 0);
  if (!c.doorbell_buffer || !act.broken_by(Fault::shadow_survives_reset)) c.doorbell_buffer = {};
  c.download = {};
  c.event_requests.clear();
  const bool keep_events = !c.events.empty() && act.broken_by(Fault::event_survives_reset);
  if (!keep_events) c.events.clear();
  c.masked_types = 0;
  c.changed.clear();
  c.changed_overflow = false;
  c.changed_zones.clear();
  c.errors.clear();  // the number of the next entry goes on
  if (c.error_count != 0 && act.broken_by(Fault::error_count_restarts)) c.error_count = 0;
  if (c.reads != 0 && act.broken_by(Fault::health_counters_restart)) {
    c.reads = c.writes = c.units_read = c.units_written = 0;
  }
  if (act.fault(Fault::reset_drops_cache)) {
    drop_cache(act, controller);
    act.fired(Fault::reset_drops_cache);
  }
  c.intm = 0;
  set(c.csts, spec::csts::cfs, 0);
  set(c.csts, spec::csts::pp, 0);
  if (spec::csts::st.get(c.csts) == 0) set(c.csts, spec::csts::shst, 0);
}

void became_enabled(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  if (shutdown_state(c) != ShutdownState::normal) return;  // asked for meanwhile
  const auto sq_entries = static_cast<std::uint32_t>(spec::aqa::asqs.get(c.aqa)) + 1;
  const auto cq_entries = static_cast<std::uint32_t>(spec::aqa::acqs.get(c.aqa)) + 1;
  const port::HostMemory& memory = *act.world.functions[controller].memory;
  if (!memory.contains(c.asq, std::uint64_t{sq_entries} * 64) ||
      !memory.contains(c.acq, std::uint64_t{cq_entries} * 16)) {
    set(c.csts, spec::csts::cfs, 1);
    return;
  }
  const Handle cq = create_cq(act, controller, 0, {c.acq, {}}, cq_entries, true, 0);
  create_sq(act, controller, 0, {c.asq, {}}, sq_entries, cq, 0);
  set(c.csts, spec::csts::rdy, 1);
}

void became_disabled(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  set(c.csts, spec::csts::rdy, 0);
  c.stopping = false;
  if (spec::cc::en.get(c.cc) != 0) enable(act, controller);
}

void shutdown_complete(Act& act, std::uint32_t controller) {
  // One write of CC with EN = 1 and SHN = 00b aborts a shutdown that was asked for while EN was 0.
  if (shutdown_state(act.controller(controller)) != ShutdownState::processing) return;
  // What has not begun is aborted, what has is completed; event requests may stay outstanding.
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row == nullptr || row->controller != controller || row->phase == Phase::parked) continue;
    if (row->phase == Phase::waiting) {
      act.world.engine.cancel(row->ticket);
      finish(act, command, spec::Status::aborted_power_loss);
      row = act.device.commands.get(command);
    }
    if (row != nullptr && row->phase == Phase::executed) {
      act.world.engine.cancel(row->ticket);
      post(act, command);
    }
  }
  constexpr std::uint64_t kNormal = 1;
  if (spec::cc::shn.get(act.controller(controller).cc) == kNormal &&
      !act.broken_by(Fault::shutdown_forgets_cache)) {
    flush_subsystem(act, controller);
  }
  set(act.controller(controller).csts, spec::csts::shst, static_cast<std::uint64_t>(ShutdownState::complete));
  const Subsystem& subsystem = act.device.subsystems[act.controller(controller).subsystem];
  const bool all = std::all_of(
      subsystem.controllers.begin(), subsystem.controllers.end(),
      [&](std::uint32_t peer) { return shutdown_state(act.controller(peer)) == ShutdownState::complete; });
  if (all) close_zones(act.device, act.controller(controller).subsystem);
}

std::uint64_t read_register(const Device& device, std::uint32_t controller, std::uint32_t offset,
                            unsigned bytes) {
  if (bytes != 4 && bytes != 8) return 0;
  const Controller& c = device.controllers[controller];
  const auto half = [&](std::uint64_t value, std::uint32_t base) {
    if (offset == base && bytes == 8) return value;
    return offset == base ? value & 0xFFFFFFFFU : value >> 32U;
  };
  switch (offset) {
    case spec::reg::cap:
    case spec::reg::cap + 4:
      return half(cap_value(device, c), spec::reg::cap);
    case spec::reg::asq:
    case spec::reg::asq + 4:
      return half(c.asq, spec::reg::asq);
    case spec::reg::acq:
    case spec::reg::acq + 4:
      return half(c.acq, spec::reg::acq);
    default:
      break;
  }
  if (bytes != 4) return 0;
  switch (offset) {
    case spec::reg::vs:
      return device.profile->controller.ver;
    case spec::reg::intms:
    case spec::reg::intmc:
      return c.intm;
    case spec::reg::cc:
      return c.cc;
    case spec::reg::csts:
      return c.csts;
    case spec::reg::aqa:
      return c.aqa;
    case spec::reg::crto:
      return device.profile->controller.ver >= 0x00020000 ? device.profile->timeout_500ms : 0;
    default:
      return 0;
  }
}

void write_register(Device& device, const Surroundings& world, std::uint32_t controller, std::uint32_t offset,
                    std::uint64_t value, unsigned bytes) {
  if ((bytes != 4 && bytes != 8) || offset % bytes != 0) return;  // undefined in the standard: ignored
  Act act{device, world};
  Controller& c = act.controller(controller);
  const auto low = static_cast<std::uint32_t>(value);
  if (offset >= spec::reg::doorbells) {
    if (bytes != 4) return;
    const std::uint32_t stride = 4U << c.dstrd;
    if ((offset - spec::reg::doorbells) % stride != 0) return;
    const std::uint32_t number = (offset - spec::reg::doorbells) / stride;
    if (number / 2 > 0xFFFF) return;
    const auto qid = static_cast<std::uint16_t>(number / 2);
    if (number % 2 == 0) {
      sq_doorbell(act, controller, qid, low & 0xFFFFU);
    } else {
      cq_doorbell(act, controller, qid, low & 0xFFFFU);
    }
    return;
  }
  const bool enabled = spec::cc::en.get(c.cc) != 0;
  const auto put = [&](std::uint64_t& target, std::uint32_t base) {
    if (enabled) return;  // AQA, ASQ and ACQ may be written only while EN is 0
    if (offset == base)
      target = bytes == 8 ? value : (target & ~0xFFFFFFFFULL) | low;
    else
      target = (target & 0xFFFFFFFFULL) | std::uint64_t{low} << 32U;
  };
  switch (offset) {
    case spec::reg::asq:
    case spec::reg::asq + 4:
      put(c.asq, spec::reg::asq);
      return;
    case spec::reg::acq:
    case spec::reg::acq + 4:
      put(c.acq, spec::reg::acq);
      return;
    default:
      break;
  }
  if (bytes != 4) return;
  switch (offset) {
    case spec::reg::intms:
      c.intm |= low;
      if (c.pin && !act.broken_by(Fault::pin_not_masked)) mask(act, controller, 0, (c.intm & 1U) != 0);
      break;
    case spec::reg::intmc:
      c.intm &= ~low;
      if (c.pin) mask(act, controller, 0, (c.intm & 1U) != 0);
      break;
    case spec::reg::cc:
      write_cc(act, controller, low & 0x00FFFFF1U);
      break;
    case spec::reg::csts:  // NSSRO is cleared by writing 1
      if (spec::csts::nssro.get(low & c.csts) != 0 && !act.broken_by(Fault::nssro_survives_write))
        set(c.csts, spec::csts::nssro, 0);
      break;
    case spec::reg::nssr:
      if (low == spec::kSubsystemReset && act.profile().subsystem_reset) subsystem_reset(act, controller);
      break;
    case spec::reg::aqa:
      if (!enabled) c.aqa = low & 0x0FFF0FFFU;
      break;
    default:
      break;
  }
}

}  // namespace polypath::device
