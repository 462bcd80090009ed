#include "model/attachment.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/admin.h"
#include "model/events.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/registers.h"
#include "model/write_protection.h"
#include "spec/registers.h"
#include "spec/zones.h"

namespace polypath::model {
namespace {

using spec::Status;

bool attaches(const Command& command) { return (command.entry.cdw10 & 0xFU) == 0; }
bool select_reserved(const Command& command) { return (command.entry.cdw10 & 0xFU) > 1; }

/// Controllers that an identifier of the list may mean: the one that has it, else those of which it is not
/// known.
struct Meant {
  std::uint16_t sure = 0xFFFF;
  std::vector<std::uint16_t> perhaps;
  bool nobody() const { return sure == 0xFFFF && perhaps.empty(); }
};

Meant meant_by(const Scene& scene, std::uint16_t cntlid) {
  Meant meant;
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    const std::uint16_t own = scene.s.controllers[other].cntlid;
    if (own == trace::kUnknownCntlid) meant.perhaps.push_back(other);
    if (own != trace::kUnknownCntlid && own == cntlid) meant.sure = other;
  }
  if (meant.sure != 0xFFFF) meant.perhaps.clear();
  return meant;
}

bool list_known(const Scene& scene, const Command& command) {
  const Detail& detail = scene.s.details[command.detail];
  return !command.buffer_shared && (detail.list_malformed || !detail.controllers.empty());
}

/// Whom the command concerns, as known when it was submitted.
void take_targets(const Scene& scene, Detail& detail) {
  if (detail.controllers.empty() && !detail.list_malformed) {  // the list was not seen: anybody
    for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers)
      detail.targets.push_back({other, 0, false});
    return;
  }
  for (std::size_t i = 0; i < detail.controllers.size(); ++i) {
    const Meant meant = meant_by(scene, detail.controllers[i]);
    const auto place = static_cast<std::uint16_t>(i);
    detail.unknown_identifier |= meant.nobody();
    if (meant.sure != 0xFFFF) detail.targets.push_back({meant.sure, place, true});
    for (const auto other : meant.perhaps) detail.targets.push_back({other, place, false});
  }
}

/// Does the command name a namespace and say what to do, so that it can have an effect?
bool effective(const Command& command) {
  return !select_reserved(command) && command.entry.nsid != 0 && command.entry.nsid != spec::kBroadcastNsid;
}

void check_private(const Scene& scene, const Namespace& ns, const Command& command) {
  if (ns.shared != 0 || !ns.exists.surely_since(true, command.submitted)) return;
  exercised(scene, Rule::ns03);
  std::size_t count = 0;
  std::string holders;
  for (const auto& attached : ns.attached) {
    if (!attached.fact.surely(true)) continue;
    ++count;
    holders += (holders.empty() ? "" : ", ") + name_of(scene, attached.controller);
  }
  if (count > 1) {
    violation(scene, Rule::ns03,
              fmt::format("{}: a private namespace on several controllers", text_of(scene, command)),
              "at most one controller", holders, {command.submitted});
  }
}

void check_limit(const Scene& scene, std::uint16_t controller, const Command& command) {
  const Controller& c = scene.s.controllers[controller];
  if (!c.announced.known || c.announced.maxcna == 0) return;
  exercised(scene, Rule::ns12);
  std::uint32_t count = 0;
  for (const auto index : scene.s.subsystems[c.subsystem].namespaces) {
    const Namespace& ns = scene.s.namespaces[index];
    if (ns.exists.surely(true) && attachment(ns, controller).surely(true)) ++count;
  }
  if (count > c.announced.maxcna) {
    violation(scene, Rule::ns12,
              fmt::format("{}: more namespaces on {} than it may have", text_of(scene, command),
                          name_of(scene, controller)),
              fmt::format("at most {}", c.announced.maxcna), fmt::format("{}", count), {command.submitted});
  }
}

/// Errors of one entry of the list: the entries before it are done, or none is. Other errors come before the
/// first.
bool is_of_entry(Status status) {
  switch (status) {
    case Status::namespace_already_attached:
    case Status::namespace_is_private:
    case Status::namespace_not_attached:
    case Status::attachment_limit_exceeded:
    case Status::ana_attach_failed:
    case Status::command_set_not_supported:
    case Status::command_set_not_enabled:
    case Status::controller_list_invalid:
    case Status::internal_error:
      return true;
    default:
      return false;
  }
}

/// The command may change attachments of its namespace from now on.
void begin_change(const Scene& scene, Command& command);

/// The namespace that a command means to change. One that nobody knows may be made by a create that is under
/// way: it is then like one that was deleted, whose identifier may be given again.
std::uint32_t namespace_to_change(const Scene& scene, std::uint32_t nsid);

}  // namespace

void begin_attachment(const Scene& scene, Command& command, std::span<const std::byte> data) {
  Detail& detail = edit_detail(scene, command);
  if (!data.empty()) {
    const auto count = read_as<std::uint16_t>(data);
    detail.list_malformed =
        count == 0 || count > spec::kControllerListEntries || data.size() < 2U + count * 2U;
    for (std::size_t i = 0; !detail.list_malformed && i < count; ++i) {
      const auto id = read_as<std::uint16_t>(data.subspan(2 + i * 2));
      if (i != 0 && id <= detail.controllers.back()) detail.list_malformed = true;
      detail.controllers.push_back(id);
    }
  }
  take_targets(scene, detail);
  if (effective(command)) command.ns = namespace_to_change(scene, command.entry.nsid);
  if (command.ns != kNone) begin_change(scene, command);
}

namespace {

void begin_change(const Scene& scene, Command& command) {
  const Detail& detail = scene.s.details[command.detail];
  if (!effective(command) || detail.list_malformed) return;
  command.incarnation = scene.s.namespaces[command.ns].incarnation;
  command.counted = true;
  Namespace& ns = scene.s.namespaces[command.ns];
  for (const Target& target : detail.targets) {
    edit_attachment(ns, target.controller).fact.begin(attaches(command));
    if (!has_cause(scene, target.controller, ns.nsid, command.submitted))
      begin_cause(scene, target.controller, ns.nsid, command.submitted, false);
    // A delete that is under way may take away what this brings.
    for (const Deleting& deleting : ns.deletes) {
      if (!attaches(command) || has_cause(scene, target.controller, ns.nsid, deleting.from)) continue;
      begin_cause(scene, target.controller, ns.nsid, deleting.from, deleting.controller == target.controller);
    }
  }
}

}  // namespace

void end_attachment(const Scene& scene, Command& command, End end, const Completion* completion) {
  if (!command.counted) {
    // It had to be refused; as it was not, what it did is not known. An entry of the list that was refused
    // comes behind others that were done.
    const bool in_part = completion != nullptr && is_of_entry(completion->status()) &&
                         scene.s.details[command.detail].controllers.size() > 1;
    if (effective(command) && (end != End::refused || in_part)) lose_subsystem(scene);
    return;
  }
  if (command.buffer_shared && end == End::applied) {
    // Whom its list named is not known.
    lose_subsystem(scene);
    end = End::dropped;
  }
  Namespace& ns = scene.s.namespaces[command.ns];
  const bool attach = attaches(command);
  const Detail& detail = scene.s.details[command.detail];
  const std::size_t last = detail.controllers.empty() ? 0 : detail.controllers.size() - 1;
  for (const Target& target : detail.targets) {
    Attachment& attached = edit_attachment(ns, target.controller);
    Fact& fact = attached.fact;
    const auto over = [&](Cause cause) {
      if (cause != Cause::none) {
        attached.changed = scene.now;
        attached.changed_by = scene.index;
      }
      end_cause(scene, target.controller, ns.nsid, command.submitted, cause, false);
    };
    // A delete that ended meanwhile leaves open which namespace of this number it was.
    const bool former = ns.died >= command.submitted;
    if (end == End::applied && target.sure && !former) {
      const bool flips =
          fact.flips(attach, command.submitted) && ns.exists.surely_since(true, command.submitted);
      fact.apply(attach, command.submitted, scene.now);
      over(flips ? Cause::sure : Cause::maybe);
      if (flips && !attach && scene.s.simulator)
        settle_writes(scene, target.controller, command.ns, command.submitted);
      if (attach) check_limit(scene, target.controller, command);
      continue;
    }
    // The failing entry is the last one at the latest, so what stands there did not change.
    const bool before_failing = list_known(scene, command) ? target.place < last : true;
    const bool untouched = end == End::refused && !(before_failing && is_of_entry(completion->status()));
    if (untouched) {
      fact.refuse(attach, scene.now);
      over(Cause::none);
    } else {
      fact.drop(attach, scene.now);
      over(Cause::maybe);
    }
  }
  if (end == End::applied && attach) check_private(scene, ns, command);
}

/// May a namespace be of a command set that a controller of the subsystem was not enabled for?
bool may_lack_command_set(const Scene& scene, const Namespace& ns) {
  for (const auto controller : scene.s.subsystems[ns.subsystem].controllers) {
    const Controller& there = scene.s.controllers[controller];
    const bool several = !cap_known(there) || (spec::cap::css.get(there.cap) & spec::kCapSeveralSets) != 0;
    if (several && (ns.zoned.announced || !ns.identified || there.cc_written)) return true;
  }
  return false;
}

void allow_attachment(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  exercised(scene, Rule::ns11);
  if (!announced.known || (announced.cmic & spec::cmic::ana) != 0) allowed.may(Status::ana_attach_failed);
  if (!announced.known || (announced.oncs & spec::oncs::reservations) != 0)
    allowed.may(Status::reservation_conflict);
  if (!command.ranges_known) allowed.may({Status::prp_offset_invalid, Status::invalid_field});
  if (select_reserved(command)) allowed.must(Rule::ns11, {Status::invalid_field});
  if (entry.nsid == spec::kBroadcastNsid) {
    allowed.must(Rule::ns11, {Status::invalid_field});
    return;
  }
  if (entry.nsid == 0 || (announced.known && entry.nsid > announced.nn)) {
    allowed.must(Rule::ns11, {Status::invalid_namespace_or_format});
    return;
  }
  if (!announced.known) allowed.may(Status::invalid_namespace_or_format);
  const auto& subsystem = scene.s.subsystems[c.subsystem];
  const bool maybe_created = subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
  if (command.ns == kNone) {
    if (maybe_created) {
      allowed.may({Status::invalid_field, Status::controller_list_invalid, Status::namespace_already_attached,
                   Status::namespace_not_attached, Status::namespace_is_private});
    } else {
      allowed.must(Rule::ns11, {Status::invalid_field});
    }
    return;
  }
  const Namespace& ns = scene.s.namespaces[command.ns];
  if (may_be_heir(ns, command.submitted) && !select_reserved(command)) {
    // Of the one that came since, neither what it is nor where it is attached is known.
    allowed.may({Status::invalid_field, Status::controller_list_invalid, Status::namespace_already_attached,
                 Status::namespace_not_attached, Status::namespace_is_private,
                 Status::attachment_limit_exceeded});
    if (may_lack_command_set(scene, ns))
      allowed.may({Status::command_set_not_enabled, Status::command_set_not_supported});
    return;
  }
  if (attaches(command) && may_lack_command_set(scene, ns))
    allowed.may({Status::command_set_not_enabled, Status::command_set_not_supported});
  if (!ns.exists.possible_since(true, command.submitted)) {
    allowed.must(Rule::ns11, {Status::invalid_field});
  } else if (ns.exists.possible_since(false, command.submitted)) {
    allowed.may(Status::invalid_field);
  }
  if (select_reserved(command)) return;
  const Status wrong =
      attaches(command) ? Status::namespace_already_attached : Status::namespace_not_attached;
  const Detail& detail = scene.s.details[command.detail];
  if (!list_known(scene, command)) {
    allowed.may({wrong, Status::controller_list_invalid, Status::attachment_limit_exceeded});
    if (attaches(command)) allowed.may(Status::namespace_is_private);
    return;
  }
  if (detail.list_malformed || detail.unknown_identifier) {
    allowed.must(Rule::ns11, {Status::controller_list_invalid});
    if (detail.list_malformed) return;
  }
  for (const Target& target : detail.targets) {
    const auto& there = scene.s.controllers[target.controller].announced;
    if (there.cntrltype == 2 || there.cntrltype == 3)
      allowed.must(Rule::ns11, {Status::controller_list_invalid});
    if (!target.sure) allowed.may(Status::controller_list_invalid);
    // The fact without this command's own change.
    Fact fact = attachment(ns, target.controller);
    if (command.counted) fact.refuse(attaches(command), scene.now);
    if (target.sure && fact.surely_since(attaches(command), command.submitted) &&
        ns.exists.surely_since(true, command.submitted)) {
      allowed.must(Rule::ns11, {wrong});
    } else if (fact.possible_since(attaches(command), command.submitted)) {
      allowed.may(wrong);
    }
    if (attaches(command) && (!there.known || there.maxcna != 0 || there.maxdna != 0)) {
      allowed.may(Status::attachment_limit_exceeded);
    }
  }
  if (!attaches(command)) return;
  // What has the NSID by now may be another one.
  if (ns.exists.possible_since(false, command.submitted)) allowed.may(Status::namespace_is_private);
  if (ns.shared == 1) return;
  // Private: on one controller at a time.
  const std::size_t listed = detail.controllers.size();
  bool elsewhere_surely = listed > 1, elsewhere_maybe = listed > 1;
  for (const auto controller : subsystem.controllers) {
    const auto named = std::find_if(detail.targets.begin(), detail.targets.end(),
                                    [&](const Target& target) { return target.controller == controller; });
    if (named != detail.targets.end() && named->sure) continue;
    Fact fact = attachment(ns, controller);
    if (named != detail.targets.end() && command.counted) fact.refuse(true, scene.now);
    elsewhere_maybe |= fact.possible_since(true, command.submitted);
    elsewhere_surely |= named == detail.targets.end() && fact.surely_since(true, command.submitted);
  }
  if (ns.shared == 0 && elsewhere_surely && ns.exists.surely_since(true, command.submitted)) {
    allowed.must(Rule::ns11, {Status::namespace_is_private});
  } else if (elsewhere_maybe) {
    allowed.may(Status::namespace_is_private);
  }
}

namespace {

/// A create that is under way may give the NSID of a namespace that is deleted meanwhile.
void let_creates_reuse(const Scene& scene, std::uint32_t index) {
  const Subsystem& subsystem = scene.s.subsystems[scene.c().subsystem];
  if (subsystem.creates_open == 0) return;
  for (const auto other : subsystem.controllers) {
    for (const Command& command : scene.s.controllers[other].commands) {
      const bool create = command.open && command.sqid == 0 && command.counted && attaches(command) &&
                          command.entry.opcode == opcode::ns_management;
      if (!create) continue;
      auto& heirs = scene.s.details[command.detail].heirs;
      if (std::find(heirs.begin(), heirs.end(), index) != heirs.end()) continue;
      scene.s.namespaces[index].exists.begin(true);
      heirs.push_back(index);
    }
  }
}

/// `controller` sent a delete that may take the namespace away.
void begin_delete(const Scene& scene, std::uint16_t sender, Seq from, std::uint32_t index) {
  Namespace& ns = scene.s.namespaces[index];
  let_creates_reuse(scene, index);
  ns.exists.begin(false);
  ns.deletes.push_back({from, sender});
  for (const auto controller : scene.s.subsystems[scene.c().subsystem].controllers) {
    const bool concerned = attachment(ns, controller).possible(true);
    if (concerned) begin_cause(scene, controller, ns.nsid, from, controller == sender);
  }
}

void begin_delete(const Scene& scene, Command& command) {
  command.counted = true;
  command.incarnation = scene.s.namespaces[command.ns].incarnation;
  begin_delete(scene, scene.index, command.submitted, command.ns);
}

/// Deletes of all namespaces that are under way take this one away as well.
void meet_deletes_of_all(const Scene& scene, std::uint32_t index) {
  const Subsystem& subsystem = scene.s.subsystems[scene.c().subsystem];
  if (subsystem.deletes_all == 0) return;
  for (const auto other : subsystem.controllers) {
    for (const Command& command : scene.s.controllers[other].commands) {
      const bool all = command.open && command.sqid == 0 && command.counted && !attaches(command) &&
                       command.entry.opcode == opcode::ns_management &&
                       command.entry.nsid == spec::kBroadcastNsid;
      if (all) begin_delete(scene, other, command.submitted, index);
    }
  }
}

}  // namespace

void meet_open_commands(const Scene& scene, std::uint32_t index) {
  let_creates_reuse(scene, index);
  meet_deletes_of_all(scene, index);
}

namespace {

std::uint32_t namespace_to_change(const Scene& scene, std::uint32_t nsid) {
  const std::uint32_t known = resolve_namespace(scene, nsid);
  const auto& announced = scene.c().announced;
  const bool creates = scene.s.subsystems[scene.c().subsystem].creates_open != 0;
  if (known != kNone || !creates || (announced.known && nsid > announced.nn)) return known;
  return expect_namespace(scene, nsid);
}

}  // namespace

void bind_open_commands(const Scene& scene) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    Scene there{scene.trace, scene.s, scene.options, scene.event, scene.now, scene.time, other, scene.at_end};
    for (Command& command : there.c().commands) {
      if (!command.open || command.sqid != 0 || command.ns != kNone || command.counted) continue;
      const bool change = command.entry.opcode == opcode::ns_attachment && command.detail != kNone;
      const bool removal = command.entry.opcode == opcode::ns_management && !attaches(command);
      if ((!change && !removal) || !effective(command)) continue;
      command.ns = namespace_to_change(there, command.entry.nsid);
      if (command.ns == kNone) continue;
      if (change) {
        begin_change(there, command);
      } else {
        begin_delete(there, command);
      }
    }
  }
}

void begin_management(const Scene& scene, Command& command, std::span<const std::byte> data) {
  auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  if (select_reserved(command)) return;
  if (attaches(command)) {  // SEL 0: create
    command.counted = true;
    ++subsystem.creates_open;
    Detail& detail = edit_detail(scene, command);
    for (const auto index : subsystem.namespaces) {
      Fact& exists = scene.s.namespaces[index].exists;
      if (!exists.possible(false)) continue;
      exists.begin(true);
      detail.heirs.push_back(index);
    }
    if (data.size() >= 64) {
      detail.nsze = read_as<std::uint64_t>(data);
      detail.ncap = read_as<std::uint64_t>(data.subspan(8));
      detail.flbas = read_as<std::uint8_t>(data.subspan(26));
      detail.nmic = read_as<std::uint8_t>(data.subspan(30));
      detail.list_malformed = false;
    } else {
      detail.list_malformed = true;  // the data were not seen
    }
    bind_open_commands(scene);  // what came before a create may be executed after it
    return;
  }
  if (command.entry.nsid == spec::kBroadcastNsid) {
    command.counted = true;
    ++subsystem.deletes_all;
    for (const auto index : subsystem.namespaces) begin_delete(scene, scene.index, command.submitted, index);
    return;
  }
  if (effective(command)) command.ns = namespace_to_change(scene, command.entry.nsid);
  if (command.ns != kNone) begin_delete(scene, command);
}

namespace {

void end_delete(const Scene& scene, const Command& command, std::uint32_t index, End end) {
  Namespace& ns = scene.s.namespaces[index];
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  const bool existed = ns.exists.flips(false, command.submitted);
  std::erase_if(ns.deletes, [&](const Deleting& deleting) { return deleting.from == command.submitted; });
  if (end == End::applied) ns.exists.apply(false, command.submitted, scene.now);
  if (end == End::refused) ns.exists.refuse(false, scene.now);
  if (end == End::dropped) ns.exists.drop(false, scene.now);
  if (end == End::applied) ns.died = scene.now;
  for (const auto controller : subsystem.controllers) {
    if (!has_cause(scene, controller, ns.nsid, command.submitted)) continue;
    const Fact& fact = attachment(ns, controller);
    const bool sure = end == End::applied && existed && fact.surely_since(true, command.submitted);
    const Cause cause = end == End::refused ? Cause::none : sure ? Cause::sure : Cause::maybe;
    end_cause(scene, controller, ns.nsid, command.submitted, cause, controller == scene.index);
  }
  if (end == End::refused) return;
  for (auto& attached : ns.attached) {
    attached.changed = scene.now;
    attached.changed_by = scene.index;
  }
}

void end_create(const Scene& scene, Command& command, End end, const Completion* completion) {
  auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  --subsystem.creates_open;
  const bool dropped = end == End::dropped || completion == nullptr;
  for (const auto index : scene.s.details[command.detail].heirs) {
    Fact& exists = scene.s.namespaces[index].exists;
    if (dropped) {
      exists.drop(true, scene.now);
      lose_namespace(scene.s.namespaces[index]);  // the one of before, or its heir
      scene.s.namespaces[index].doubtful_write = scene.now;
    }
    if (!dropped) exists.refuse(true, scene.now);  // the one that it made is settled below
  }
  command.counted = false;  // it gives no identifier any more
  if (end == End::refused) return;
  subsystem.create_until = scene.now;
  if (dropped) {
    subsystem.complete = false;  // a namespace of unknown number may exist now
    subsystem.create_dropped = scene.now;
    bind_open_commands(scene);
    return;
  }
  const std::uint32_t nsid = completion->entry.dw0;
  exercised(scene, Rule::ns13);
  if (nsid == 0 || nsid == spec::kBroadcastNsid ||
      (scene.c().announced.known && nsid > scene.c().announced.nn)) {
    violation(scene, Rule::ns13,
              fmt::format("{}: created a namespace of an invalid identifier", text_of(scene, command)),
              fmt::format("1 to {}", scene.c().announced.nn), fmt::format("{}", nsid), {command.submitted});
    return;
  }
  const std::uint32_t before = find_namespace(scene.s, scene.c().subsystem, nsid);
  if (before != kNone && scene.s.namespaces[before].exists.surely_since(true, command.submitted)) {
    violation(scene, Rule::ns13,
              fmt::format("{}: gave an identifier that is in use", text_of(scene, command)),
              "an identifier that no namespace has", fmt::format("{}", nsid), {command.submitted});
  } else if (before != kNone && scene.s.namespaces[before].exists.surely(true) &&
             scene.s.namespaces[before].born >= command.submitted &&
             scene.s.namespaces[before].exists.last_change(false) < command.submitted &&
             subsystem.all_deleted_until < command.submitted) {
    exercised(scene, Rule::ns22);
    violation(scene, Rule::ns22,
              fmt::format("{}: two commands got the same new namespace", text_of(scene, command)),
              "an identifier of its own", fmt::format("{}", nsid),
              {command.submitted, scene.s.namespaces[before].born});
  }
  if (subsystem.creates_open != 0) exercised(scene, Rule::ns22);
  const Detail& detail = scene.s.details[command.detail];
  // Another create gave the identifier in this window, or may have: which of the namespaces is left is not
  // known.
  const bool contested = (before != kNone && scene.s.namespaces[before].born >= command.submitted) ||
                         subsystem.create_dropped >= command.submitted;
  const bool data_seen = !detail.list_malformed && !command.buffer_shared && !contested;
  const std::uint64_t nsze = detail.nsze;
  const std::uint8_t shared = !data_seen ? 2 : (detail.nmic & spec::nmic::shared) != 0 ? 1 : 0;
  const std::uint32_t index = create_namespace(scene, nsid, command.submitted);
  Namespace& ns = scene.s.namespaces[index];
  // It may have been formatted before the create had ended.
  const bool formatted = ns.formats_open != 0 || subsystem.formatted_until >= command.submitted;
  ns.blocks = data_seen && !formatted ? nsze : 0;
  ns.shared = shared;
  if (subsystem.all_deleted_until >= command.submitted) ns.exists.forget();
  if (before == kNone) meet_deletes_of_all(scene, index);
}

}  // namespace

void end_management(const Scene& scene, Command& command, End end, const Completion* completion) {
  if (!command.counted) {
    const bool removed = end != End::refused && effective(command);
    if (removed) lose_subsystem(scene);  // of a namespace that there was not
    return;
  }
  if (attaches(command)) {
    end_create(scene, command, end, completion);
  } else if (command.entry.nsid == spec::kBroadcastNsid) {
    Subsystem& subsystem = scene.s.subsystems[scene.c().subsystem];
    --subsystem.deletes_all;
    if (end != End::refused) subsystem.all_deleted_until = scene.now;
    for (const auto index : subsystem.namespaces) {
      const auto& deletes = scene.s.namespaces[index].deletes;
      const bool met = std::any_of(deletes.begin(), deletes.end(), [&](const Deleting& deleting) {
        return deleting.from == command.submitted;
      });
      if (met) end_delete(scene, command, index, end);
    }
  } else {
    end_delete(scene, command, command.ns, end);
  }
}

void allow_management(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& subsystem = scene.s.subsystems[c.subsystem];
  const std::uint32_t nsid = command.entry.nsid;
  if (select_reserved(command)) {
    allowed.must(Rule::q33, {Status::invalid_field, Status::invalid_namespace_or_format});
    return;
  }
  allowed.may(Status::reservation_conflict);
  if (attaches(command)) {
    // What a subsystem can make of the asked-for size and format is its own affair.
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format, Status::invalid_format,
                 Status::namespace_insufficient_capacity, Status::namespace_id_unavailable,
                 Status::thin_provisioning_not_supported, Status::ana_group_id_invalid,
                 Status::command_set_not_supported});
    return;
  }
  if (nsid == spec::kBroadcastNsid) return allow_change(scene, command, kNone, allowed);
  allow_change(scene, command, command.ns, allowed);
  const bool maybe_created =
      !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
  if (nsid == 0 || (announced.known && nsid > announced.nn)) {
    allowed.must(Rule::q33, {Status::invalid_namespace_or_format, Status::invalid_field});
  } else if (command.ns == kNone && !maybe_created) {
    allowed.must(Rule::ns14, {Status::invalid_field, Status::invalid_namespace_or_format});
  } else if (command.ns != kNone) {
    Fact exists = scene.s.namespaces[command.ns].exists;
    if (command.counted) exists.refuse(false, scene.now);
    if (!exists.possible_since(true, command.submitted)) {
      allowed.must(Rule::ns14, {Status::invalid_field, Status::invalid_namespace_or_format});
    } else if (exists.possible_since(false, command.submitted)) {
      allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
    }
  } else {
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  }
}

}  // namespace polypath::model
