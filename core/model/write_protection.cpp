#include "model/write_protection.h"

#include <fmt/format.h>

#include "model/attachment.h"
#include "model/events.h"
#include "model/namespaces.h"
#include "model/zones.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

namespace state = spec::protection;
using spec::FeatureSelect;
using spec::Status;

std::uint32_t wanted(const Command& command) { return command.entry.cdw11 & 7U; }
bool protects(const Command& command) { return wanted(command) != state::none; }

/// Is it about namespaces that its NSID does not tell?
bool wide(const Command& command) { return command.ns == kNone || command.no_tail; }

Subsystem& subsystem_of(const Scene& scene) { return scene.s.subsystems[scene.c().subsystem]; }

/// Set Features of other targets may have met this namespace.
bool doubtful(const Scene& scene, const Namespace& ns, Seq since) {
  const Subsystem& subsystem = scene.s.subsystems[ns.subsystem];
  return subsystem.protections_open != 0 || subsystem.protections_until >= since ||
         ns.protection.former != 0 || ns.protection.lost >= since;
}

bool surely(const Scene& scene, const Namespace& ns, bool on, Seq since) {
  return !doubtful(scene, ns, since) && ns.protection.on.surely_since(on, since);
}

bool quiet(const Scene& scene, const Namespace& ns, Seq since) {
  return !doubtful(scene, ns, since) && ns.protection.on.quiet_since(since) && !may_be_another(ns, since);
}

void forget(Protection& protection, Seq now) {
  protection.on.forget();
  protection.value_known = false;
  protection.touched = protection.lost = now;
}

/// Zones that are active become full at a moment that nobody sees.
void doubt_zones(const Command& command, Namespace& ns) {
  if (protects(command)) lose_zones(ns);
}

}  // namespace

void begin_protection(const Scene& scene, Command& command) {
  Subsystem& subsystem = subsystem_of(scene);
  command.ns = resolve_namespace(scene, command.entry.nsid);
  if (wide(command)) {
    ++subsystem.protections_open;
    for (const auto index : subsystem.namespaces) doubt_zones(command, scene.s.namespaces[index]);
  } else {
    Namespace& ns = scene.s.namespaces[command.ns];
    command.incarnation = ns.incarnation;
    ++ns.protection.open;
    ns.protection.on.begin(protects(command));
    doubt_zones(command, ns);
  }
  for (const auto index : subsystem.namespaces) {
    if (!wide(command) && index != command.ns) continue;
    // NSATTR is Identify data: controllers that have the namespace attached tell of it.
    for (const auto controller : subsystem.controllers)
      begin_cause(scene, controller, scene.s.namespaces[index].nsid, command.submitted, false);
  }
}

void end_protection(const Scene& scene, const Command& command, End end) {
  Subsystem& subsystem = subsystem_of(scene);
  const auto tell = [&](const Namespace& ns, bool changed) {
    for (const auto controller : subsystem.controllers) {
      if (!has_cause(scene, controller, ns.nsid, command.submitted)) continue;
      const Fact& here = attachment(ns, controller);
      const bool told = changed && controller != scene.index && here.surely_since(true, command.submitted);
      const bool maybe = end != End::refused && here.possible_since(true, command.submitted);
      end_cause(scene, controller, ns.nsid, command.submitted,
                told    ? Cause::sure
                : maybe ? Cause::maybe
                        : Cause::none,
                false);
    }
  };
  if (wide(command)) {
    --subsystem.protections_open;
    if (end != End::refused) subsystem.protections_until = scene.now;
    for (const auto index : subsystem.namespaces) {
      Namespace& ns = scene.s.namespaces[index];
      tell(ns, false);
      if (end == End::refused) continue;
      forget(ns.protection, scene.now);
      doubt_zones(command, ns);
    }
    return;
  }
  Namespace& ns = scene.s.namespaces[command.ns];
  Protection& protection = ns.protection;
  if (ns.incarnation != command.incarnation || may_be_another(ns, command.submitted)) {
    --protection.open;
    if (ns.incarnation == command.incarnation) {
      protection.on.drop(protects(command), scene.now);
    } else {
      --protection.former;
    }
    if (end != End::refused) forget(protection, scene.now);
    tell(ns, false);
    return;
  }
  const bool alone = protection.open == 1 && protection.touched <= command.submitted &&
                     !doubtful(scene, ns, command.submitted);
  const bool flips =
      end == End::applied && alone && protection.on.flips(protects(command), command.submitted);
  --protection.open;
  switch (end) {
    case End::applied:
      protection.on.apply(protects(command), command.submitted, scene.now);
      protection.value_known = alone;
      protection.value = static_cast<std::uint8_t>(wanted(command));
      // "Entering a protected state first commits cached data."
      if (protects(command)) protection.committed = command.submitted;
      break;
    case End::refused:
      protection.on.refuse(protects(command), scene.now);
      break;
    case End::dropped:
      protection.on.drop(protects(command), scene.now);
      protection.value_known = false;
      break;
  }
  if (end != End::refused) {
    // Set Features of all namespaces beside it may have come last.
    protection.touched = scene.now;
    if (doubtful(scene, ns, command.submitted)) forget(protection, scene.now);
    doubt_zones(command, ns);
  }
  tell(ns, flips);
}

void observe_protection(const Scene& scene, const Command& command, Namespace& ns, bool on) {
  exercised(scene, Rule::d15);
  if (surely(scene, ns, !on, command.submitted)) {
    violation(scene, Rule::d15,
              fmt::format("{}: namespace {} shown as {}", text_of(scene, command), ns.nsid,
                          on ? "write protected" : "not write protected"),
              on ? "not write protected" : "write protected", on ? "write protected" : "not write protected",
              {ns.protection.touched, command.submitted});
    return;
  }
  if (quiet(scene, ns, command.submitted)) ns.protection.on.decide(on, scene.now);
}

void check_protection(const Scene& scene, const Command& command, std::uint32_t dw0) {
  const auto select = static_cast<FeatureSelect>(command.entry.cdw10 >> 8U & 7U);
  if (select == FeatureSelect::capabilities) {
    exercised(scene, Rule::ft03);
    if ((dw0 & 3U) != 2)
      violation(scene, Rule::ft03, fmt::format("{}: other capabilities", text_of(scene, command)),
                "namespace specific, not saveable", fmt::format("capabilities {:#x}", dw0 & 7U),
                {command.submitted});
    return;
  }
  const std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, command.entry.nsid);
  if (select != FeatureSelect::current || index == kNone) return;
  Namespace& ns = scene.s.namespaces[index];
  if (may_be_another(ns, command.submitted)) return;
  const auto value = static_cast<std::uint8_t>(dw0 & 7U);
  const bool settled = quiet(scene, ns, command.submitted) && ns.protection.touched <= command.submitted;
  if (settled && ns.protection.value_known && ns.protection.value != value) {
    exercised(scene, Rule::d15);
    violation(scene, Rule::d15,
              fmt::format("{}: another write protection than the one in force", text_of(scene, command)),
              fmt::format("{}", ns.protection.value), fmt::format("{}", value),
              {ns.protection.touched, command.submitted});
    return;
  }
  observe_protection(scene, command, ns, value != state::none);
  if (!settled) return;
  ns.protection.value_known = true;
  ns.protection.value = value;
}

void allow_protection(const Scene& scene, const Command& command, bool set, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  const bool there = !announced.known || (announced.nwpc & state::announced) != 0;
  if (!there) allowed.must(Rule::q33, {Status::invalid_field});
  if (!announced.known) allowed.may(Status::invalid_field);
  if (!set) {
    const auto select = static_cast<FeatureSelect>(command.entry.cdw10 >> 8U & 7U);
    // It has no default, and nothing of it is saved.
    if (select != FeatureSelect::current && select != FeatureSelect::capabilities)
      allowed.may(Status::invalid_field);
    return;
  }
  if (wanted(command) >= state::states) allowed.must(Rule::q33, {Status::invalid_field});
  // Hosts that are allowed to, and platforms that forbid what lasts.
  if (wanted(command) >= state::until_power_cycle) allowed.may(Status::feature_not_changeable);
  const auto missing = [&](std::uint32_t value, std::uint8_t bit) {
    return wanted(command) == value && announced.known && (announced.nwpc & bit) == 0;
  };
  if (missing(state::until_power_cycle, state::can_until_power_cycle) ||
      missing(state::permanent, state::can_permanent))
    allowed.must(Rule::q33, {Status::feature_not_changeable, Status::invalid_field});
  if (wide(command)) {
    allowed.may(Status::feature_not_changeable);
    return;
  }
  const Namespace& ns = scene.s.namespaces[command.ns];
  const Protection& p = ns.protection;
  const bool same = !doubtful(scene, ns, command.submitted) && !may_be_another(ns, command.submitted);
  const bool known = same && p.value_known && p.open <= 1 && p.touched <= command.submitted;
  if (known) {
    const bool leaves = p.value >= state::until_power_cycle && p.value != wanted(command);
    if (leaves) allowed.must(Rule::d15, {Status::feature_not_changeable});
  } else if (!same || p.on.possible_since(true, command.submitted)) {
    allowed.may(Status::feature_not_changeable);
  }
}

void allow_change(const Scene& scene, const Command& command, std::uint32_t index, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  if (announced.known && (announced.nwpc & state::announced) == 0) return;
  if (index == kNone || may_be_another(scene.s.namespaces[index], command.submitted)) {
    allowed.may(Status::namespace_write_protected);
    return;
  }
  const Namespace& ns = scene.s.namespaces[index];
  if (surely(scene, ns, false, command.submitted)) return;
  if (!surely(scene, ns, true, command.submitted)) {
    allowed.may(Status::namespace_write_protected);
    return;
  }
  exercised(scene, Rule::d15);
  allowed.must(Rule::d15, {Status::namespace_write_protected});
  allowed.because(ns.protection.touched);
}

void allow_change_of_any(const Scene& scene, const Command& command, Allowed& allowed) {
  const Subsystem& subsystem = subsystem_of(scene);
  if (subsystem.creates_open != 0 || subsystem.create_until >= command.submitted || !subsystem.complete)
    return allow_change(scene, command, kNone, allowed);
  for (const auto index : subsystem.namespaces) {
    const Fact& exists = scene.s.namespaces[index].exists;
    if (!exists.possible_since(true, command.submitted)) continue;
    if (exists.surely_since(true, command.submitted)) {
      allow_change(scene, command, index, allowed);
    } else if (!surely(scene, scene.s.namespaces[index], false, command.submitted)) {
      allow_change(scene, command, kNone, allowed);
    }
  }
}

void protection_after_power_loss(const Scene& scene, Namespace& ns) {
  Protection& protection = ns.protection;
  if (protection.on.surely(false)) return;
  if (!protection.value_known || protection.open != 0 || subsystem_of(scene).protections_open != 0) {
    forget(protection, scene.now);
    return;
  }
  if (protection.value != state::until_power_cycle) return;
  protection.value = state::none;
  protection.on.decide(false, scene.now);
  protection.touched = scene.now;
}

}  // namespace polypath::model
