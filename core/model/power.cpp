#include "model/power.h"

#include "model/namespaces.h"
#include "model/write_protection.h"
#include "model/zones.h"
#include "spec/identify.h"

namespace polypath::model {
namespace {

constexpr std::uint32_t kUnitAccess = 1U << 30U;  // FUA, CDW12

/// What of a namespace was written through this controller before this moment is durable.
Seq flushed(const Namespace& ns, std::uint16_t controller) {
  for (const Attachment& attached : ns.attached) {
    if (attached.controller == controller) return attached.flushed;
  }
  return 0;
}

bool by_flush(const Namespace& ns, const Version& version) {
  return version.settled < std::max(flushed(ns, version.controller), ns.protection.committed);
}
bool by_shutdown(const State& s, const Version& version) {
  return version.controller < s.controllers.size() &&
         version.settled < s.controllers[version.controller].written_out;
}

}  // namespace

bool writes_through(const Scene& scene, const Command& command) {
  const auto& announced = scene.c().announced;
  if (announced.known && (announced.vwc & 1U) == 0) return true;
  // Write Uncorrectable and Dataset Management have no such bit.
  const bool has_bit = command.entry.opcode == 0x01 || command.entry.opcode == 0x08 ||
                       command.entry.opcode == 0x19 || command.entry.opcode == kZoneAppend;
  return has_bit && (command.entry.cdw12 & kUnitAccess) != 0;
}

void finish_flush(const Scene& scene, const Command& command) {
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  for (const std::uint32_t index : subsystem.namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    if (command.entry.nsid == spec::kBroadcastNsid) {
      if (may_be_inactive(ns, scene.index, command.submitted)) continue;
    } else if (ns.nsid != command.entry.nsid || may_be_another(ns, command.submitted)) {
      continue;
    }
    edit_attachment(ns, scene.index).flushed = command.submitted;
  }
}

void lose_power(const Scene& scene) {
  State& s = scene.s;
  close_all_zones(scene, true);
  for (const std::uint32_t index : s.subsystems[scene.c().subsystem].namespaces) {
    Namespace& ns = s.namespaces[index];
    ns.power_lost = scene.now;
    protection_after_power_loss(scene, ns);
    if (!ns.tracked) zones_after_power_loss(scene, ns);
    if (!ns.tracked) continue;
    bool unit = false, flush = false, shutdown = false;
    ns.content.lose_power(
        [&](const Version& version) {
          const bool a = version.durable, b = by_flush(ns, version), c = by_shutdown(s, version);
          unit |= a;
          flush |= b;
          shutdown |= c;
          return a || b || c;
        },
        scene.now, ns.readers.quiet());
    zones_after_power_loss(scene, ns);
    if (unit) exercised(scene, Rule::d09);
    if (flush) exercised(scene, Rule::d08);
    if (shutdown) exercised(scene, Rule::r14);
  }
}

Rule rule_of_loss(const Scene& scene, const Namespace& ns, const Version& version) {
  if (version.durable) return Rule::d09;
  return !by_flush(ns, version) && by_shutdown(scene.s, version) ? Rule::r14 : Rule::d08;
}

}  // namespace polypath::model
