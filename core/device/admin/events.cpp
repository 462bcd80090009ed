// Asynchronous events: what is raised, masked, reported and cleared, per controller. Sheet 04, section 6.
#include <algorithm>

#include "device/act.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

constexpr std::uint8_t kAsyncEventRequest = 0x0C;

// The event type that reading a log clears.
bool clears(spec::LogId log, spec::EventType& type) {
  switch (log) {
    case spec::LogId::error_information:
      type = spec::EventType::error;
      return true;
    case spec::LogId::smart:
      type = spec::EventType::smart;
      return true;
    case spec::LogId::firmware_slot:
    case spec::LogId::changed_ns:
      type = spec::EventType::notice;
      return true;
    case spec::LogId::sanitize:
      type = spec::EventType::io_set;
      return true;
    default:
      return false;
  }
}

std::uint32_t bit(spec::EventType type) { return 1U << static_cast<unsigned>(type); }
// Zone events do not mask other notices, nor are they masked by them: by type and information, the narrower
// of the two readings.
std::uint32_t bit(const PendingEvent& event) {
  constexpr std::uint32_t kZones = 1U << 31U;
  return event.log == spec::LogId::changed_zones ? kZones : bit(event.type);
}

// Is the entry that reports an event of this type on its way to the host? A read of the log before the host
// has it does not clear it: two entries would follow each other with no read between them.
bool being_posted(const Act& act, std::uint32_t controller, spec::EventType type) {
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Command* row = act.device.commands.get(act.device.commands.handle_at(k));
    if (row == nullptr || row->controller != controller || row->entry.opcode != kAsyncEventRequest) continue;
    const bool done = row->phase == Phase::executed || row->phase == Phase::held;
    const bool of_zones = (row->dw0 >> 16U & 0xFFU) == static_cast<unsigned>(spec::LogId::changed_zones);
    if (done && row->status == spec::Status::success && act.device.sqs.get(row->sq)->qid == 0 &&
        (row->dw0 & 7U) == static_cast<unsigned>(type) && !of_zones) {  // those have a mask of their own
      return true;
    }
  }
  return false;
}

}  // namespace

void raise_event(Act& act, std::uint32_t controller, spec::EventType type, std::uint8_t info,
                 spec::LogId log) {
  Controller& c = act.controller(controller);
  const auto same = [&](const PendingEvent& e) { return e.type == type && e.info == info; };
  if (std::any_of(c.events.begin(), c.events.end(), same)) return;  // identical ones merge
  c.events.push_back({type, info, log, 0});
  const auto delay = act.world.engine.duration(site::report_delay, 0, 5 * engine::kMillisecond);
  if (delay == 0) {
    report_events(act, controller);
  } else {
    act.world.engine.schedule(act.world.engine.now() + delay, static_cast<std::uint16_t>(What::report),
                              controller, c.resets);
  }
}

void report_events(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  // Event requests stay outstanding once shutdown is complete; nothing is posted until a reset.
  const auto shst = static_cast<spec::ShutdownState>(spec::csts::shst.get(c.csts));
  if (shst == spec::ShutdownState::complete) return;
  for (std::size_t i = 0; i < c.events.size() && !c.event_requests.empty();) {
    const PendingEvent event = c.events[i];
    const bool repeats = act.fault(Fault::event_repeats_masked) && event.type == spec::EventType::notice &&
                         event.log == spec::LogId::changed_ns;
    if ((c.masked_types & bit(event)) != 0 && !repeats) {
      ++i;  // reported before and its log not read yet
      continue;
    }
    if (repeats && (c.masked_types & bit(event)) != 0) act.fired(Fault::event_repeats_masked);
    c.events.erase(c.events.begin() + static_cast<std::ptrdiff_t>(i));
    c.masked_types |= bit(event);
    if (bit(event) == bit(event.type)) c.masked_by[static_cast<std::size_t>(event.type)] = event.log;
    const Handle request = c.event_requests.front();
    c.event_requests.erase(c.event_requests.begin());
    Outcome outcome;
    outcome.dw0 = spec::event_dword(event.type, event.info, event.log);
    outcome.dw1 = event.nsid;
    finish(act, request, outcome);
  }
}

void clear_event(Act& act, std::uint32_t controller, spec::LogId log) {
  Controller& c = act.controller(controller);
  spec::EventType type{};
  if (!clears(log, type)) return;
  std::erase_if(c.events,
                [&](const PendingEvent& e) { return e.log == log; });  // the reader has seen their cause
  const bool masks = c.masked_by[static_cast<std::size_t>(type)] == log;
  if (masks && !being_posted(act, controller, type)) c.masked_types &= ~bit(type);
  report_events(act, controller);
}

void namespace_changed(Act& act, std::uint32_t controller, std::uint32_t nsid) {
  Controller& c = act.controller(controller);
  if (!c.changed_overflow) {
    const auto at = std::lower_bound(c.changed.begin(), c.changed.end(), nsid);
    if (at == c.changed.end() || *at != nsid) c.changed.insert(at, nsid);
    if (c.changed.size() > 1024) c.changed_overflow = true;
  }
  constexpr std::uint32_t kEnable = 1U << 8;  // FID 0Bh, attached namespace attribute notices
  if ((c.features.async_event & kEnable) == 0 && !act.broken_by(Fault::event_ignores_mask)) return;
  raise_event(act, controller, spec::EventType::notice, spec::event_info::ns_attribute_changed,
              spec::LogId::changed_ns);
}

void zone_changed(Act& act, std::uint32_t controller, std::uint32_t nsid, std::uint64_t zslba) {
  Controller& c = act.controller(controller);
  auto list = std::find_if(c.changed_zones.begin(), c.changed_zones.end(),
                           [&](const ChangedZones& one) { return one.nsid == nsid; });
  if (list == c.changed_zones.end()) list = c.changed_zones.insert(list, {nsid, {}});
  const auto at = std::lower_bound(list->zslba.begin(), list->zslba.end(), zslba);
  if (at == list->zslba.end() || *at != zslba) list->zslba.insert(at, zslba);
  const bool enabled = (c.features.async_event & spec::oaes::zone_descriptor) != 0;
  if (!enabled && !act.broken_by(Fault::zone_event_ignores_mask)) return;
  const auto same = [&](const PendingEvent& e) {
    return e.log == spec::LogId::changed_zones && e.nsid == nsid;
  };
  if (std::any_of(c.events.begin(), c.events.end(), same)) return;
  c.events.push_back(
      {spec::EventType::notice, spec::event_info::zone_changed, spec::LogId::changed_zones, nsid});
  report_events(act, controller);
}

void clear_zone_event(Act& act, std::uint32_t controller, std::uint32_t nsid) {
  Controller& c = act.controller(controller);
  std::erase_if(c.changed_zones, [&](const ChangedZones& one) { return one.nsid == nsid; });
  std::erase_if(c.events,
                [&](const PendingEvent& e) { return e.log == spec::LogId::changed_zones && e.nsid == nsid; });
  c.masked_types &= ~bit(PendingEvent{spec::EventType::notice, 0, spec::LogId::changed_zones, nsid});
  report_events(act, controller);
}

void log_error(Act& act, std::uint32_t controller, std::uint16_t sqid, std::uint16_t cid,
               const spec::SubmissionEntry* entry, spec::Status status, const Outcome& outcome) {
  Controller& c = act.controller(controller);
  ErrorEntry e;
  e.count = ++c.error_count;
  e.sqid = sqid;
  e.cid = cid;
  e.status = spec::make_status_word(status, false);
  e.parameter = outcome.parameter;
  e.nsid = entry == nullptr ? 0 : entry->nsid;
  e.opcode = entry == nullptr ? std::uint8_t{0} : entry->opcode;
  e.command_specific = outcome.detail;
  c.errors.push_back(e);
  if (c.errors.size() > act.profile().controller.elpe + std::size_t{1}) c.errors.erase(c.errors.begin());
}

namespace admin {

Outcome async_event_request(Act& act, std::uint32_t controller, Handle command,
                            const spec::SubmissionEntry&) {
  Controller& c = act.controller(controller);
  const bool too_many = c.event_requests.size() > act.profile().controller.aerl;
  if (too_many && !act.broken_by(Fault::event_requests_unlimited)) return spec::Status::aer_limit_exceeded;
  c.event_requests.push_back(command);
  Outcome outcome;
  outcome.parked = true;
  return outcome;
}

}  // namespace admin
}  // namespace polypath::device
