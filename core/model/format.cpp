#include "model/format.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/admin.h"
#include "model/events.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/protection.h"
#include "model/self_test.h"
#include "model/write_protection.h"
#include "model/zones.h"

namespace polypath::model {
namespace {

using spec::Status;

unsigned index_of(const Command& command) { return command.entry.cdw10 & 0xFU; }
unsigned erase_of(const Command& command) { return command.entry.cdw10 >> 9U & 7U; }
/// The upper bits count only for a host that enabled them.
bool index_known(const Command& command) {
  return !command.no_tail && (command.entry.cdw10 >> 12U & 3U) == 0;
}
bool of_all(const Command& command, const Announced& announced) {
  return (announced.fna & (erase_of(command) != 0 ? spec::fna::erase_all : spec::fna::format_all)) != 0;
}

/// By its NSID alone.
bool covers(const Command& command, std::uint32_t nsid) { return command.wide || command.entry.nsid == nsid; }

/// Did it fail before it began?
bool refused(Status status) {
  switch (status) {
    case Status::invalid_opcode:
    case Status::invalid_field:
    case Status::invalid_namespace_or_format:
    case Status::invalid_format:
    case Status::command_sequence_error:
    case Status::namespace_write_protected:
    case Status::reservation_conflict:
    case Status::format_in_progress:
    case Status::sanitize_in_progress:
    case Status::sanitize_failed:
      return true;
    default:
      return false;
  }
}

/// Whether, or to what, it was formatted is not known.
void forget_format(Namespace& ns) {
  ns.tracked = false;
  ns.written_untracked = true;
  ns.blocks = 0;
  ns.block_bytes = 0;
  ns.identified = ns.block_size_given = false;
  ns.formatted = false;
  ns.format_wanted = -1;
  lose_zones(ns);
  forget_metadata(ns);
  for (auto& attached : ns.attached) attached.proven_blocks = 0;
}

/// It surely was. True when its blocks have another size than before.
bool settle_format(const Scene& scene, const Command& command, std::uint32_t index) {
  Namespace& ns = scene.s.namespaces[index];
  const bool known = index_known(command) && ns.identified && index_of(command) < ns.formats;
  const unsigned shift = known ? ns.lbads[index_of(command)] : 0;
  const std::uint32_t before = ns.block_bytes;
  const bool zeros = ns.identified && (ns.dlfeat & 7U) == 1;
  Zoned zoned = std::move(ns.zoned);
  forget_format(ns);
  if (known && before != 0 && before == 1U << shift) {  // zones of the same size, and nothing in them
    ns.zoned = std::move(zoned);
    empty_zones(ns, command.submitted, scene.now);
  }
  ns.written_untracked = ns.doubtful_write >= command.submitted || writes_open(scene.s, index);
  ns.formatted = true;
  ns.format_wanted = index_known(command) ? static_cast<std::int8_t>(index_of(command)) : std::int8_t{-1};
  ns.format_from = command.submitted;
  ns.block_bytes = shift < 9 || shift > 16 ? 0 : 1U << shift;
  format_metadata(ns, command.entry, known);
  bool data = ns.block_bytes != 0 && !ns.written_untracked && metadata_known(ns);
  for (const auto controller : scene.s.subsystems[ns.subsystem].controllers)
    data = data && (scene.s.controllers[controller].observed & trace::observed::data) != 0;
  if (data && zeros) {
    exercised(scene, Rule::d18);
    start_content(ns, true, scene.now);
  }
  return before != 0 && ns.block_bytes != 0 && before != ns.block_bytes;
}

/// Protection information of a type that the namespace does not have, or that finds no room.
void allow_protected_format(const Namespace& ns, const spec::SubmissionEntry& entry, Allowed& allowed) {
  const unsigned type = entry.cdw10 >> 5U & 7U, index = entry.cdw10 & 0xFU;
  constexpr std::uint16_t kShortest = 8;
  const bool room = ns.metadata.sizes[index] >= kShortest;
  const bool has_type = type <= 3 && (ns.dpc >> (type - 1U) & 1U) != 0;
  const bool has_place = (ns.dpc & ((entry.cdw10 >> 8U & 1U) != 0 ? spec::dpc::first : spec::dpc::last)) != 0;
  if (!room || !has_type || !has_place) {
    allowed.must(Rule::q33, {Status::invalid_format, Status::invalid_field});
  } else if (!ns.metadata.elbaf_known || ns.metadata.elbaf[index] != 0) {
    allowed.may({Status::invalid_format, Status::invalid_field});
  }
}

}  // namespace

bool may_be_formatted(const Namespace& ns, Seq since) {
  return ns.formats_open != 0 || ns.formatted_until >= since;
}

void begin_format(const Scene& scene, Command& command) {
  const auto& announced = scene.c().announced;
  command.wide = command.entry.nsid == spec::kBroadcastNsid || !announced.known || command.no_tail ||
                 of_all(command, announced);
  if (!command.wide) resolve_namespace(scene, command.entry.nsid);
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  for (const auto index : subsystem.namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    if (!covers(command, ns.nsid)) continue;
    ++ns.formats_open;
    // One that is attached before the Format is done has the event as well.
    for (const auto controller : subsystem.controllers)
      begin_cause(scene, controller, ns.nsid, command.submitted, false);
  }
  command.counted = true;
}

void meet_formats(const Scene& scene, std::uint32_t index) {
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  for (const auto other : subsystem.controllers) {
    for (const Command& command : scene.s.controllers[other].commands) {
      const bool format =
          command.open && command.sqid == 0 && command.counted && command.entry.opcode == opcode::format;
      Namespace& ns = scene.s.namespaces[index];
      if (!format || !covers(command, ns.nsid)) continue;
      ++ns.formats_open;
      for (const auto controller : subsystem.controllers)
        begin_cause(scene, controller, ns.nsid, command.submitted, false);
    }
  }
}

void end_format(const Scene& scene, const Command& command, End end, const Completion* completion) {
  if (!command.counted) return;
  const auto& announced = scene.c().announced;
  const bool nothing = end == End::refused && completion != nullptr && refused(completion->status());
  const bool scope_known = announced.known && !command.no_tail;
  const bool all = scope_known && of_all(command, announced);
  const bool attached_only = scope_known && !all && command.entry.nsid == spec::kBroadcastNsid;
  auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  if (!nothing) subsystem.formatted_until = scene.now;
  for (const auto index : subsystem.namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    if (!covers(command, ns.nsid)) continue;
    --ns.formats_open;
    const Fact& here = attachment(ns, scene.index);
    const bool possible = !nothing && ns.exists.possible_since(true, command.submitted) &&
                          (!attached_only || here.possible_since(true, command.submitted));
    const bool sure = end == End::applied && scope_known && possible && !may_be_heir(ns, command.submitted) &&
                      ns.exists.surely_since(true, command.submitted) &&
                      (!attached_only || here.surely_since(true, command.submitted)) &&
                      !may_be_formatted(ns, command.submitted);
    bool resized = false;
    if (possible) {
      if (sure) {
        resized = settle_format(scene, command, index);
        end_tests_of(scene, ns, command.submitted);
      } else {
        forget_format(ns);
      }
      ns.formatted_until = scene.now;
    }
    for (const auto controller : subsystem.controllers) {
      if (!has_cause(scene, controller, ns.nsid, command.submitted)) continue;
      const Fact& fact = attachment(ns, controller);
      const bool told = resized && controller != scene.index && fact.surely_since(true, command.submitted);
      const bool maybe = possible && fact.possible_since(true, command.submitted);
      end_cause(scene, controller, ns.nsid, command.submitted,
                told    ? Cause::sure
                : maybe ? Cause::maybe
                        : Cause::none,
                false);
    }
  }
}

void allow_during_format(const Scene& scene, const Command& command, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  if (announced.known && (announced.oacs & spec::oacs::format) == 0) return;
  for (const auto index : scene.s.subsystems[scene.c().subsystem].namespaces) {
    const Namespace& ns = scene.s.namespaces[index];
    const bool own = command.entry.opcode == opcode::format && command.counted && covers(command, ns.nsid);
    const bool other = ns.formats_open > (own ? 1U : 0U) || ns.formatted_until >= command.submitted;
    if (!other) continue;
    allowed.may({Status::format_in_progress, Status::command_sequence_error});
    return;
  }
}

void allow_format(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  if (command.no_tail) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  // Other commands for the namespace may be running.
  allowed.may(Status::command_sequence_error);
  if (command.wide) {
    allow_change(scene, command, kNone, allowed);
  } else {
    allow_change(scene, command, find_namespace(scene.s, c.subsystem, entry.nsid), allowed);
  }
  if (!announced.known || (announced.oncs & spec::oncs::reservations) != 0)
    allowed.may(Status::reservation_conflict);
  if (!announced.known || (announced.oacs & spec::oacs::security) != 0) allowed.may(Status::access_denied);
  if (entry.cdw10 >> 14U != 0) allowed.may(Status::invalid_field);

  const unsigned erase = erase_of(command);
  if (erase > 2) allowed.must(Rule::q33, {Status::invalid_field});
  if (erase == 2 && !announced.known) allowed.may(Status::invalid_field);
  if (erase == 2 && announced.known && (announced.fna & spec::fna::crypto) == 0)
    allowed.must(Rule::q33, {Status::invalid_field});
  if (!index_known(command)) allowed.may({Status::invalid_format, Status::invalid_namespace_or_format});
  if ((entry.cdw10 >> 4U & 1U) != 0) allowed.may({Status::invalid_format, Status::invalid_field});

  const std::uint32_t nsid = entry.nsid;
  const bool broadcast = nsid == spec::kBroadcastNsid;
  if (!announced.known) allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  const bool all = announced.known && of_all(command, announced);
  if (announced.known && !all && !broadcast && (nsid == 0 || nsid > announced.nn)) {
    allowed.must(Rule::q33, {Status::invalid_namespace_or_format});
    return;
  }
  if (broadcast && announced.known && !all && (announced.fna & spec::fna::no_broadcast) != 0)
    allowed.must(Rule::q33, {Status::invalid_field});
  if (all && !broadcast) allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});

  const bool protection = (entry.cdw10 >> 5U & 7U) != 0;
  const std::uint32_t index = find_namespace(scene.s, c.subsystem, nsid);
  const Namespace* ns = command.wide || index == kNone ? nullptr : &scene.s.namespaces[index];
  const auto& subsystem = scene.s.subsystems[c.subsystem];
  if (!command.wide) {
    const bool maybe_created =
        !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
    const bool there = ns != nullptr && ns->exists.possible_since(true, command.submitted);
    if (!there && !maybe_created) {
      allowed.must(Rule::q33, {Status::invalid_field, Status::invalid_namespace_or_format});
      return;
    }
    if (ns == nullptr || ns->exists.possible_since(false, command.submitted))
      allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  }
  const bool known = ns != nullptr && ns->identified && !may_be_heir(*ns, command.submitted) &&
                     ns->identified_at < command.submitted && index_known(command);
  if (!known) {
    allowed.may({Status::invalid_format, Status::invalid_namespace_or_format});
    if (protection) allowed.may(Status::invalid_field);
    return;
  }
  if (protection) allow_protected_format(*ns, entry, allowed);
  if (index_of(command) < ns->formats && ns->metadata.sizes[index_of(command)] != 0) {
    // Formats that only hosts who enabled them may use; and namespaces that cannot have metadata.
    const bool extended = !ns->metadata.elbaf_known || ns->metadata.elbaf[index_of(command)] != 0;
    if (extended) allowed.may(Status::invalid_namespace_or_format);
    if (ns->zoned.announced) allowed.may(Status::invalid_format);
  }
  const unsigned shift = index_of(command) < ns->formats ? ns->lbads[index_of(command)] : 0;
  if (shift == 0) {
    allowed.must(Rule::q33, {Status::invalid_format, Status::invalid_field});
  } else if (ns->blocks * ns->block_bytes >> shift == 0 || may_be_formatted(*ns, command.submitted)) {
    allowed.may(Status::invalid_format);  // too small for one block
  }
}

void check_format(const Scene& scene, const Command& command, Namespace& ns,
                  const spec::IdentifyNamespace& id) {
  ns.dpc = id.dpc;
  ns.formats = static_cast<std::uint8_t>(std::min<unsigned>(id.nlbaf + 1U, 16));
  for (std::size_t i = 0; i < ns.formats; ++i) ns.lbads[i] = static_cast<std::uint8_t>(id.lbaf[i] >> 16U);
  if (ns.format_wanted < 0) return;
  exercised(scene, Rule::fmt01);
  unsigned index = id.flbas & 0xFU;
  if (id.nlbaf > 15) index |= (id.flbas >> 5U & 3U) << 4U;
  if (index == static_cast<unsigned>(ns.format_wanted)) return;
  violation(scene, Rule::fmt01,
            fmt::format("{}: namespace {} was formatted otherwise", text_of(scene, command), ns.nsid),
            fmt::format("LBA format {}", ns.format_wanted), fmt::format("LBA format {}", index),
            {ns.format_from, ns.formatted_until, command.submitted});
}

}  // namespace polypath::model
