// Zone Management Send and Receive. Zoned Namespace command set specification; sheet 05b, sections 7 and 8.
#include <algorithm>
#include <cstring>

#include "device/act.h"

namespace polypath::device::io {
namespace {

using spec::Status;
using spec::ZoneAction;
using spec::ZoneState;

struct Found {
  Status status = Status::success;
  std::uint32_t ns = 0;
};

// The namespace of a command of the Zoned command set.
Found meet_zoned(const Act& act, std::uint32_t controller, Handle command,
                 const spec::SubmissionEntry& entry) {
  const Controller& c = act.controller(controller);
  const std::int64_t index = act.device.commands.get(command)->orphaned ? -1 : attached(c, entry.nsid);
  if (!zones_enabled(act, controller)) return {Status::invalid_opcode};
  if (index < 0) {
    const bool invalid = classify(act, controller, entry.nsid) == NsidClass::invalid;
    return {invalid ? Status::invalid_namespace_or_format : Status::invalid_field};
  }
  const auto ns = static_cast<std::uint32_t>(index);
  if (!act.device.namespaces[ns].zoned()) return {Status::invalid_opcode};
  return {Status::success, ns};
}

bool has_pointer(ZoneState state) {
  return state != ZoneState::full && state != ZoneState::read_only && state != ZoneState::offline;
}

// Does the action, asked for all zones, apply to zones in this state?
bool selected(ZoneAction action, ZoneState state) {
  const bool open = state == ZoneState::implicitly_open || state == ZoneState::explicitly_open;
  switch (action) {
    case ZoneAction::close:
      return open;
    case ZoneAction::finish:
      return open || state == ZoneState::closed;
    case ZoneAction::open:
      return state == ZoneState::closed;
    case ZoneAction::reset:
      return open || state == ZoneState::closed || state == ZoneState::full;
    case ZoneAction::offline:
      return state == ZoneState::read_only;
    case ZoneAction::set_extension:
      return false;
  }
  return false;
}

// Where the action leads from a state; the state itself: nothing to do. Invalid transitions give no state.
bool next_state(ZoneAction action, ZoneState from, ZoneState& to) {
  const bool open = from == ZoneState::implicitly_open || from == ZoneState::explicitly_open;
  switch (action) {
    case ZoneAction::close:
      to = ZoneState::closed;
      return open || from == ZoneState::closed;
    case ZoneAction::finish:
      to = ZoneState::full;
      return has_pointer(from) || from == ZoneState::full;
    case ZoneAction::open:
      to = ZoneState::explicitly_open;
      return has_pointer(from);
    case ZoneAction::reset:
      to = ZoneState::empty;
      return has_pointer(from) || from == ZoneState::full;
    case ZoneAction::offline:
      to = ZoneState::offline;
      return from == ZoneState::read_only || from == ZoneState::offline;
    case ZoneAction::set_extension:
      to = ZoneState::closed;
      return from == ZoneState::empty;
  }
  return false;
}

void reset_zone(Act& act, std::uint32_t ns_index, std::size_t number) {
  Namespace& ns = act.device.namespaces[ns_index];
  Zone& zone = ns.zones.zones[number];
  const bool keeps = (zone.attributes & spec::zone_attribute::extension) != 0 &&
                     act.broken_by(Fault::zone_reset_keeps_extension);
  const auto extension = zone.extension;
  zone = {};
  if (keeps) {
    zone.attributes = spec::zone_attribute::extension;
    zone.extension = extension;
  }
  if (!act.broken_by(Fault::zone_reset_keeps_data))
    act.device.media[ns.media].zero(number * ns.zones.size, ns.zones.size);
}

void enter(Act& act, std::uint32_t ns_index, std::size_t number, ZoneAction action, ZoneState to) {
  Zone& zone = act.device.namespaces[ns_index].zones.zones[number];
  if (zone.state == to && to != ZoneState::empty) return;
  if (action == ZoneAction::finish && act.broken_by(Fault::finish_leaves_open)) return;
  if (to == ZoneState::empty) {
    if (zone.state != ZoneState::empty) reset_zone(act, ns_index, number);
    return;
  }
  const bool opens = to == ZoneState::explicitly_open && zone.state != ZoneState::implicitly_open;
  if (opens) make_room(act, act.device.namespaces[ns_index]);
  zone.state = to;
}

Status send_all(Act& act, std::uint32_t controller, std::uint32_t ns_index, ZoneAction action) {
  Namespace& ns = act.device.namespaces[ns_index];
  if (action == ZoneAction::set_extension) return Status::invalid_field;
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < ns.zones.zones.size(); ++k) {
    if (selected(action, ns.zones.zones[k].state)) chosen.push_back(k);
  }
  if (action == ZoneAction::open && !chosen.empty()) {
    const Status room =
        zone_resources(act, controller, ns, ZoneState::closed, static_cast<std::uint32_t>(chosen.size()));
    if (room != Status::success) {
      if (chosen.size() > 1 && act.broken_by(Fault::open_all_half_done))
        ns.zones.zones[chosen.front()].state = ZoneState::explicitly_open;
      return room;
    }
  }
  for (const std::size_t k : chosen) {
    ZoneState to{};
    if (next_state(action, ns.zones.zones[k].state, to)) enter(act, ns_index, k, action, to);
  }
  return Status::success;
}

Status send_one(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                std::uint32_t ns_index, ZoneAction action) {
  Namespace& ns = act.device.namespaces[ns_index];
  const std::uint64_t size = ns.zones.size >> ns.block_shift;
  if (entry.slba() >= ns.blocks) return Status::lba_out_of_range;
  if (entry.slba() % size != 0) return Status::invalid_field;
  if (action == ZoneAction::set_extension && !ns.zones.extension) return Status::invalid_field;
  const auto number = static_cast<std::size_t>(entry.slba() / size);
  Zone& zone = ns.zones.zones[number];
  ZoneState to{};
  if (!next_state(action, zone.state, to)) {
    const bool unchecked = action == ZoneAction::close && act.broken_by(Fault::zone_transition_unchecked);
    return unchecked ? Status::success : Status::invalid_zone_transition;
  }
  if (action == ZoneAction::open || action == ZoneAction::set_extension) {
    // An extension needs no open resource: a closed zone is active, not open.
    Status room = zone_resources(act, controller, ns, zone.state, 1);
    if (action == ZoneAction::set_extension && room == Status::too_many_open_zones) room = Status::success;
    if (room != Status::success) return room;
  }
  if (action == ZoneAction::set_extension) {
    std::array<std::byte, spec::kZoneExtensionUnit> data{};
    const Status status = copy_in(act, controller, command, entry, data);
    if (status != Status::success) return status;
    std::memcpy(zone.extension.data(), data.data(), data.size());
    zone.attributes |= spec::zone_attribute::extension;
  }
  enter(act, ns_index, number, action, to);
  return Status::success;
}

bool known(std::uint32_t action) {
  return (action >= 0x01 && action <= 0x05) ||
         action == static_cast<std::uint32_t>(ZoneAction::set_extension);
}

// Does a report with this ZRASF list the zone?
bool listed(std::uint32_t filter, const Zone& zone) {
  constexpr ZoneState kOf[] = {ZoneState::empty,           ZoneState::empty,  ZoneState::implicitly_open,
                               ZoneState::explicitly_open, ZoneState::closed, ZoneState::full,
                               ZoneState::read_only,       ZoneState::offline};
  constexpr std::uint32_t kRecommended = 9;
  if (filter == 0) return true;
  if (filter == kRecommended) {
    return (zone.attributes & (spec::zone_attribute::finished | spec::zone_attribute::finish_recommended |
                               spec::zone_attribute::reset_recommended)) != 0;
  }
  return zone.state == kOf[filter];
}

spec::ZoneDescriptor descriptor(const Namespace& ns, const Zone& zone, std::uint64_t number) {
  spec::ZoneDescriptor out{};
  out.type = spec::kSequentialWriteRequired;
  out.state = static_cast<std::uint8_t>(static_cast<unsigned>(zone.state) << 4U);
  out.attributes = zone.attributes;
  out.zcap = ns.zones.capacity >> ns.block_shift;
  out.zslba = number * (ns.zones.size >> ns.block_shift);
  out.wp = has_pointer(zone.state) ? out.zslba + zone.wp : ~std::uint64_t{0};
  return out;
}

}  // namespace

Outcome zone_send(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Found found = meet_zoned(act, controller, command, entry);
  if (found.status != Status::success) return found.status;
  const std::uint32_t code = entry.cdw13 & 0xFFU;
  if (!known(code)) return Status::invalid_field;
  const auto action = static_cast<ZoneAction>(code);
  // No random write areas.
  if (action == ZoneAction::open && (entry.cdw13 & spec::kZoneAllocateWindow) != 0)
    return Status::invalid_zone_operation;
  Zones& zones = act.device.namespaces[found.ns].zones;
  if (act.fault(Fault::zone_state_on_one_path)) {
    zones.former = zones.zones;
    zones.manager = static_cast<std::uint16_t>(controller);
  }
  if ((entry.cdw13 & spec::kZoneSelectAll) != 0) return send_all(act, controller, found.ns, action);
  return send_one(act, controller, command, entry, found.ns, action);
}

Outcome zone_receive(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Found found = meet_zoned(act, controller, command, entry);
  if (found.status != Status::success) return found.status;
  const Namespace& ns = act.device.namespaces[found.ns];
  const std::uint32_t report = entry.cdw13 & 0xFFU, filter = entry.cdw13 >> 8U & 0xFFU;
  const bool extended = report == static_cast<std::uint32_t>(spec::ZoneReport::extended);
  if (report > 1 || (extended && !ns.zones.extension)) return Status::invalid_field;
  constexpr std::uint32_t kLastState = 7, kRecommended = 9;
  if (filter > kLastState && filter != kRecommended) return Status::invalid_field;
  if (entry.slba() >= ns.blocks) return Status::lba_out_of_range;
  const std::uint64_t length = (std::uint64_t{entry.cdw12} + 1) * 4;
  const std::uint64_t most = mdts_bytes(act.controller(controller));
  if ((most != 0 && length > most) || length < sizeof(spec::ZoneReportHeader)) return Status::invalid_field;

  const bool elsewhere = !ns.zones.former.empty() && ns.zones.manager != controller;
  const std::vector<Zone>& zones =
      elsewhere && act.broken_by(Fault::zone_state_on_one_path) ? ns.zones.former : ns.zones.zones;
  std::vector<std::byte> page(length);
  const std::size_t stride = spec::kZoneDescriptorBytes + (extended ? spec::kZoneExtensionUnit : 0U);
  std::size_t at = sizeof(spec::ZoneReportHeader);
  std::uint64_t matching = 0, complete = 0;
  for (std::uint64_t k = entry.slba() / (ns.zones.size >> ns.block_shift); k < zones.size(); ++k) {
    if (!listed(filter, zones[k])) continue;
    ++matching;
    if (at + stride > page.size()) continue;
    const spec::ZoneDescriptor out = descriptor(ns, zones[k], k);
    std::memcpy(page.data() + at, &out, sizeof out);
    if (extended)
      std::memcpy(page.data() + at + sizeof out, zones[k].extension.data(), spec::kZoneExtensionUnit);
    at += stride;
    ++complete;
  }
  const bool partial = (entry.cdw13 & spec::kZonePartial) != 0 ||
                       (complete != matching && act.broken_by(Fault::report_counts_buffer));
  const std::uint64_t number = partial ? complete : matching;
  std::memcpy(page.data(), &number, sizeof number);
  return copy_out(act, controller, command, entry, page);
}

}  // namespace polypath::device::io
