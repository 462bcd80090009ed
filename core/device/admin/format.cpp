// Format NVM. Base and NVM command set specifications, "Format NVM command"; sheet 04, section 7. A format is
// done in one moment: what waited for the namespace until then is told that a format is in progress.
#include "device/act.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device::admin {
namespace {

using spec::Status;

enum class Erase : std::uint8_t { none = 0, user_data = 1, crypto = 2 };

// Namespaces that the command formats. FNA: all of the subsystem, or those that NSID names.
Status find_targets(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry, bool all,
                    std::vector<std::uint32_t>& targets) {
  if (all) {
    for (const std::uint32_t row : act.device.subsystems[act.controller(controller).subsystem].ns_of_nsid) {
      if (row != 0) targets.push_back(row - 1);
    }
    return Status::success;
  }
  switch (classify(act, controller, entry.nsid)) {
    case NsidClass::broadcast:
      if ((act.profile().controller.fna & spec::fna::no_broadcast) != 0) return Status::invalid_field;
      for (const Active& a : act.controller(controller).active) targets.push_back(a.ns);
      return Status::success;
    case NsidClass::invalid:
      return Status::invalid_namespace_or_format;
    case NsidClass::unallocated:
      return Status::invalid_field;
    case NsidClass::inactive:
    case NsidClass::active:
      targets.push_back(static_cast<std::uint32_t>(allocated(act, controller, entry.nsid)));
      return Status::success;
  }
  return Status::invalid_field;
}

void end_commands(Act& act, const Namespace& ns) {
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row == nullptr || row->phase != Phase::waiting || row->entry.nsid != ns.nsid) continue;
    const bool here = act.controller(row->controller).subsystem == ns.subsystem;
    if (!here || act.device.sqs.get(row->sq)->qid == 0) continue;
    finish_waiting(act, command, Status::format_in_progress);
  }
}

void erase(Act& act, std::uint32_t ns) {
  const std::uint32_t media = act.device.namespaces[ns].media;
  act.device.media[media].erase();
  if (media < act.device.old_media.size()) act.device.old_media[media].erase();
}

// A planted fault: the namespace with the next higher identifier is erased as well.
void hit_neighbour(Act& act, std::uint32_t ns_index) {
  const Namespace& ns = act.device.namespaces[ns_index];
  const auto& rows = act.device.subsystems[ns.subsystem].ns_of_nsid;
  for (std::size_t nsid = ns.nsid + std::size_t{1}; nsid < rows.size(); ++nsid) {
    if (rows[nsid] == 0) continue;
    act.fired(Fault::format_hits_neighbour);
    erase(act, rows[nsid] - 1);
    return;
  }
}

void format_one(Act& act, std::uint32_t controller, std::uint32_t ns_index, std::uint8_t shift,
                const spec::MetadataFormat& metadata) {
  Namespace& ns = act.device.namespaces[ns_index];
  end_commands(act, ns);
  disturb_self_tests(act, ns_index, spec::self_test::aborted_by_format);
  if (!act.broken_by(Fault::format_keeps_data)) erase(act, ns_index);
  if (act.fault(Fault::format_hits_neighbour)) hit_neighbour(act, ns_index);
  ns.former_shift = ns.block_shift;
  ns.formatter = static_cast<std::uint16_t>(controller);
  const bool keeps_zones = ns.zoned() && act.broken_by(Fault::format_keeps_zones);
  if (ns.zoned() && !keeps_zones) make_zones(ns, Zones(ns.zones));
  if (ns.block_shift == shift && ns.metadata == metadata) return;
  Subsystem& owner = act.device.subsystems[ns.subsystem];
  owner.allocated_bytes -= ns.bytes();
  ns.blocks = ns.bytes() >> shift;
  ns.block_shift = shift;
  ns.metadata = metadata;
  ns.storage_mask = ~std::uint64_t{0};
  owner.allocated_bytes += ns.bytes();
  // Its Identify data changed: sheet 04, section 6.3. The controller that does the format knows.
  for (const std::uint16_t peer : ns.controllers) {
    if (peer == controller || act.broken_by(Fault::format_event_missing)) continue;
    namespace_changed(act, peer, ns.nsid);
  }
}

}  // namespace

Outcome format(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  const std::uint8_t fna = act.profile().controller.fna;
  const unsigned erase_kind = entry.cdw10 >> 9U & 7U;
  const bool crypto = erase_kind == static_cast<unsigned>(Erase::crypto);
  if (erase_kind > static_cast<unsigned>(Erase::crypto) || (crypto && (fna & spec::fna::crypto) == 0))
    return Status::invalid_field;
  const bool all = (fna & (erase_kind != 0 ? spec::fna::erase_all : spec::fna::format_all)) != 0;
  std::vector<std::uint32_t> targets;
  const Status found = find_targets(act, controller, entry, all, targets);
  if (found != Status::success) return found;

  // The upper bits of the index count only for a host that enabled them (Host Behavior Support, LBAFEE).
  unsigned index = entry.cdw10 & 0xFU;
  if (act.controller(controller).features.host_behavior[2] != 0) index |= (entry.cdw10 >> 12U & 3U) << 4U;
  spec::MetadataFormat metadata = metadata_of(act.profile(), index);
  metadata.extended = (entry.cdw10 >> 4U & 1U) != 0;
  metadata.type = static_cast<std::uint8_t>(entry.cdw10 >> 5U & 7U);
  metadata.first = metadata.type != 0 && (entry.cdw10 >> 8U & 1U) != 0;
  if (!takes_settings(act.profile(), metadata) || (metadata.extended && act.profile().ns.mc == 0))
    return Status::invalid_format;
  if (metadata.bytes == 0) metadata.extended = false;
  if (needs_extended_formats(metadata) && act.controller(controller).features.host_behavior[2] == 0)
    return Status::invalid_namespace_or_format;
  for (const std::uint32_t ns : targets) {
    if (write_protected(act, ns, controller)) return Status::namespace_write_protected;
  }
  for (const std::uint32_t ns : targets) {
    const std::uint8_t shift = block_shift_of(act, act.device.namespaces[ns], index);
    if (act.device.namespaces[ns].zoned() && metadata.bytes != 0) return Status::invalid_format;
    if (shift != 0 && act.device.namespaces[ns].bytes() >> shift != 0) continue;
    if (shift == 0 && act.broken_by(Fault::format_index_unchecked)) return Status::success;
    return Status::invalid_format;
  }
  for (const std::uint32_t ns : targets)
    format_one(act, controller, ns, block_shift_of(act, act.device.namespaces[ns], index), metadata);
  return Status::success;
}

}  // namespace polypath::device::admin
