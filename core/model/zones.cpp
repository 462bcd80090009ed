#include "model/zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "model/format.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/power.h"
#include "model/registers.h"
#include "model/status.h"
#include "spec/log_feature_event.h"
#include "spec/registers.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;
using spec::ZoneAction;
using spec::ZoneState;

constexpr std::uint8_t kWrite = 0x01, kRead = 0x02, kWriteUncorrectable = 0x04, kCompare = 0x05,
                       kWriteZeroes = 0x08, kDatasetManagement = 0x09, kVerify = 0x0C, kCopy = 0x19;
// A namespace with more zones, or with longer ones, is not followed.
constexpr std::uint64_t kMostZones = 4096, kMostZoneBlocks = 4096;

std::uint32_t action_of(const Command& command) { return command.entry.cdw13 & 0xFFU; }
bool names_all(const Command& command) { return (command.entry.cdw13 & spec::kZoneSelectAll) != 0; }
bool is(const Command& command, ZoneAction action) {
  return action_of(command) == static_cast<std::uint32_t>(action);
}

/// Null when it does nothing to zones.
const ZoneVerb* verb_of(const Command& command) {
  static constexpr ZoneVerb kSend[] = {ZoneVerb::close, ZoneVerb::finish, ZoneVerb::open, ZoneVerb::reset,
                                       ZoneVerb::offline};
  static constexpr ZoneVerb kExtend = ZoneVerb::extend, kWrites = ZoneVerb::write,
                            kAppends = ZoneVerb::append;
  switch (command.entry.opcode) {
    case kZoneSend: {
      const std::uint32_t action = action_of(command);
      if (is(command, ZoneAction::set_extension)) return &kExtend;
      return action >= 1 && action <= 5 ? &kSend[action - 1] : nullptr;
    }
    case kZoneAppend:
      return &kAppends;
    case kWrite:
    case kWriteZeroes:
    case kWriteUncorrectable:
    case kCopy:
      return &kWrites;
    default:
      return nullptr;
  }
}

Namespace* namespace_of(const Scene& scene, const Command& command) {
  if (command.ns == kNone) return nullptr;
  Namespace& ns = scene.s.namespaces[command.ns];
  return ns.incarnation == command.incarnation && has_zones(ns) ? &ns : nullptr;
}

/// Blocks that a write puts; 0 when a Copy's sources are not known.
std::uint64_t blocks_of(const Scene& scene, const Command& command) {
  if (command.entry.opcode != kCopy) return command.entry.block_count();
  std::uint64_t total = 0;
  if (command.detail == kNone) return 0;
  for (const BlockRange& range : scene.s.details[command.detail].block_ranges) total += range.blocks;
  return total;
}

/// Calls f(zone number) for the zones that the command may change.
template <class F>
void each_zone(const Command& command, const Namespace& ns, F&& f) {
  if (command.zone == kNone) return;
  if (command.zone != kAllZones) {
    f(command.zone);
    return;
  }
  for (std::uint32_t k = 0; k < ns.zoned.zones.size(); ++k) f(k);
}

/// Identify need not have told again after a Format.
std::uint64_t blocks_in(const Namespace& ns) { return ns.zoned.size * ns.zoned.zones.size(); }

bool history(const Namespace& ns) { return ns.zoned.reports_open != 0; }

void note_change(const Scene& scene, const Command& command, Namespace& ns) {
  each_zone(command, ns, [&](std::uint32_t k) { ns.zoned.changed_by[k] = scene.index; });
}

std::string zone_name(const Namespace& ns, std::uint64_t number) {
  return fmt::format("zone {} of namespace {}", number * ns.zoned.size, ns.nsid);
}

/// Sure counts against the limits.
void check_limits(const Scene& scene, const Command& command, const Namespace& ns) {
  const Zoned& zoned = ns.zoned;
  if (zoned.mar == spec::kNoZoneLimit && zoned.mor == spec::kNoZoneLimit) return;
  exercised(scene, Rule::z01);
  std::uint64_t active = 0, open = 0;
  for (const ZoneSet& zone : zoned.zones) {
    active += zone.surely_active() ? 1 : 0;
    open += zone.surely_explicit() ? 1 : 0;
  }
  const auto say = [&](const char* what, std::uint64_t limit, std::uint64_t seen) {
    violation(scene, Rule::z01,
              fmt::format("{}: too many {} zones in namespace {}", text_of(scene, command), what, ns.nsid),
              fmt::format("at most {}", limit), fmt::format("{}", seen), {command.submitted});
  };
  if (zoned.mar != spec::kNoZoneLimit && active > zoned.mar + std::uint64_t{1})
    say("active", zoned.mar + std::uint64_t{1}, active);
  if (zoned.mor != spec::kNoZoneLimit && open > zoned.mor + std::uint64_t{1})
    say("explicitly opened", zoned.mor + std::uint64_t{1}, open);
}

Rule rule_of_verb(ZoneVerb verb) {
  return verb == ZoneVerb::write || verb == ZoneVerb::append ? Rule::z04 : Rule::z05;
}

void add_resources(const Namespace& ns, const Command& command, ZoneVerb verb, Allowed& allowed) {
  const Zoned& zoned = ns.zoned;
  const bool opens = verb == ZoneVerb::open || verb == ZoneVerb::write || verb == ZoneVerb::append;
  if (!opens && verb != ZoneVerb::extend) return;
  std::uint64_t active = 0, open = 0, closed = 0;
  for (std::uint32_t k = 0; k < zoned.zones.size(); ++k) {
    if (k == command.zone) continue;
    active += zoned.zones[k].may_be_active(command.submitted) ? 1 : 0;
    open += zoned.zones[k].may_be_open(command.submitted) ? 1 : 0;
    closed += zoned.zones[k].may_show_state(ZoneState::closed, command.submitted) ? 1 : 0;
  }
  if (command.zone == kAllZones) open = std::max(open, open + closed - 1);
  // Of an Open of all zones, every closed one needs its resource.
  if (zoned.mar != spec::kNoZoneLimit && active > zoned.mar) allowed.may(Status::too_many_active_zones);
  if (opens && zoned.mor != spec::kNoZoneLimit && open > zoned.mor) allowed.may(Status::too_many_open_zones);
}

/// What the fields of the command alone make of it.
void allow_fields(const Scene& scene, const Command& command, const Namespace& ns, Allowed& allowed) {
  const auto& entry = command.entry;
  const Zoned& zoned = ns.zoned;
  const std::uint8_t zdes = zoned.extensions[zoned.format];
  const bool outside = entry.slba() >= blocks_in(ns);
  const bool aligned = entry.slba() % zoned.size == 0;
  switch (entry.opcode) {
    case kZoneSend: {
      const bool all = names_all(command), extend = is(command, ZoneAction::set_extension);
      if (verb_of(command) == nullptr || (extend && (all || zdes == 0))) {
        allowed.must(Rule::q33, {Status::invalid_field});
        if (action_of(command) == 0x11) allowed.may(Status::invalid_zone_operation);
      }
      if (!all && outside) allowed.must(Rule::d14, {Status::lba_out_of_range, Status::invalid_field});
      if (!all && !aligned) allowed.must(Rule::q33, {Status::invalid_field});
      const bool window = (entry.cdw13 & spec::kZoneAllocateWindow) != 0;
      if (window) allowed.may({Status::invalid_zone_operation, Status::invalid_field});
      if (window && is(command, ZoneAction::open))
        allowed.must(Rule::q33, {Status::invalid_zone_operation, Status::invalid_field});
      if ((entry.cdw13 & 0xFFFF'FC00U) != 0) allowed.may(Status::invalid_field);
      return;
    }
    case kZoneReceive: {
      const std::uint32_t filter = entry.cdw13 >> 8U & 0xFFU;
      const std::uint64_t bytes = (std::uint64_t{entry.cdw12} + 1) * 4;
      const bool extended = action_of(command) == 1;
      if (action_of(command) > 1 || (extended && zdes == 0) || (filter > 7 && filter != 9))
        allowed.must(Rule::q33, {Status::invalid_field});
      if (exceeds_mdts(scene.c(), bytes)) allowed.must(Rule::q33, {Status::invalid_field});
      if (bytes < sizeof(spec::ZoneReportHeader)) allowed.may(Status::invalid_field);
      if (outside) allowed.must(Rule::d14, {Status::lba_out_of_range});
      if ((entry.cdw13 & 0xFFFE'0000U) != 0) allowed.may(Status::invalid_field);
      return;
    }
    case kZoneAppend: {
      if (outside) allowed.must(Rule::d14, {Status::lba_out_of_range, Status::invalid_field});
      if (!aligned) allowed.must(Rule::q33, {Status::invalid_field});
      const std::uint64_t bytes = std::uint64_t{entry.block_count()} * ns.block_bytes;
      if (exceeds_mdts(scene.c(), bytes)) allowed.must(Rule::q33, {Status::invalid_field});
      // ZASL may be less; nobody need have asked for it.
      const auto& append = scene.c().append_limit;
      if (!append.known && bytes > spec::kPageSize) allowed.may(Status::invalid_field);
      if (append.known && append.bytes != 0 && bytes > append.bytes)
        allowed.must(Rule::q33, {Status::invalid_field});
      const bool options = (entry.cdw12 & 0x3FFF'0000U) != 0 || entry.cdw13 != 0;
      if (options) allowed.may({Status::invalid_field, Status::invalid_protection_information});
      return;
    }
    default:
      return;
  }
}

/// A read of a range, or a hint for it.
void allow_reads(const Command& command, const Namespace& ns, Allowed& allowed) {
  const auto& entry = command.entry;
  const Zoned& zoned = ns.zoned;
  if (entry.opcode == kDatasetManagement) {
    allowed.may(Status::zone_offline);
    return;
  }
  const std::uint64_t slba = entry.slba(), blocks = entry.block_count();
  if (slba >= blocks_in(ns) || blocks > blocks_in(ns) - slba) {
    allowed.may({Status::zone_boundary_error, Status::zone_offline});
    return;
  }
  for (std::uint64_t k = slba / zoned.size; k <= (slba + blocks - 1) / zoned.size; ++k) {
    if (!zoned.zones[k].may_show_state(ZoneState::offline, command.submitted)) continue;
    allowed.may(Status::zone_offline);
    if (zoned.zones[k].surely_offline_since(command.submitted))
      allowed.must(Rule::z05, {Status::zone_offline});
  }
  const bool crosses = slba / zoned.size != (slba + blocks - 1) / zoned.size;
  if (crosses && (zoned.ozcs & spec::kReadsCrossZones) == 0)
    allowed.must(Rule::q33, {Status::zone_boundary_error});
}

/// The zones of the namespace, or whether it has any, are not known.
void allow_unknown(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const bool certain = cap_known(c) && c.initial_known;
  const bool none = certain && ((spec::cap::css.get(c.cap) & spec::kCapSeveralSets) == 0 ||
                                spec::cc::css.get(c.cc_enabled) != spec::kAllCommandSets);
  if (is_zone_opcode(command.entry.opcode)) {
    if (none) {
      allowed.must(Rule::q33, {Status::invalid_opcode});
      return;
    }
    allowed.may({Status::invalid_opcode, Status::invalid_field, Status::lba_out_of_range,
                 Status::invalid_zone_operation, Status::invalid_zone_transition});
  }
  if (none) return;
  if (command.entry.fuse() != 0) allowed.may(Status::invalid_field);
  allowed.may({Status::zone_boundary_error, Status::zone_full, Status::zone_read_only, Status::zone_offline,
               Status::zone_invalid_write, Status::too_many_active_zones, Status::too_many_open_zones});
}

Rule rule_of_report(const Scene& scene, const Namespace& ns, std::uint32_t number, ZoneState state,
                    std::uint64_t wp, Seq since) {
  const ZoneSet& zone = ns.zoned.zones[number];
  if (zone_open(state) && ns.zoned.closed != 0 && ns.zoned.closed >= zone.touched()) return Rule::z09;
  const Seq settled = std::max(ns.zoned.failed_open, zone.touched());
  bool reset = false;
  for (const auto other : scene.s.subsystems[ns.subsystem].controllers)
    reset |= scene.s.controllers[other].reset_from > settled;
  if (ns.zoned.failed_open == settled && settled != 0 && !reset) return Rule::z06;
  if (zone.surely_empty() && !reset) return Rule::z07;
  if (reset || ns.zoned.changed_by[number] != scene.index) return Rule::z08;
  return zone_has_pointer(state) && zone.may_show_state(state, since) && wp != zone.least_pointer()
             ? Rule::z02
             : Rule::z05;
}

/// A descriptor by itself, then against what the zone may be.
void check_descriptor(const Scene& scene, const Command& command, Namespace& ns,
                      const spec::ZoneDescriptor& shown, std::uint32_t number) {
  ZoneSet& zone = ns.zoned.zones[number];
  const auto state = static_cast<ZoneState>(shown.state >> 4U);
  const auto say = [&](Rule rule, std::string allowed, std::string seen) {
    violation(scene, rule, fmt::format("{}: {}", text_of(scene, command), zone_name(ns, number)),
              std::move(allowed), std::move(seen), {command.submitted, zone.touched()});
  };
  exercised(scene, Rule::z02);
  const bool pointer = zone_has_pointer(state);
  const std::uint64_t wp = pointer ? shown.wp - shown.zslba : 0;
  if (shown.zcap > ns.zoned.size || shown.zcap == 0 || (zone.known() && shown.zcap != zone.capacity())) {
    say(Rule::z02, fmt::format("a capacity of {}", zone.known() ? zone.capacity() : ns.zoned.size),
        fmt::format("{}", shown.zcap));
    return;
  }
  if (pointer && (shown.wp < shown.zslba || wp > shown.zcap)) {
    say(Rule::z02, "a write pointer between ZSLBA and ZSLBA + ZCAP", fmt::format("{}", shown.wp));
    return;
  }
  const bool extension = (shown.attributes & spec::zone_attribute::extension) != 0;
  if (state == ZoneState::empty) {
    exercised(scene, Rule::z07);
    if (wp != 0 || (shown.attributes & 0x8FU) != 0)
      say(Rule::z07, "no blocks written, no attributes",
          fmt::format("{} blocks, attributes {:02X}h", wp, shown.attributes));
  }
  exercised(scene, Rule::z05);
  if (ns.zoned.changed_by[number] != scene.index || scene.s.resets != 0) exercised(scene, Rule::z08);
  if (ns.zoned.closed != 0) exercised(scene, Rule::z09);
  if (ns.zoned.failed_open != 0) exercised(scene, Rule::z06);
  if (!zone.known()) {
    if (zone.quiet_since(command.submitted)) {
      zone.start(state, wp, extension, shown.zcap, zone.touched());
      if (history(ns)) zone.blur(scene.now);  // reports under way may be older than this one
    } else {
      inconclusive(scene, Rule::z05);
    }
    return;
  }
  if (!zone.may_show(state, wp, extension, command.submitted)) {
    say(rule_of_report(scene, ns, number, state, wp, command.submitted), zone.text(), zone_text(state, wp));
    zone.forget(scene.now);
    return;
  }
  if (zone.quiet_since(command.submitted)) zone.decide(state, wp, extension, history(ns), scene.now);
}

ZoneState state_of_filter(std::uint32_t filter) {
  static constexpr ZoneState kOf[] = {
      ZoneState::empty,  ZoneState::empty, ZoneState::implicitly_open, ZoneState::explicitly_open,
      ZoneState::closed, ZoneState::full,  ZoneState::read_only,       ZoneState::offline};
  return kOf[filter & 7U];
}

void check_report(const Scene& scene, const Command& command, Namespace& ns,
                  std::span<const std::byte> data) {
  if (data.size() < sizeof(spec::ZoneReportHeader)) return;
  const std::uint32_t filter = command.entry.cdw13 >> 8U & 0xFFU;
  const bool extended = action_of(command) == 1, partial = (command.entry.cdw13 & spec::kZonePartial) != 0;
  const Zoned& zoned = ns.zoned;
  const std::size_t stride =
      spec::kZoneDescriptorBytes +
      (extended ? std::size_t{zoned.extensions[zoned.format]} * spec::kZoneExtensionUnit : 0);
  const std::uint64_t fit = (data.size() - sizeof(spec::ZoneReportHeader)) / stride;
  const auto header = read_as<spec::ZoneReportHeader>(data);
  const std::uint64_t first = command.entry.slba() / zoned.size, count = zoned.zones.size();
  exercised(scene, Rule::z10);
  const auto say = [&](std::string allowed, std::string seen) {
    violation(scene, Rule::z10, fmt::format("{}: the zones that it lists", text_of(scene, command)),
              std::move(allowed), std::move(seen), {command.submitted});
  };
  if (first >= count) return;
  if (filter == 0) {
    const std::uint64_t all = count - first, due = partial ? std::min(all, fit) : all;
    if (header.zones != due) {
      say(fmt::format("{} zones", due), fmt::format("{}", header.zones));
      return;
    }
  }
  if (header.zones > count - first || (partial && header.zones > fit)) {
    say(fmt::format("at most {} zones", partial ? std::min(fit, count - first) : count - first),
        fmt::format("{}", header.zones));
    return;
  }
  std::uint64_t next = first, open = 0, active = 0;
  const std::uint64_t shown = std::min(header.zones, fit);
  const auto left_out = [&](std::uint64_t until) {  // zones that the filter need not have let through
    for (; next < until; ++next) {
      if (filter == 9 || zoned.zones[next].may_show_other(state_of_filter(filter), command.submitted))
        continue;
      say(fmt::format("{}, which is {}", zone_name(ns, next), zoned.zones[next].text()), "another zone");
      return false;
    }
    return true;
  };
  for (std::uint64_t i = 0; i < shown; ++i) {
    const auto one = read_as<spec::ZoneDescriptor>(data.subspan(sizeof header + i * stride));
    if (one.zslba % zoned.size != 0 || one.zslba / zoned.size >= count || one.zslba / zoned.size < next) {
      say("zones in ascending order", fmt::format("a descriptor of {}", one.zslba));
      return;
    }
    const std::uint64_t number = one.zslba / zoned.size;
    if (!left_out(filter == 0 ? next : number)) return;
    if (filter == 0 && number != next) {
      say(zone_name(ns, next), zone_name(ns, number));
      return;
    }
    next = number + 1;
    const auto state = static_cast<ZoneState>(one.state >> 4U);
    if (filter >= 1 && filter <= 7 && state != state_of_filter(filter)) {
      say(fmt::format("zones in state {}", filter), zone_text(state, 0));
      return;
    }
    open += zone_open(state) ? 1 : 0;
    active += zone_active(state) ? 1 : 0;
    check_descriptor(scene, command, ns, one, static_cast<std::uint32_t>(number));
    if (!has_zones(ns)) return;
  }
  if (filter != 0 && !partial && header.zones <= fit && !left_out(count)) return;
  // A report is one moment where the simulator makes it (own convention); elsewhere zones may have changed
  // meanwhile.
  if (!scene.s.simulator) return;
  if ((zoned.mor != spec::kNoZoneLimit && open > zoned.mor + std::uint64_t{1}) ||
      (zoned.mar != spec::kNoZoneLimit && active > zoned.mar + std::uint64_t{1})) {
    violation(scene, Rule::z01,
              fmt::format("{}: more zones than there are resources", text_of(scene, command)),
              fmt::format("{} open, {} active", zoned.mor + std::uint64_t{1}, zoned.mar + std::uint64_t{1}),
              fmt::format("{} and {}", open, active), {command.submitted});
  }
}

/// Could an Append that began already put its data there?
void widen_appends(const Scene& scene, std::uint32_t index, std::uint32_t zone) {
  Namespace& ns = scene.s.namespaces[index];
  for (const auto controller : scene.s.subsystems[ns.subsystem].controllers) {
    for (Command& other : scene.s.controllers[controller].commands) {
      const bool here = other.open && other.entry.opcode == kZoneAppend && other.ns == index &&
                        other.zone == zone && other.writing && other.sqid != 0;
      if (!here) continue;
      BlockRange& range = scene.s.details[other.detail].block_ranges.front();
      const std::uint64_t start = std::uint64_t{zone} * ns.zoned.size;
      for (std::uint64_t lba = start; lba < range.slba; ++lba) {
        ns.content.begin(lba, 0, other.submitted, controller, Blocks::Written::unknown, ns.readers.quiet());
      }
      range.blocks += range.slba - start;
      range.slba = start;
    }
  }
}

}  // namespace

void lose_zones(Namespace& ns) {
  Zoned fresh;
  fresh.reports_open = ns.zoned.reports_open;
  fresh.worn_blind = true;
  ns.zoned = std::move(fresh);
}

void empty_zones(Namespace& ns, Seq since, Seq now) {
  for (ZoneSet& zone : ns.zoned.zones) {
    if (zone.capacity() != 0 && zone.quiet_since(since)) {
      zone.start(ZoneState::empty, 0, false, zone.capacity(), now);
    } else {
      zone.forget(now);
    }
  }
}

void follow_zones(const Scene& scene, std::uint32_t index) {
  Namespace& ns = scene.s.namespaces[index];
  Zoned& zoned = ns.zoned;
  if (!zoned.announced || !ns.identified || zoned.format >= Zoned::kFormats) return;
  const std::uint64_t size = zoned.sizes[zoned.format];
  const bool possible = size != 0 && size <= kMostZoneBlocks && ns.blocks % size == 0 &&
                        ns.blocks / size <= kMostZones && zoned.zoc == 0;
  if (!possible || size == zoned.size) return;
  if (writes_open(scene.s, index)) return;  // what they do to zones was not followed
  zoned.size = size;
  zoned.zones.assign(ns.blocks / size, ZoneSet{});
  for (ZoneSet& zone : zoned.zones) {
    zone.forget(scene.now);
    zone.set_by_itself(!scene.s.simulator);
  }
  zoned.changed_by.assign(zoned.zones.size(), scene.index);
}

void check_zoned_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const std::uint32_t nsid = command.entry.nsid;
  const std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, nsid);
  const bool zeros =
      std::all_of(data.begin(), data.end(), [](std::byte byte) { return byte == std::byte{0}; });
  if (index == kNone || zeros) return;
  Namespace& ns = scene.s.namespaces[index];
  if (may_be_another(ns, command.submitted)) return;
  const auto id = read_as<spec::IdentifyZonedNamespace>(data);
  Zoned& zoned = ns.zoned;
  exercised(scene, Rule::ns05);
  if (zoned.announced &&
      (zoned.mar != id.mar || zoned.mor != id.mor || zoned.ozcs != id.ozcs || zoned.zoc != id.zoc)) {
    violation(scene, Rule::ns05, fmt::format("{}: zones of namespace {}", text_of(scene, command), nsid),
              "what was shown before", "other limits", {command.submitted});
  }
  zoned.announced = true;
  zoned.zoc = id.zoc;
  zoned.ozcs = id.ozcs;
  zoned.mar = id.mar;
  zoned.mor = id.mor;
  for (std::size_t i = 0; i < Zoned::kFormats; ++i) {
    zoned.sizes[i] = id.lbafe[i].zsze;
    zoned.extensions[i] = id.lbafe[i].zdes;
  }
  follow_zones(scene, index);
}

void begin_zone_command(const Scene& scene, Command& command) {
  if (command.ns == kNone) return;
  Namespace& ns = scene.s.namespaces[command.ns];
  if (command.entry.opcode == kZoneReceive) {
    ++ns.zoned.reports_open;
    command.zone_report = true;
    return;
  }
  const ZoneVerb* verb = verb_of(command);
  if (!has_zones(ns) || verb == nullptr) return;
  ZoneCommand one;
  one.submitted = command.submitted;
  one.controller = scene.index;
  one.verb = *verb;
  one.all = command.entry.opcode == kZoneSend && names_all(command);
  const std::uint64_t slba = command.entry.slba();
  if (one.all) {
    command.zone = kAllZones;
  } else {
    if (slba >= blocks_in(ns)) return;
    command.zone = static_cast<std::uint32_t>(slba / ns.zoned.size);
    const bool send = command.entry.opcode == kZoneSend || command.entry.opcode == kZoneAppend;
    if (send && slba % ns.zoned.size != 0) {
      command.zone = kNone;
      return;
    }
  }
  if (*verb == ZoneVerb::write || *verb == ZoneVerb::append) {
    one.at = slba % ns.zoned.size;
    one.blocks = blocks_of(scene, command);
  }
  each_zone(command, ns, [&](std::uint32_t k) { ns.zoned.zones[k].begin(one, scene.now); });
}

void finish_zone_command(const Scene& scene, Command& command, const Completion& completion) {
  if (command.ns == kNone) return;
  if (command.zone_report) --scene.s.namespaces[command.ns].zoned.reports_open;
  Namespace* ns = namespace_of(scene, command);
  if (ns == nullptr) return;
  const bool sure = !command.reused_cid && !may_be_another(*ns, command.submitted) &&
                    ns->exists.surely_since(true, command.submitted);
  if (command.entry.opcode == kZoneReceive) {
    const bool data = completion.success() && completion.trusted && !completion.data.empty();
    if (sure && data) check_report(scene, command, *ns, completion.data);
    return;
  }
  const ZoneVerb* verb = verb_of(command);
  if (command.zone == kNone || verb == nullptr) return;
  auto& zones = ns->zoned.zones;
  const Status status = completion.status();
  const bool copy = command.entry.opcode == kCopy;
  const bool list = !copy || (completion.trusted && blocks_of(scene, command) != 0);
  // An error after the checks may have left a part of a write; in the simulator it leaves nothing, but of a
  // Copy.
  const bool partly = !completion.success() && end_of(status) != WriteEnd::refused &&
                      (!scene.s.simulator || (copy && status == Status::unrecovered_read_error));
  const bool zone_failed = status == Status::zone_read_only || status == Status::zone_offline;
  if (!sure || !list || partly || (zone_failed && command.zone == kAllZones)) {
    each_zone(command, *ns, [&](std::uint32_t k) { zones[k].doubt(command.submitted, scene.now); });
    return;
  }
  if (!completion.success()) {
    each_zone(command, *ns,
              [&](std::uint32_t k) { zones[k].fail(command.submitted, status, history(*ns), scene.now); });
    if (status == Status::too_many_open_zones || status == Status::too_many_active_zones)
      ns->zoned.failed_open = scene.now;
    return;
  }
  const bool append = *verb == ZoneVerb::append;
  const std::uint64_t address = std::uint64_t{completion.entry.dw1} << 32U | completion.entry.dw0;
  const std::uint64_t start = command.entry.slba(), at = address - start;
  exercised(scene, rule_of_verb(*verb));
  bool possible = true;
  std::string before;
  each_zone(command, *ns, [&](std::uint32_t k) {
    if (!possible) return;
    before = zones[k].text();
    possible = zones[k].succeed(command.submitted, append ? &at : nullptr, history(*ns), scene.now);
  });
  note_change(scene, command, *ns);
  if (!possible && append) {
    violation(scene, Rule::z04, fmt::format("{}: data where they cannot be", text_of(scene, command)),
              fmt::format("at a write pointer of the zone, which was {}", before),
              fmt::format("LBA {}", address), {command.submitted});
  }
  check_limits(scene, command, *ns);
}

void drop_zone_command(const Scene& scene, Command& command, bool at_once) {
  if (command.ns == kNone) return;
  if (command.zone_report) --scene.s.namespaces[command.ns].zoned.reports_open;
  Namespace* ns = namespace_of(scene, command);
  if (ns == nullptr || command.zone == kNone) return;
  const bool sure = !command.reused_cid && !may_be_another(*ns, command.submitted);
  const bool partly = command.entry.opcode == kCopy || !scene.s.simulator;
  each_zone(command, *ns, [&](std::uint32_t k) {
    ZoneSet& zone = ns->zoned.zones[k];
    if (at_once && sure && !partly) {
      zone.lose(command.submitted);
    } else if (!sure || partly) {
      zone.doubt(command.submitted, scene.now);
    } else {
      zone.settle(command.submitted, history(*ns), scene.now);
    }
  });
  note_change(scene, command, *ns);
}

void settle_zones(const Scene& scene) {
  for (const std::uint32_t index : scene.s.subsystems[scene.c().subsystem].namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    for (ZoneSet& zone : ns.zoned.zones) zone.settle_lost(scene.index, history(ns), scene.now);
  }
}

void allow_zone_command(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed) {
  const std::uint8_t code = command.entry.opcode;
  const bool reads = code == kRead || code == kCompare || code == kVerify || code == kDatasetManagement;
  const ZoneVerb* verb = verb_of(command);
  if (!reads && verb == nullptr && !is_zone_opcode(code)) return;
  const bool followed = ns != nullptr && has_zones(*ns) && !may_be_another(*ns, command.submitted) &&
                        ns->incarnation == command.incarnation &&
                        ns->exists.surely_since(true, command.submitted) && command.ns != kNone;
  if (!followed) {
    allow_unknown(scene, command, allowed);
    return;
  }
  if (command.entry.fuse() != 0) allowed.may(Status::invalid_field);  // no fused operations on zones
  // Whether the controller was enabled for this command set decides first.
  const Controller& c = scene.c();
  const bool enabled = spec::cc::css.get(c.cc_enabled) == spec::kAllCommandSets;
  if (is_zone_opcode(code) && (!enabled || !c.initial_known || !cap_known(c))) {
    allowed.may(Status::invalid_opcode);
    if (!enabled && c.initial_known && cap_known(c)) allowed.must(Rule::q33, {Status::invalid_opcode});
  }
  allow_fields(scene, command, *ns, allowed);
  if (reads) {
    allow_reads(command, *ns, allowed);
    return;
  }
  if (code == kCopy) {  // its sources
    allowed.may({Status::zone_boundary_error, Status::zone_offline});
  }
  if (verb == nullptr) return;
  // A zone may fail while it is changed.
  if (!scene.s.simulator || code == kCopy) allowed.may({Status::zone_read_only, Status::zone_offline});
  add_resources(*ns, command, *verb, allowed);
  if (command.zone == kNone || command.zone == kAllZones) return;
  if (code == kCopy && blocks_of(scene, command) == 0) {
    allowed.may({Status::zone_full, Status::zone_invalid_write});
    return;
  }
  const auto verdict = ns->zoned.zones[command.zone].judge(command.submitted);
  if (!verdict.judged) {
    inconclusive(scene, rule_of_verb(*verb));
    allowed.may({Status::zone_boundary_error, Status::zone_full, Status::zone_invalid_write,
                 Status::invalid_zone_transition, Status::zone_read_only, Status::zone_offline});
    return;
  }
  exercised(scene, rule_of_verb(*verb));
  for (const Status status : verdict.errors) allowed.may(status);
  if (!verdict.success) allowed.must(rule_of_verb(*verb), {});
}

Rule rule_of_zone_refusal(Status status) {
  switch (status) {
    case Status::zone_invalid_write:
    case Status::zone_boundary_error:
    case Status::zone_full:
      return Rule::z04;
    case Status::invalid_zone_transition:
    case Status::zone_read_only:
    case Status::zone_offline:
      return Rule::z05;
    case Status::too_many_active_zones:
    case Status::too_many_open_zones:
      return Rule::z01;
    default:
      return Rule::count;
  }
}

void begin_append(const Scene& scene, Command& command, std::span<const std::byte> digests) {
  Namespace& ns = scene.s.namespaces[command.ns];
  if (!ns.tracked) return;
  if (!has_zones(ns) || command.zone == kNone) {
    // An Append to no start of a zone is refused.
    if (!has_zones(ns)) lose_content(ns);
    return;
  }
  const ZoneSet& zone = ns.zoned.zones[command.zone];
  const std::uint64_t start = command.entry.slba();
  const bool moves_back = zone.verb_open(ZoneVerb::reset) || !zone.known();
  const std::uint64_t least = moves_back ? 0 : zone.least_pointer();
  const std::uint64_t most = zone.capacity() != 0 ? zone.capacity() : ns.zoned.size;
  Detail& detail = edit_detail(scene, command);
  detail.digests.clear();
  const std::size_t parts = ns.block_bytes / 512, blocks = command.entry.block_count();
  if (parts != 0 && digests.size() == blocks * parts * 8) {
    std::vector<std::uint64_t> raw(parts);
    for (std::size_t i = 0; i < blocks; ++i) {
      std::memcpy(raw.data(), digests.data() + i * parts * 8, parts * 8);
      detail.digests.push_back(block_digest(raw.data(), parts));
    }
  }
  detail.block_ranges.assign(1, {start + least, most - std::min(most, least)});
  const Seq quiet = ns.readers.quiet();
  for (std::uint64_t lba = start + least; lba < start + most; ++lba) {
    ns.content.begin(lba, 0, command.submitted, scene.index, Blocks::Written::unknown, quiet,
                     writes_through(scene, command));
  }
  command.writing = true;
}

void end_append(const Scene& scene, Command& command, const Completion& completion, Namespace& ns) {
  const Detail& detail = scene.s.details[command.detail];
  const BlockRange range = detail.block_ranges.front();
  const std::uint64_t address = std::uint64_t{completion.entry.dw1} << 32U | completion.entry.dw0;
  const std::uint64_t blocks = command.entry.block_count();
  const Seq quiet = ns.readers.quiet();
  const bool done = completion.success();
  if (done && (address < range.slba || address + blocks > range.slba + range.blocks)) {
    lose_content(ns);
    return;
  }
  const WriteEnd otherwise = done ? WriteEnd::refused : end_of(completion.status());
  for (std::uint64_t lba = range.slba; lba < range.slba + range.blocks; ++lba) {
    const bool ours = done && lba - address < blocks;
    if (ours && completion.trusted && detail.digests.size() == blocks)
      ns.content.settle(lba, command.submitted, detail.digests[lba - address]);
    ns.content.end(lba, command.submitted, ours ? WriteEnd::applied : otherwise, scene.now, quiet);
  }
}

void begin_zone_reset(const Scene& scene, Command& command) {
  Namespace& ns = scene.s.namespaces[command.ns];
  if (!ns.tracked || command.entry.opcode != kZoneSend || !is(command, ZoneAction::reset)) return;
  if (!has_zones(ns)) {
    lose_content(ns);
    return;
  }
  if (command.zone == kNone) return;
  const std::uint64_t zones = command.zone == kAllZones ? ns.zoned.zones.size() : 1;
  if (zones * ns.zoned.size > kBlocksMax) {
    lose_content(ns);
    return;
  }
  const bool zeros = ns.identified && (ns.dlfeat & 7U) == 1;
  const auto what = zeros ? Blocks::Written::emptied : Blocks::Written::unknown;
  const Seq quiet = ns.readers.quiet();
  auto& ranges = edit_detail(scene, command).block_ranges;
  ranges.clear();
  each_zone(command, ns, [&](std::uint32_t k) {
    widen_appends(scene, command.ns, k);
    const std::uint64_t start = std::uint64_t{k} * ns.zoned.size;
    ranges.push_back({start, ns.zoned.size});
    for (std::uint64_t i = 0; i < ns.zoned.size; ++i)
      ns.content.begin(start + i, ns.content.zero(), command.submitted, scene.index, what, quiet, true);
  });
  command.writing = true;
}

WriteEnd end_of_zone_reset(const Command& command, const Namespace& ns, std::uint64_t slba) {
  if (command.zone != kAllZones) return WriteEnd::applied;
  if (!has_zones(ns) || slba / ns.zoned.size >= ns.zoned.zones.size()) return WriteEnd::advised;
  // Of all zones those that are read only or offline keep what they have.
  const ZoneSet& zone = ns.zoned.zones[slba / ns.zoned.size];
  return zone.surely_empty() ? WriteEnd::applied : WriteEnd::advised;
}

void wear_zone(const Scene& scene, ZoneState state) {
  const std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, scene.event.b);
  if (index == kNone) return;
  Namespace& ns = scene.s.namespaces[index];
  if (!has_zones(ns) || scene.event.c >= blocks_in(ns)) {
    ns.zoned.worn_blind = true;
    return;
  }
  const std::uint64_t number = scene.event.c / ns.zoned.size, zslba = number * ns.zoned.size;
  ZoneSet& zone = ns.zoned.zones[number];
  auto& worn = ns.zoned.worn;
  auto at =
      std::find_if(worn.begin(), worn.end(), [&](const Zoned::Worn& one) { return one.zslba == zslba; });
  if (at == worn.end()) at = worn.insert(at, Zoned::Worn{zslba, scene.now, 0, false});
  at->at = scene.now;
  at->sure = zone.known() && !zone.may_show_state(ZoneState::offline, scene.now);
  zone.wear(state, scene.now);
}

void check_zone_event(const Scene& scene, const Command& command, const Completion& completion) {
  const std::uint32_t dword = completion.entry.dw0;
  const bool zones = (dword & 7U) == static_cast<std::uint32_t>(spec::EventType::notice) &&
                     (dword >> 8U & 0xFFU) == spec::event_info::zone_changed;
  if (!zones || !scene.s.simulator) return;
  const std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, completion.entry.dw1);
  const auto say = [&](const char* allowed, const char* seen) {
    violation(scene, Rule::z11,
              fmt::format("{}: an event of zones of namespace {}", name_of(scene, scene.index),
                          completion.entry.dw1),
              allowed, seen, {command.submitted});
  };
  exercised(scene, Rule::z11);
  if (index == kNone) {
    say("a namespace that there is, in dword 1", "another number");
    return;
  }
  const Zoned& zoned = scene.s.namespaces[index].zoned;
  if (zoned.worn_blind || !scene.c().initial_known) return;
  if (zoned.worn.empty()) {
    say("none: no zone changed by itself", "an event");
    return;
  }
  Seq since = kNow;
  for (const Zoned::Worn& one : zoned.worn) since = std::min(since, one.first);
  if (scene.c().zone_events.surely_since(false, since)) say("none while bit 27 of FID 0Bh is 0", "an event");
}

void begin_zone_log(const Scene& scene) { ++scene.c().zone_logs_open; }
void end_zone_log(const Scene& scene) {
  --scene.c().zone_logs_open;
  scene.c().zone_log_until = scene.now;
}

void check_zone_log(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const Controller& c = scene.c();
  const std::uint32_t index = find_namespace(scene.s, c.subsystem, command.entry.nsid);
  const bool whole = command.entry.cdw12 == 0 && command.entry.cdw13 == 0 && data.size() >= 8;
  if (index == kNone || !whole || !scene.s.simulator) return;
  const Namespace& ns = scene.s.namespaces[index];
  if (ns.zoned.worn_blind || may_be_another(ns, command.submitted) || !c.initial_known) return;
  exercised(scene, Rule::z11);
  const auto count = read_as<std::uint16_t>(data);
  if (count == spec::kTooManyChangedZones) return;
  std::vector<std::uint64_t> listed;
  for (std::size_t i = 0; i < count && 16 + 8 * i <= data.size(); ++i)
    listed.push_back(read_as<std::uint64_t>(data.subspan(8 + 8 * i)));
  const auto say = [&](const char* allowed, std::uint64_t zslba) {
    violation(scene, Rule::z11, fmt::format("{}: the zones that it names", text_of(scene, command)), allowed,
              fmt::format("zone {}", zslba), {command.submitted});
  };
  for (const std::uint64_t zslba : listed) {
    const bool worn = std::any_of(ns.zoned.worn.begin(), ns.zoned.worn.end(),
                                  [&](const Zoned::Worn& one) { return one.zslba == zslba; });
    if (worn) continue;
    say("zones that changed by themselves", zslba);
    return;
  }
  if (listed.size() != count || c.zone_logs_open > 1) return;
  for (const Zoned::Worn& one : ns.zoned.worn) {
    const bool due = one.sure && one.at > c.zone_log_until && one.at < command.submitted &&
                     c.reset_until < one.at && attachment(ns, scene.index).surely_since(true, one.at) &&
                     ns.exists.surely_since(true, one.at);
    if (!due || std::find(listed.begin(), listed.end(), one.zslba) != listed.end()) continue;
    say("every zone that changed by itself since the last read; missing is", one.zslba);
    return;
  }
}

void close_all_zones(const Scene& scene, bool surely) {
  for (const std::uint32_t index : scene.s.subsystems[scene.c().subsystem].namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    if (!has_zones(ns)) continue;
    for (ZoneSet& zone : ns.zoned.zones) zone.close_all(surely, !scene.s.simulator, scene.now);
    if (surely) ns.zoned.closed = scene.now;
  }
}

void zones_after_shutdown(const Scene& scene, bool complete) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    const Controller& c = scene.s.controllers[other];
    if (complete ? !c.shutdown_complete : !c.shutdown_asked) return;
  }
  close_all_zones(scene, complete);
}

void zones_after_power_loss(const Scene& scene, Namespace& ns) {
  if (!has_zones(ns)) return;
  for (std::size_t k = 0; k < ns.zoned.zones.size(); ++k) {
    ZoneSet& zone = ns.zoned.zones[k];
    if (!zone.known()) continue;
    const std::uint64_t start = k * ns.zoned.size, most = zone.greatest_pointer();
    std::uint64_t least = 0;
    for (std::uint64_t i = most; i > 0 && least == 0 && ns.tracked; --i) {
      // What must have outlived the loss lies before the pointer.
      if (ns.content.sole_value(start + i - 1, scene.now)) least = i;
    }
    zone.fall_back(least, scene.now);
  }
}

}  // namespace polypath::model
