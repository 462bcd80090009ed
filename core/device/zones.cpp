// Zones of a namespace: states, write pointers, and what of them is limited. They belong to the namespace, so
// every controller sees one copy. Zoned Namespace command set specification, "Zone State Machine"; sheet 05b,
// sections 4 and 5.
#include <algorithm>

#include "device/act.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

using spec::Status;
using spec::ZoneState;

bool is_open(ZoneState state) {
  return state == ZoneState::implicitly_open || state == ZoneState::explicitly_open;
}
bool is_active(ZoneState state) { return is_open(state) || state == ZoneState::closed; }

template <class F>
std::uint32_t count(const Zones& zones, F&& f) {
  return static_cast<std::uint32_t>(
      std::count_if(zones.zones.begin(), zones.zones.end(), [&](const Zone& zone) { return f(zone.state); }));
}

std::uint64_t blocks_of(const Namespace& ns, std::uint64_t bytes) { return bytes >> ns.block_shift; }

}  // namespace

void make_zones(Namespace& ns, const Zones& like) {
  ns.zones = like;
  ns.zones.openings = 0;
  ns.zones.zones.assign(ns.bytes() / like.size, Zone{});
  ns.zones.former.clear();
}

bool zones_enabled(const Act& act, std::uint32_t controller) {
  return act.profile().zoned && spec::cc::css.get(act.controller(controller).cc) == spec::kAllCommandSets;
}

Status zone_resources(const Act& act, std::uint32_t controller, const Namespace& ns, ZoneState from,
                      std::uint32_t more) {
  const Zones& zones = ns.zones;
  const bool active = is_active(from), open = is_open(from);
  if (!active && zones.max_active != 0 && count(zones, is_active) + more > zones.max_active &&
      !act.broken_by(Fault::active_limit_ignored))
    return Status::too_many_active_zones;
  if (open || zones.max_open == 0 || count(zones, is_open) + more <= zones.max_open) return Status::success;
  const auto implicit = count(zones, [](ZoneState state) { return state == ZoneState::implicitly_open; });
  const std::uint32_t missing = count(zones, is_open) + more - zones.max_open;
  if (act.controller(controller).auto_close && implicit >= missing) return Status::success;
  return act.broken_by(Fault::open_limit_ignored) ? Status::success : Status::too_many_open_zones;
}

// The zone that has been open implicitly for the longest time makes room.
void make_room(const Act& act, Namespace& ns) {
  Zones& zones = ns.zones;
  if (zones.max_open == 0) return;
  while (count(zones, is_open) >= zones.max_open) {
    Zone* longest = nullptr;
    for (Zone& zone : zones.zones) {
      if (zone.state != ZoneState::implicitly_open) continue;
      if (longest == nullptr || zone.opened < longest->opened) longest = &zone;
    }
    if (longest == nullptr || act.broken_by(Fault::open_limit_ignored)) return;
    longest->state = ZoneState::closed;
  }
}

std::uint64_t write_pointer(const Namespace& ns, std::uint64_t zslba) {
  const std::uint64_t size = blocks_of(ns, ns.zones.size);
  return zslba + ns.zones.zones[zslba / size].wp;
}

Status check_zone_write(const Act& act, std::uint32_t controller, const Namespace& ns, std::uint64_t slba,
                        std::uint64_t blocks, bool append) {
  const std::uint64_t size = blocks_of(ns, ns.zones.size), capacity = blocks_of(ns, ns.zones.capacity);
  const Zone& zone = ns.zones.zones[slba / size];
  // For an Append to a full zone, "full" says more than "does not fit".
  const bool valid =
      zone.state != ZoneState::full && zone.state != ZoneState::read_only && zone.state != ZoneState::offline;
  const std::uint64_t at = append ? (valid ? zone.wp : 0) : slba % size;
  if (at > capacity || blocks > capacity - at) return Status::zone_boundary_error;
  if (zone.state == ZoneState::offline) return Status::zone_offline;
  if (zone.state == ZoneState::read_only) return Status::zone_read_only;
  if (zone.state == ZoneState::full) return Status::zone_full;
  if (at != zone.wp && !act.broken_by(Fault::zone_write_anywhere)) return Status::zone_invalid_write;
  return zone_resources(act, controller, ns, zone.state, 1);
}

void zone_written(Act& act, std::uint32_t, std::uint32_t ns_index, std::uint64_t slba, std::uint64_t blocks) {
  Namespace& ns = act.device.namespaces[ns_index];
  if (!ns.zoned() || blocks == 0) return;
  const std::uint64_t size = blocks_of(ns, ns.zones.size), capacity = blocks_of(ns, ns.zones.capacity);
  Zone& zone = ns.zones.zones[slba / size];
  if (!is_open(zone.state)) {
    make_room(act, ns);
    zone.state = ZoneState::implicitly_open;
    zone.opened = ++ns.zones.openings;
  }
  zone.wp = std::max(zone.wp, slba % size + blocks);
  if (zone.wp >= capacity && !act.broken_by(Fault::zone_never_full)) zone.state = ZoneState::full;
}

Status check_zone_read(const Act& act, const Namespace& ns, std::uint64_t slba, std::uint64_t blocks) {
  const std::uint64_t size = blocks_of(ns, ns.zones.size);
  const std::uint64_t first = slba / size, last = (slba + blocks - 1) / size;
  if (first != last && !ns.zones.cross_read && !act.broken_by(Fault::zone_read_crosses))
    return Status::zone_boundary_error;
  for (std::uint64_t k = first; k <= last; ++k) {
    if (ns.zones.zones[k].state == ZoneState::offline) return Status::zone_offline;
  }
  return Status::success;
}

Status check_zone_hint(const Namespace& ns, std::uint64_t slba, std::uint64_t blocks) {
  if (!ns.zoned() || blocks == 0) return Status::success;
  const std::uint64_t size = blocks_of(ns, ns.zones.size);
  for (std::uint64_t k = slba / size; k <= (slba + blocks - 1) / size; ++k) {
    if (ns.zones.zones[k].state == ZoneState::offline) return Status::zone_offline;
  }
  return Status::success;
}

void fill_zones(Namespace& ns) {
  for (Zone& zone : ns.zones.zones) {
    if (is_active(zone.state)) zone.state = ZoneState::full;
  }
}

void close_zones(Device& device, std::uint32_t subsystem) {
  for (const std::uint32_t row : device.subsystems[subsystem].ns_of_nsid) {
    if (row == 0) continue;
    for (Zone& zone : device.namespaces[row - 1].zones.zones) {
      if (!is_active(zone.state)) continue;
      const bool kept = zone.wp != 0 || (zone.attributes & spec::zone_attribute::extension) != 0;
      zone.state = kept ? ZoneState::closed : ZoneState::empty;
    }
  }
}

// What lies behind the first lost block of a zone is deallocated: a write pointer has data before it only.
void zones_lost(Device& device, std::uint32_t ns_index, std::span<const std::uint64_t> blocks) {
  Namespace& ns = device.namespaces[ns_index];
  if (!ns.zoned()) return;
  const std::uint64_t size = blocks_of(ns, ns.zones.size), capacity = blocks_of(ns, ns.zones.capacity);
  for (const std::uint64_t block : blocks) {
    Zone& zone = ns.zones.zones[block / size];
    if (!is_active(zone.state) || block % size >= zone.wp) continue;
    zone.wp = block % size;
    device.media[ns.media].zero(block << ns.block_shift, (capacity - zone.wp) << ns.block_shift);
  }
}

bool wear_zone(Device& device, const Surroundings& world, std::uint32_t subsystem, std::uint32_t nsid,
               std::uint64_t lba, bool offline) {
  const auto& rows = device.subsystems[subsystem].ns_of_nsid;
  if (nsid >= rows.size() || rows[nsid] == 0) return false;
  Namespace& ns = device.namespaces[rows[nsid] - 1];
  if (!ns.zoned() || lba >= ns.blocks) return false;
  const std::uint64_t size = blocks_of(ns, ns.zones.size);
  Zone& zone = ns.zones.zones[lba / size];
  if (zone.state == ZoneState::offline) return true;  // it stays so
  zone.state = offline ? ZoneState::offline : ZoneState::read_only;
  Act act{device, world};
  for (const std::uint16_t controller : ns.controllers)
    zone_changed(act, controller, nsid, lba / size * size);
  return true;
}

spec::IdentifyZonedNamespace zoned_data(const Act& act, const Namespace* ns) {
  spec::IdentifyZonedNamespace id{};
  const Zones usual = usual_zones();
  const Zones& zones = ns == nullptr ? usual : ns->zones;
  const auto limit = [](std::uint32_t most) { return most == 0 ? spec::kNoZoneLimit : most - 1; };
  id.ozcs = zones.cross_read ? spec::kReadsCrossZones : 0;
  id.mar = limit(zones.max_active);
  id.mor = limit(zones.max_open);
  for (unsigned format = 0; format < id.lbafe.size(); ++format) {
    const std::uint8_t shift =
        ns == nullptr ? block_shift_of(act.profile(), format) : block_shift_of(act, *ns, format);
    if (shift == 0) continue;
    id.lbafe[format].zsze = zones.size >> shift;
    id.lbafe[format].zdes = zones.extension ? 1 : 0;
  }
  return id;
}

Zones usual_zones() {
  Zones zones;
  zones.size = std::uint64_t{64} << 10U;
  zones.capacity = std::uint64_t{48} << 10U;
  zones.max_active = 6;
  zones.max_open = 3;
  zones.extension = true;
  return zones;
}

}  // namespace polypath::device
