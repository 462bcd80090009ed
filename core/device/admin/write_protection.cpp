// Namespace Write Protection Config. Base specification, "Namespace Write Protection"; sheet 04, section 3,
// and sheet 05, section 7. The state belongs to the namespace: what one controller sets holds on all of them.
#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device {
namespace {

using spec::Status;

/// I/O commands that would change the namespace, Dataset Management with any attribute among them.
bool writes(std::uint8_t opcode) {
  switch (opcode) {
    case 0x01:  // Write
    case 0x04:  // Write Uncorrectable
    case 0x08:  // Write Zeroes
    case 0x09:  // Dataset Management
    case 0x19:  // Copy
    case 0x79:  // Zone Management Send
    case 0x7D:  // Zone Append
      return true;
    default:
      return false;
  }
}

}  // namespace

bool write_protected(const Act& act, std::uint32_t ns_index, std::uint32_t controller) {
  const Namespace& ns = act.device.namespaces[ns_index];
  if (ns.write_protect == spec::protection::none) return false;
  return ns.protector == controller || !act.broken_by(Fault::protection_of_one_path);
}

bool protection_refuses(const Act& act, Handle command, std::uint16_t qid) {
  const Command& row = *act.device.commands.get(command);
  if (qid == 0 || !writes(row.entry.opcode) || row.orphaned) return false;
  const std::int64_t ns = attached(act.controller(row.controller), row.entry.nsid);
  if (ns < 0 || !write_protected(act, static_cast<std::uint32_t>(ns), row.controller)) return false;
  return row.entry.opcode != 0x08 || !act.broken_by(Fault::protection_misses_zeroes);
}

Outcome set_write_protection(Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry) {
  namespace protection = spec::protection;
  const std::uint8_t wanted = entry.cdw11 & 7U, can = act.profile().controller.nwpc;
  if (wanted >= protection::states) return Status::invalid_field;
  const bool forbidden =
      (wanted == protection::until_power_cycle && (can & protection::can_until_power_cycle) == 0) ||
      (wanted == protection::permanent && (can & protection::can_permanent) == 0);
  if (forbidden) return Status::feature_not_changeable;

  std::vector<std::uint32_t> targets;
  switch (classify(act, controller, entry.nsid)) {
    case NsidClass::broadcast:
      for (const Active& active : act.controller(controller).active) targets.push_back(active.ns);
      break;
    case NsidClass::active:
      targets.push_back(static_cast<std::uint32_t>(attached(act.controller(controller), entry.nsid)));
      break;
    case NsidClass::invalid:
      return Status::invalid_namespace_or_format;
    default:
      return Status::invalid_field;
  }
  for (const std::uint32_t index : targets) {
    const std::uint8_t now = act.device.namespaces[index].write_protect;
    if (now >= protection::until_power_cycle && now != wanted) return Status::feature_not_changeable;
  }
  for (const std::uint32_t index : targets) {
    Namespace& ns = act.device.namespaces[index];
    const bool was = ns.write_protect != protection::none, will = wanted != protection::none;
    ns.write_protect = wanted;
    ns.protector = static_cast<std::uint16_t>(controller);
    if (was == will) continue;
    if (will) {
      act.device.media[ns.media].flush();  // what was written before is kept, whatever becomes of the power
      fill_zones(ns);
    }
    // Its Identify data changed: sheet 06, section 2. The controller that was asked knows.
    for (const std::uint16_t peer : ns.controllers) {
      if (peer == controller || act.broken_by(Fault::protection_event_missing)) continue;
      namespace_changed(act, peer, ns.nsid);
    }
  }
  return Status::success;
}

}  // namespace polypath::device
