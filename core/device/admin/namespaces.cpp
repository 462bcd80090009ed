// Namespace Management and Namespace Attachment. Base specification; sheet 04, section 5 and sheet 06,
// section 2.
#include <algorithm>
#include <cstring>

#include "device/act.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device::admin {
namespace {

using spec::Status;

constexpr std::uint64_t kMostZones = 16384;
constexpr std::size_t kStorageTagMask = 384;  ///< of the data of a create: LBSTM

// Lowest NSID that no namespace of the subsystem has; 0 when all are taken.
std::uint32_t free_nsid(const Subsystem& subsystem, std::uint32_t nn) {
  for (std::uint32_t nsid = 1; nsid <= nn; ++nsid) {
    if (nsid >= subsystem.ns_of_nsid.size() || subsystem.ns_of_nsid[nsid] == 0) return nsid;
  }
  return 0;
}

Outcome create(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  if (entry.nsid != 0) return Status::invalid_field;
  const std::uint32_t csi = entry.cdw11 >> 24U;
  const bool zoned = csi == spec::kCsiZoned && zones_enabled(act, controller);
  if (csi != spec::kCsiNvm && !zoned) return Status::command_set_not_supported;
  std::array<std::byte, spec::kIdentifyBytes> data{};
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  spec::IdentifyNamespace wanted{};
  std::memcpy(&wanted, data.data(), sizeof wanted);

  const std::uint8_t shift = block_shift_of(act.profile(), wanted.flbas & 0xFU);
  spec::MetadataFormat metadata = metadata_of(act.profile(), wanted.flbas & 0xFU);
  metadata.extended = (wanted.flbas & spec::flbas::extended) != 0;
  metadata.type = wanted.dps & spec::dps::type;
  metadata.first = metadata.type != 0 && (wanted.dps & spec::dps::first) != 0;
  const bool possible = takes_settings(act.profile(), metadata) && !(zoned && metadata.bytes != 0) &&
                        !(metadata.extended && act.profile().ns.mc == 0);
  if (metadata.bytes == 0) metadata.extended = false;
  if (wanted.nsze == 0 || wanted.ncap == 0 || wanted.ncap > wanted.nsze) return Status::invalid_field;
  if (wanted.ncap < wanted.nsze) return Status::thin_provisioning_not_supported;
  if (shift == 0 || !possible) return Status::invalid_format;
  if (needs_extended_formats(metadata) && act.controller(controller).features.host_behavior[2] == 0)
    return Status::invalid_namespace_or_format;
  if (wanted.anagrpid != 0) return Status::ana_group_id_invalid;

  const std::uint32_t owner = act.controller(controller).subsystem;
  const Subsystem& subsystem = act.device.subsystems[owner];
  const std::uint64_t capacity =
      act.profile().capacity_bytes == 0 ? std::uint64_t{1} << 60U : act.profile().capacity_bytes;
  const std::uint64_t free = capacity - std::min(capacity, subsystem.allocated_bytes);
  Namespace ns;
  ns.block_shift = shift;
  ns.metadata = metadata;
  if (metadata.storage_bits != 0)
    std::memcpy(&ns.storage_mask, data.data() + kStorageTagMask, sizeof ns.storage_mask);
  if (wanted.nsze > free >> ns.block_shift) {
    Outcome outcome(Status::namespace_insufficient_capacity);
    outcome.more = true;
    outcome.detail = wanted.nsze << ns.block_shift;
    return outcome;
  }
  ns.nsid = free_nsid(subsystem, act.profile().controller.nn);
  if (ns.nsid == 0) return Status::namespace_id_unavailable;
  ns.subsystem = owner;
  ns.blocks = wanted.nsze;
  ns.shared = (wanted.nmic & spec::nmic::shared) != 0;
  if (zoned) {
    if (ns.bytes() % usual_zones().size != 0 || ns.bytes() / usual_zones().size > kMostZones)
      return Status::invalid_field;
    make_zones(ns, usual_zones());
  }
  make_identifiers(ns, subsystem);
  Outcome outcome;
  outcome.dw0 = ns.nsid;
  add_namespace(act.device, owner, ns, Media{});
  return outcome;
}

void remove_one(Act& act, std::uint32_t controller, std::uint32_t ns) {
  const std::uint32_t nsid = act.device.namespaces[ns].nsid;
  const std::vector<std::uint16_t> had = act.device.namespaces[ns].controllers;
  disturb_self_tests(act, ns, spec::self_test::ns_removed);
  for (const std::uint16_t peer : had) detach(act, ns, peer);
  remove_namespace(act, ns);
  for (const std::uint16_t peer : had) {
    if (peer == controller || act.broken_by(Fault::delete_event_missing)) continue;
    namespace_changed(act, peer, nsid);  // never on the one that processes the delete
  }
}

Outcome remove(Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry) {
  if (entry.nsid == spec::kBroadcastNsid) {
    const std::vector<std::uint32_t> all =
        act.device.subsystems[act.controller(controller).subsystem].ns_of_nsid;
    for (const std::uint32_t index : all) {
      if (index != 0 && write_protected(act, index - 1, controller)) return Status::namespace_write_protected;
    }
    for (const std::uint32_t index : all) {
      if (index != 0) remove_one(act, controller, index - 1);
    }
    return Status::success;
  }
  if (classify(act, controller, entry.nsid) == NsidClass::invalid) return Status::invalid_namespace_or_format;
  const std::int64_t ns = allocated(act, controller, entry.nsid);
  if (ns < 0) return Status::invalid_field;
  if (write_protected(act, static_cast<std::uint32_t>(ns), controller))
    return Status::namespace_write_protected;
  remove_one(act, controller, static_cast<std::uint32_t>(ns));
  return Status::success;
}

constexpr std::uint32_t kNobody = 0xFFFFFFFF;

// Controller indices of a controller list, kNobody for an identifier that no controller has, which fails when
// its turn comes; false when the list breaks a rule of its own.
bool read_list(const Act& act, std::uint32_t controller, std::span<const std::byte> data,
               std::vector<std::uint32_t>& out) {
  const auto word = [&](std::size_t i) {
    std::uint16_t value = 0;
    std::memcpy(&value, data.data() + 2 * i, sizeof value);
    return value;
  };
  const std::size_t count = word(0);
  if (count == 0 || count > spec::kControllerListEntries) return false;
  const auto& peers = act.device.subsystems[act.controller(controller).subsystem].controllers;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::uint16_t cntlid = word(i);
    if (i > 1 && cntlid <= word(i - 1)) return false;
    const auto peer = std::lower_bound(
        peers.begin(), peers.end(), cntlid,
        [&](std::uint32_t index, std::uint16_t id) { return act.device.controllers[index].cntlid < id; });
    const bool found = peer != peers.end() && act.device.controllers[*peer].cntlid == cntlid;
    out.push_back(found ? *peer : kNobody);
  }
  return true;
}

Status attach_one(Act& act, std::uint32_t ns_index, std::uint32_t controller) {
  const Namespace& ns = act.device.namespaces[ns_index];
  if (attached(act.controller(controller), ns.nsid) >= 0) return Status::namespace_already_attached;
  if (!ns.shared && !ns.controllers.empty()) {
    if (!act.fault(Fault::attach_private_twice)) return Status::namespace_is_private;
    act.fired(Fault::attach_private_twice);
  }
  const Controller& c = act.controller(controller);
  // One that is enabled for the NVM command set alone. What is not enabled at all may come to be enabled for
  // both.
  if (ns.zoned() && spec::cc::en.get(c.cc) != 0 && !zones_enabled(act, controller))
    return Status::command_set_not_enabled;
  const bool enabling = spec::cc::en.get(c.cc) != 0 && spec::csts::rdy.get(c.csts) == 0;
  if (enabling && act.fault(Fault::attach_lost_while_enabling)) {
    act.fired(Fault::attach_lost_while_enabling);
    return Status::success;
  }
  attach(act, ns_index, controller);
  return Status::success;
}

// A planted fault: what is in flight to the namespace never completes.
void drop_commands(Act& act, std::uint32_t nsid, std::uint32_t controller) {
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row == nullptr || row->controller != controller || row->phase != Phase::waiting) continue;
    if (act.device.sqs.get(row->sq)->qid == 0 || row->entry.nsid != nsid) continue;
    act.fired(Fault::detach_drops_commands);
    drop(act, command);
  }
}

Status detach_one(Act& act, std::uint32_t ns_index, std::uint32_t controller) {
  const Namespace& ns = act.device.namespaces[ns_index];
  if (attached(act.controller(controller), ns.nsid) < 0) return Status::namespace_not_attached;
  if (act.fault(Fault::detach_drops_commands)) drop_commands(act, ns.nsid, controller);
  detach(act, ns_index, controller);
  if (act.fault(Fault::detach_hits_neighbour)) {
    const auto& peers = act.device.subsystems[ns.subsystem].controllers;
    const auto at = std::find(peers.begin(), peers.end(), controller);
    const std::uint32_t next = at + 1 == peers.end() ? peers.front() : *(at + 1);
    if (attached(act.controller(next), ns.nsid) >= 0) {
      act.fired(Fault::detach_hits_neighbour);
      detach(act, ns_index, next);
    }
  }
  return Status::success;
}

// Tells the controllers whose list changed, and only those.
void tell(Act& act, std::uint32_t sender, std::span<const std::uint32_t> changed, std::uint32_t nsid,
          bool detached) {
  for (std::uint32_t controller : changed) {
    if (detached && act.fault(Fault::event_missing)) {
      act.fired(Fault::event_missing);
      continue;
    }
    if (controller != sender && act.fault(Fault::event_on_wrong_controller)) {
      act.fired(Fault::event_on_wrong_controller);
      controller = sender;
    }
    namespace_changed(act, controller, nsid);
  }
}

}  // namespace

Outcome ns_management(Act& act, std::uint32_t controller, Handle command,
                      const spec::SubmissionEntry& entry) {
  switch (entry.cdw10 & 0xFU) {
    case 0:
      return create(act, controller, command, entry);
    case 1:
      return remove(act, controller, entry);
    default:
      return Status::invalid_field;
  }
}

Outcome ns_attachment(Act& act, std::uint32_t controller, Handle command,
                      const spec::SubmissionEntry& entry) {
  const unsigned select = entry.cdw10 & 0xFU;
  if (entry.nsid == spec::kBroadcastNsid) return Status::invalid_field;
  if (classify(act, controller, entry.nsid) == NsidClass::invalid) return Status::invalid_namespace_or_format;
  const std::int64_t found = allocated(act, controller, entry.nsid);
  if (found < 0 && select == 0 && act.broken_by(Fault::attach_unallocated_accepted)) return Status::success;
  if (found < 0 || select > 1) return Status::invalid_field;
  const auto ns = static_cast<std::uint32_t>(found);
  std::array<std::byte, spec::kIdentifyBytes> data{};
  const Status copied = copy_in(act, controller, command, entry, data);
  if (copied != Status::success) return copied;
  std::vector<std::uint32_t> list;
  if (!read_list(act, controller, data, list)) return Status::controller_list_invalid;

  const auto elsewhere = [&](std::uint32_t peer) {
    return peer != kNobody && peer != controller && attached(act.controller(controller), entry.nsid) < 0;
  };
  if (select == 0 && elsewhere(list.front()) && act.broken_by(Fault::attach_hits_sender)) {
    list = {controller};
  }

  // Entries take effect in order; the first that fails ends the command and those before it stay.
  std::vector<std::uint32_t> changed;
  Outcome outcome;
  for (std::size_t i = 0; i < list.size() && outcome.status == Status::success; ++i) {
    if (list[i] == kNobody) {
      outcome.status = Status::controller_list_invalid;
    } else {
      outcome.status = select == 0 ? attach_one(act, ns, list[i]) : detach_one(act, ns, list[i]);
    }
    if (outcome.status == Status::success) {
      changed.push_back(list[i]);
    } else {
      outcome.more = true;
      outcome.detail = 2 * (i + 1);  // byte offset of the entry in the list
    }
  }
  tell(act, controller, changed, entry.nsid, select == 1);
  return outcome;
}

}  // namespace polypath::device::admin
