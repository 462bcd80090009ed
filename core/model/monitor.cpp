#include "model/monitor.h"

#include <algorithm>

#include "engine/hash.h"
#include "model/applications.h"
#include "model/commands.h"
#include "model/events.h"
#include "model/namespaces.h"
#include "model/queues.h"
#include "model/registers.h"
#include "model/scene.h"
#include "model/zones.h"

namespace polypath::model {
namespace {

using trace::Boundary;

/// When the observer wrote the event down: submissions at the start of their interval, all else at its end.
Time recorded(const trace::BoundaryEvent& event) {
  return event.kind == Boundary::submitted || event.kind == Boundary::app_submit ? event.earliest
                                                                                 : event.latest;
}

bool of_application(Boundary kind) { return kind == Boundary::app_submit || kind == Boundary::app_complete; }

void hash_controller(engine::Hasher& hasher, const Controller& c) {
  hasher.add(static_cast<std::uint64_t>(c.power));
  hasher.add(c.cap);
  hasher.add(std::uint64_t{c.cc} << 32U | c.aqa);
  hasher.add(c.reset_from);
  hasher.add(c.reset_until);
  for (const auto& sq : c.sqs) {
    sq.exists.hash(hasher);
    hasher.add(sq.tail);
    hasher.add(sq.fetched);
    hasher.add(sq.published);
    hasher.add(std::uint64_t{sq.entries} << 32U | sq.cqid);
  }
  for (const auto& cq : c.cqs) {
    cq.exists.hash(hasher);
    hasher.add(cq.posted);
    hasher.add(cq.released);
  }
  for (const auto& v : c.vectors) {
    hasher.add(v.waiting);
    hasher.add(v.last_interrupt);
    hasher.add(v.due_since);
  }
  for (const auto& command : c.commands) {
    if (!command.open) continue;
    hasher.add(command.submitted);
    hasher.add(std::uint64_t{command.sqid} << 16U | command.entry.cid);
    hasher.add(command.moved_in + command.moved_out);
  }
  c.ns_events.hash(hasher);
  c.zone_events.hash(hasher);
  hasher.add(std::uint64_t{c.aers.open} << 32U | c.aborts.open);
  for (const auto& row : c.reported) hasher.add(row.at);
  for (const auto& row : c.changed) hasher.add(row.until ^ std::uint64_t{row.nsid} << 40U);
  hasher.add(c.due ? c.due_seq : 0);
}

}  // namespace

Monitor::Monitor(const trace::Trace& trace, const Options& options) : trace_(&trace), options_(options) {
  start_registers(trace.header, state_);
  start_namespaces(trace.header, state_);
  state_.profile = trace.header.profile;
  state_.simulator = trace.header.source == "simulator";
  for (auto& subsystem : state_.subsystems) {
    Sanitize& sanitize = subsystem.sanitize;
    sanitize.log_known = state_.simulator;
    if (state_.simulator) sanitize.nodrm = Fact(false);
    subsystem.firmware.known = subsystem.complete && state_.simulator;
    if (!subsystem.firmware.known) subsystem.firmware.next = 0xFF;
    if (subsystem.complete) continue;
    sanitize.known = sanitize.log_known = false;
    sanitize.settled = 31;
    sanitize.until.fill(kNow);
  }
  state_.serials_may_differ = find_waiver(Rule::ns07, state_.profile) != nullptr;
}

void Monitor::take(const trace::BoundaryEvent& event) {
  const Scene scene{*trace_, state_, options_, event, next_ + 1, recorded(event), event.controller, false};
  state_.last_time =
      std::max(state_.last_time, event.kind == Boundary::submitted ? scene.time : event.latest);
  if (of_application(event.kind)) {
    event.kind == Boundary::app_submit ? on_app_submit(scene) : on_app_complete(scene);
    return;
  }
  if (event.controller >= state_.controllers.size()) return;
  switch (event.kind) {
    case Boundary::register_write:
      on_register_write(scene);
      break;
    case Boundary::register_read:
      on_register_read(scene);
      break;
    case Boundary::sq_doorbell:
      on_sq_doorbell(scene);
      break;
    case Boundary::cq_doorbell:
      on_cq_doorbell(scene);
      break;
    case Boundary::submitted:
      on_submitted(scene);
      break;
    case Boundary::fetched:
      on_fetched(scene);
      break;
    case Boundary::dma:
      on_dma(scene);
      break;
    case Boundary::completed:
      on_completed(scene);
      break;
    case Boundary::interrupt:
      on_interrupt(scene);
      break;
    case Boundary::vector_mask:
      on_vector_mask(scene);
      break;
    case Boundary::async_event:
      on_async_event(scene);
      break;
    case Boundary::function:
      on_function(scene);
      break;
    case Boundary::administrator:
      wear_zone(scene, scene.event.a == static_cast<std::uint32_t>(trace::AdminAction::zone_offline)
                           ? spec::ZoneState::offline
                           : spec::ZoneState::read_only);
      break;
    default:
      break;
  }
}

void Monitor::advance() {
  const auto& events = trace_->events();
  while (next_ - base_ < events.size()) {
    take(events[next_ - base_]);
    ++next_;
  }
}

void Monitor::forgotten() { base_ = next_; }

void Monitor::finish(Time until) {
  advance();
  const trace::BoundaryEvent nothing;
  const Time end = std::max(until, state_.last_time);
  for (std::size_t i = 0; i < state_.controllers.size(); ++i) {
    const Scene scene{*trace_, state_, options_, nothing, next_ + 1, end, static_cast<std::uint16_t>(i),
                      true};
    finish_vectors(scene);
    finish_commands(scene);
    finish_events(scene);
  }
  const Scene scene{*trace_, state_, options_, nothing, next_ + 1, end, trace::kNoController, true};
  finish_applications(scene);
}

Verdict Monitor::verdict() const {
  bool unknown = state_.damaged;
  for (std::size_t i = 0; i < kRules; ++i) {
    const auto& statistics = state_.statistics[i];
    if (rules()[i].scope == Scope::hazard) continue;
    if (statistics.violations != 0) return Verdict::violation;
    unknown |= statistics.inconclusive != 0;
  }
  return unknown ? Verdict::inconclusive : Verdict::pass;
}

std::uint64_t Monitor::hash() const {
  engine::Hasher hasher;
  hasher.add(next_);
  for (const auto& row : state_.statistics) {
    hasher.add(row.exercised);
    hasher.add(row.violations);
    hasher.add(row.inconclusive);
    hasher.add(row.set_sizes);
  }
  for (const auto& finding : state_.findings) {
    hasher.add(static_cast<std::uint64_t>(finding.rule));
    hasher.add(finding.time);
    for (const auto event : finding.events) hasher.add(event);
  }
  for (const auto& c : state_.controllers) hash_controller(hasher, c);
  for (const auto& ns : state_.namespaces) {
    ns.exists.hash(hasher);
    for (const auto& attached : ns.attached) attached.fact.hash(hasher);
    ns.content.hash(hasher);
  }
  for (const auto& subsystem : state_.subsystems) {
    const Sanitize& sanitize = subsystem.sanitize;
    hasher.add(sanitize.settled | std::uint64_t{sanitize.cdw10} << 8U | std::uint64_t{sanitize.open} << 40U);
    hasher.add(sanitize.changed);
    for (const Seq until : sanitize.until) hasher.add(until);
    sanitize.nodrm.hash(hasher);
    const Firmware& firmware = subsystem.firmware;
    hasher.add(firmware.active | std::uint64_t{firmware.next} << 8U | std::uint64_t{firmware.open} << 16U |
               std::uint64_t{firmware.resetting} << 40U | std::uint64_t{firmware.revision_known} << 56U);
    hasher.add(firmware.changed);
    hasher.add(firmware.running);
  }
  hasher.add(state_.requests.size());
  return hasher.value();
}

}  // namespace polypath::model
