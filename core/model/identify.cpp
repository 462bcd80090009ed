#include "model/identify.h"

#include "model/namespaces.h"
#include "model/protection.h"
#include "model/zones.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

using spec::Cns;
using spec::Status;

Cns cns_of(const Command& command) { return static_cast<Cns>(command.entry.cdw10 & 0xFFU); }
std::uint32_t csi_of(const Command& command) { return command.entry.cdw11 >> 24U; }

/// Structures that some version of the standard defines: an optional one may be there.
bool defined(unsigned cns) { return cns <= 0x0A || (cns >= 0x10 && cns <= 0x20); }

/// NSID classes of the commands that name one namespace.
void allow_nsid(const Scene& scene, const Command& command, Allowed& allowed, bool broadcast_may) {
  const auto& announced = scene.c().announced;
  const std::uint32_t nsid = command.entry.nsid;
  if (nsid == spec::kBroadcastNsid) {
    if (broadcast_may) {
      const bool management = (announced.oacs & spec::oacs::ns_management) != 0;
      if (!announced.known || !management)
        allowed.may({Status::invalid_namespace_or_format, Status::invalid_field});
      if (announced.known && !management) allowed.must(Rule::q33, {Status::invalid_namespace_or_format});
    } else {
      allowed.must(Rule::q33, {Status::invalid_namespace_or_format, Status::invalid_field});
    }
  } else if (nsid == 0 || (announced.known && nsid > announced.nn)) {
    allowed.must(Rule::q33, {Status::invalid_namespace_or_format});
  } else if (!announced.known) {
    allowed.may(Status::invalid_namespace_or_format);
  }
}

/// NSID of a structure that is not about a namespace.
void allow_unused_nsid(const Command& command, Allowed& allowed) {
  if (command.entry.nsid != 0) allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
}

/// Where a controller has several command sets, a list by command set need not be of all namespaces.
bool lists_by_set(const Scene& scene) {
  return (spec::cap::css.get(scene.c().cap) & spec::kCapSeveralSets) != 0;
}

/// A list that begins after an NSID.
void allow_list_start(const Command& command, Allowed& allowed) {
  if (command.entry.nsid >= 0xFFFFFFFE)
    allowed.must(Rule::q33, {Status::invalid_namespace_or_format, Status::invalid_field});
}

}  // namespace

void check_identify(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  if (data.size() < spec::kIdentifyBytes) return;
  switch (cns_of(command)) {
    case Cns::controller:
      check_controller(scene, command, data);
      break;
    case Cns::ns:
      check_namespace(scene, command, data, false);
      break;
    case Cns::allocated_ns:
      check_namespace(scene, command, data, true);
      break;
    case Cns::active_list:
      check_active_list(scene, command, data);
      break;
    case Cns::csi_active_list:
      if (csi_of(command) == 0 && !lists_by_set(scene)) check_active_list(scene, command, data);
      break;
    case Cns::csi_allocated_list:
      if (csi_of(command) == 0 && !lists_by_set(scene)) check_allocated_list(scene, command, data);
      break;
    case Cns::csi_ns:
      if (csi_of(command) == spec::kCsiZoned) check_zoned_namespace(scene, command, data);
      if (csi_of(command) == spec::kCsiNvm) check_nvm_namespace(scene, command, data);
      break;
    case Cns::csi_allocated_ns:
      if (csi_of(command) == spec::kCsiNvm) check_nvm_namespace(scene, command, data);
      break;
    case Cns::csi_controller:
      if (csi_of(command) == spec::kCsiZoned) {
        const auto zasl = read_as<std::uint8_t>(data);
        scene.c().append_limit = {true, zasl == 0 || zasl > 40 ? 0 : std::uint64_t{spec::kPageSize} << zasl};
      }
      break;
    case Cns::independent_ns:
      check_independent(scene, command, data);
      break;
    case Cns::ns_descriptors:
      check_descriptors(scene, command, data);
      break;
    case Cns::allocated_list:
      check_allocated_list(scene, command, data);
      break;
    case Cns::attached_controllers:
      check_attached_controllers(scene, command, data);
      break;
    case Cns::controllers:
      check_controller_list(scene, command, data);
      break;
    default:
      break;
  }
}

void allow_identify(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  const auto cns = static_cast<unsigned>(cns_of(command));
  const bool management = (announced.oacs & spec::oacs::ns_management) != 0;
  // The UUID index selects vendor's structures.
  if ((entry.cdw14 & 0x7FU) != 0) allowed.may(Status::invalid_field);
  if (command.no_tail)
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format, Status::invalid_command_set});
  if (csi_of(command) != 0) allowed.may({Status::invalid_field, Status::invalid_command_set});
  switch (static_cast<Cns>(cns)) {
    case Cns::controller:
      allow_unused_nsid(command, allowed);
      return;
    case Cns::ns:
      allow_nsid(scene, command, allowed, true);
      return;
    case Cns::active_list:
      allow_list_start(command, allowed);
      return;
    case Cns::ns_descriptors: {
      allow_nsid(scene, command, allowed, false);
      if (entry.nsid == 0 || entry.nsid == spec::kBroadcastNsid ||
          (announced.known && entry.nsid > announced.nn))
        return;
      const std::uint32_t index = find_namespace(scene.s, c.subsystem, entry.nsid);
      const auto& subsystem = scene.s.subsystems[c.subsystem];
      bool active =
          !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
      bool inactive = true;
      if (index != kNone) {
        active = may_be_active(scene.s.namespaces[index], scene.index, command.submitted);
        inactive = may_be_inactive(scene.s.namespaces[index], scene.index, command.submitted);
      }
      exercised(scene, Rule::ns10);
      if (!active) {
        allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
      } else if (inactive) {
        allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
      }
      return;
    }
    case Cns::csi_ns:
      // Command sets without such a structure, and controllers of the time before command sets.
      allow_nsid(scene, command, allowed, true);
      allowed.may({Status::invalid_field, Status::invalid_command_set});
      return;
    case Cns::csi_controller:
      allow_unused_nsid(command, allowed);
      allowed.may({Status::invalid_field, Status::invalid_command_set});
      return;
    case Cns::csi_active_list:
    case Cns::csi_allocated_list:
      allow_list_start(command, allowed);
      allowed.may({Status::invalid_field, Status::invalid_command_set, Status::invalid_namespace_or_format});
      return;
    case Cns::independent_ns:
      allow_nsid(scene, command, allowed, true);
      allowed.may({Status::invalid_field, Status::invalid_command_set, Status::invalid_namespace_or_format});
      return;
    case Cns::format_ns:
    case Cns::csi_format_ns:
    case Cns::csi_allocated_ns:
    case Cns::command_sets:
      break;  // optional
    case Cns::allocated_list:
    case Cns::allocated_ns:
    case Cns::attached_controllers:
    case Cns::controllers: {
      // With namespace management; others may have them all the same.
      if (!announced.known || !management) allowed.may(Status::invalid_field);
      if (static_cast<Cns>(cns) == Cns::allocated_list) allow_list_start(command, allowed);
      if (static_cast<Cns>(cns) == Cns::allocated_ns) allow_nsid(scene, command, allowed, false);
      if (static_cast<Cns>(cns) == Cns::controllers) allow_unused_nsid(command, allowed);
      if (static_cast<Cns>(cns) != Cns::attached_controllers) return;
      if (entry.nsid == spec::kBroadcastNsid) {
        allowed.must(Rule::q33, {Status::invalid_field});
        return;
      }
      allow_nsid(scene, command, allowed, false);
      const std::uint32_t index = find_namespace(scene.s, c.subsystem, entry.nsid);
      if (index == kNone || scene.s.namespaces[index].exists.possible_since(false, command.submitted)) {
        allowed.may(Status::invalid_field);  // unallocated: an empty list or this
      }
      return;
    }
  }
  if (defined(cns)) {
    allowed.may({Status::invalid_field, Status::invalid_command_set, Status::invalid_namespace_or_format});
  } else if (cns < 0xC0) {
    allowed.must(Rule::q33, {Status::invalid_field});
  } else {
    allowed.anything();
  }
}

}  // namespace polypath::model
