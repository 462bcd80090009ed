// Identify. Base specification, "Identify command"; sheet 04, section 2.
#include <algorithm>
#include <cstring>

#include "device/act.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device::admin {
namespace {

using spec::Cns;
using spec::Status;
using Page = std::array<std::byte, spec::kIdentifyBytes>;

constexpr std::uint32_t kAnySet = 0xFFFFFFFF;

template <std::size_t N>
void put_text(std::array<char, N>& field, std::string_view text, char pad) {
  field.fill(pad);
  std::copy_n(text.begin(), std::min(text.size(), N), field.begin());
}

template <class T>
void put(Page& page, const T& value) {
  static_assert(sizeof(T) <= sizeof(Page));
  std::memcpy(page.data(), &value, sizeof value);
}

void identify_controller(const Act& act, std::uint32_t controller, Page& page) {
  const Controller& c = act.controller(controller);
  const Profile& p = act.profile();
  const Subsystem& subsystem = act.device.subsystems[c.subsystem];
  spec::IdentifyController id = p.controller;
  put_text(id.sn, c.serial, ' ');
  put_text(id.mn, p.model, ' ');
  const auto revision = firmware_revision(act, controller);
  std::copy(revision.begin(), revision.end(), id.fr.begin());
  if (subsystem.controllers.size() > 1 || p.cmic_when_alone) id.cmic |= spec::cmic::several_controllers;
  id.mdts = c.mdts;
  id.cntlid = c.cntlid;
  const auto first = act.device.subsystems[c.subsystem].controllers.front();
  if (first != controller && act.broken_by(Fault::cntlid_repeated))
    id.cntlid = act.device.controllers[first].cntlid;
  if (p.capacity_bytes != 0) {
    id.tnvmcap[0] = p.capacity_bytes;
    id.unvmcap[0] = p.capacity_bytes - std::min(p.capacity_bytes, subsystem.allocated_bytes);
  }
  put_text(id.subnqn, subsystem.nqn, '\0');
  put(page, id);
}

spec::IdentifyNamespace namespace_data(const Act& act, const Namespace* ns) {
  spec::IdentifyNamespace id = act.profile().ns;
  if (ns != nullptr) {
    id.nsze = id.ncap = id.nuse = ns->blocks;
    const auto format = format_of(act.profile(), 1U << ns->block_shift, ns->metadata);
    if (format) {
      id.flbas = *format;
    } else {  // a size the topology asked for: the first format has it
      id.lbaf[0] = std::uint32_t{ns->block_shift} << 16U;
    }
    if (ns->metadata.extended) id.flbas |= spec::flbas::extended;
    id.dps = static_cast<std::uint8_t>(ns->metadata.type | (ns->metadata.first ? spec::dps::first : 0U));
    id.nmic = ns->shared ? spec::nmic::shared : 0;
    if (ns->write_protect != spec::protection::none) id.nsattr |= spec::protection::nsattr;
    if (act.profile().capacity_bytes != 0) id.nvmcap[0] = ns->bytes();
    id.nguid = ns->nguid;
    id.eui64 = ns->eui64;
  }
  return id;
}

void identify_namespace(const Act& act, const Namespace* ns, Page& page) {
  put(page, namespace_data(act, ns));
}

// CNS 05h of the NVM command set. Without protection information every field is 0.
void nvm_data(const Act& act, const Namespace* ns, Page& page) {
  const Profile& profile = act.profile();
  page[spec::nvm_ns::pic] = static_cast<std::byte>(profile.pic);
  std::memcpy(page.data() + spec::nvm_ns::elbaf, profile.elbaf.data(), sizeof profile.elbaf);
  if (ns == nullptr || ns->metadata.storage_bits == 0) return;
  const std::uint64_t bits = ns->storage_mask;
  std::memcpy(page.data() + spec::nvm_ns::lbstm, &bits, sizeof bits);
}

// A planted fault: what this controller showed before another one formatted the namespace.
Namespace before_format(const Namespace& ns) {
  Namespace before = ns;
  before.block_shift = ns.former_shift;
  before.blocks = ns.bytes() >> ns.former_shift;
  return before;
}

void descriptors(const Namespace& ns, bool command_sets, Page& page) {
  std::size_t at = 0;
  const auto add = [&](spec::NidType type, const std::uint8_t* bytes, std::size_t size) {
    if (std::all_of(bytes, bytes + size, [](std::uint8_t b) { return b == 0; })) return;
    page[at] = static_cast<std::byte>(type);
    page[at + 1] = static_cast<std::byte>(size);
    std::memcpy(page.data() + at + 4, bytes, size);
    at += 4 + size;
  };
  add(spec::NidType::eui64, ns.eui64.data(), ns.eui64.size());
  add(spec::NidType::nguid, ns.nguid.data(), ns.nguid.size());
  add(spec::NidType::uuid, ns.uuid.data(), ns.uuid.size());
  if (!command_sets) return;  // nobody chooses one
  page[at] = static_cast<std::byte>(spec::NidType::csi);
  page[at + 1] = std::byte{1};
  page[at + 4] = static_cast<std::byte>(ns.zoned() ? spec::kCsiZoned : spec::kCsiNvm);
}

void put_nsid(Page& page, std::size_t& count, std::uint32_t nsid) {
  if (count < spec::kNsListEntries) std::memcpy(page.data() + 4 * count++, &nsid, sizeof nsid);
}

// Does a namespace belong in a list by command set? Where no set can be chosen there is one.
bool of_set(const Act& act, std::uint32_t ns, std::uint32_t csi) {
  return csi == kAnySet || (csi == spec::kCsiZoned) == act.device.namespaces[ns].zoned();
}

void active_list(const Act& act, std::uint32_t controller, std::uint32_t after, std::uint32_t csi,
                 Page& page) {
  const Controller& c = act.controller(controller);
  std::size_t count = 0;
  if (act.fault(Fault::active_list_unsorted)) {
    act.fired(Fault::active_list_unsorted);
    for (const std::uint32_t nsid : c.attach_order) {
      if (nsid > after) put_nsid(page, count, nsid);
    }
    return;
  }
  for (const Active& a : c.active) {
    if (a.nsid > after && of_set(act, a.ns, csi)) put_nsid(page, count, a.nsid);
  }
}

// The one combination of command sets: both.
void command_sets(Page& page) {
  const std::uint64_t vector = 1U << spec::kCsiNvm | 1U << spec::kCsiZoned;
  std::memcpy(page.data(), &vector, sizeof vector);
}

// Controller list with identifiers from CNTID on.
void controller_list(const std::vector<std::uint16_t>& cntlids, std::uint16_t from, Page& page) {
  std::uint16_t count = 0;
  for (const std::uint16_t cntlid : cntlids) {
    if (cntlid < from || count == spec::kControllerListEntries) continue;
    ++count;
    std::memcpy(page.data() + std::size_t{2} * count, &cntlid, sizeof cntlid);
  }
  std::memcpy(page.data(), &count, sizeof count);
}

// Success and the page, or the status of the NSID rules of sheet 06, section 1.
Status build(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry, Page& page) {
  const Controller& c = act.controller(controller);
  const Subsystem& subsystem = act.device.subsystems[c.subsystem];
  const auto cns = static_cast<Cns>(entry.cdw10 & 0xFFU);
  const auto cntid = static_cast<std::uint16_t>(entry.cdw10 >> 16U);
  const std::uint32_t csi = entry.cdw11 >> 24U;
  const std::uint32_t nsid = entry.nsid;
  const NsidClass kind = classify(act, controller, nsid);
  const bool managed = (act.profile().controller.oacs & spec::oacs::ns_management) != 0;
  const std::int64_t active = attached(c, nsid);
  const std::int64_t exists = kind == NsidClass::broadcast ? -1 : allocated(act, controller, nsid);
  const auto ns_at = [&](std::int64_t index) {
    return &act.device.namespaces[static_cast<std::uint32_t>(index)];
  };

  const bool several_sets = act.profile().controller.ver >= spec::kVersion2_0;
  const bool set_known = csi == spec::kCsiNvm || (csi == spec::kCsiZoned && act.profile().zoned);
  const bool set_enabled = csi == spec::kCsiNvm || (csi == spec::kCsiZoned && zones_enabled(act, controller));
  switch (cns) {
    case Cns::csi_active_list:
      if (!several_sets || !set_enabled) return Status::invalid_field;
      if (nsid >= 0xFFFFFFFE) return Status::invalid_namespace_or_format;
      active_list(act, controller, nsid, csi, page);
      return Status::success;
    case Cns::independent_ns:
      if (!several_sets) return Status::invalid_field;
      if (kind == NsidClass::invalid || (kind == NsidClass::broadcast && !managed))
        return Status::invalid_namespace_or_format;
      if (active >= 0) {
        bool shared = ns_at(active)->shared;
        if (shared && act.broken_by(Fault::independent_says_private)) shared = false;
        page[spec::independent::nmic] = static_cast<std::byte>(shared ? spec::nmic::shared : 0);
        if (ns_at(active)->write_protect != spec::protection::none)
          page[spec::independent::nsattr] = static_cast<std::byte>(spec::protection::nsattr);
        page[spec::independent::nstat] = static_cast<std::byte>(spec::independent::ready);
      }
      return Status::success;
    case Cns::ns:
    case Cns::csi_ns:
      if (cns == Cns::csi_ns && !set_enabled) return Status::invalid_field;
      if (kind == NsidClass::invalid) return Status::invalid_namespace_or_format;
      if (kind == NsidClass::broadcast && !managed) return Status::invalid_namespace_or_format;
      if (cns == Cns::csi_ns && csi == spec::kCsiZoned) {
        if (active >= 0 && !ns_at(active)->zoned()) return Status::invalid_field;
        if (kind == NsidClass::broadcast) put(page, zoned_data(act, nullptr));
        if (active >= 0) put(page, zoned_data(act, ns_at(active)));
      }
      if (cns == Cns::csi_ns) {
        if (csi == spec::kCsiNvm && kind == NsidClass::broadcast) nvm_data(act, nullptr, page);
        if (csi == spec::kCsiNvm && active >= 0) nvm_data(act, ns_at(active), page);
        return Status::success;
      }
      if (kind == NsidClass::broadcast) identify_namespace(act, nullptr, page);
      if (active >= 0) identify_namespace(act, ns_at(active), page);
      if (active >= 0 && ns_at(active)->former_shift != 0 && ns_at(active)->formatter != controller &&
          act.broken_by(Fault::format_on_one_path)) {
        const Namespace before = before_format(*ns_at(active));
        identify_namespace(act, &before, page);
      }
      if (active >= 0 && act.broken_by(Fault::identifier_differs_by_path)) {
        page[offsetof(spec::IdentifyNamespace, nguid)] ^= static_cast<std::byte>(c.cntlid + 1U);
      }
      return Status::success;
    case Cns::controller:
      if (nsid != 0) return Status::invalid_field;
      identify_controller(act, controller, page);
      return Status::success;
    case Cns::active_list:
      if (nsid >= 0xFFFFFFFE) return Status::invalid_namespace_or_format;
      active_list(act, controller, nsid, kAnySet, page);
      return Status::success;
    case Cns::ns_descriptors:
      if (kind == NsidClass::invalid || kind == NsidClass::broadcast)
        return Status::invalid_namespace_or_format;
      if (active < 0) return Status::invalid_field;
      descriptors(*ns_at(active), act.profile().zoned, page);
      return Status::success;
    case Cns::csi_controller:
      if (!set_known || nsid != 0) return Status::invalid_field;
      if (csi == spec::kCsiZoned) page[0] = static_cast<std::byte>(c.zasl);
      return Status::success;  // no limits: every other field is 0
    case Cns::command_sets:
      if (!act.profile().zoned || nsid != 0) return Status::invalid_field;
      if (cntid != 0xFFFF && cntid != c.cntlid) {
        const auto& peers = subsystem.controllers;
        const bool there = std::any_of(peers.begin(), peers.end(), [&](std::uint32_t peer) {
          return act.device.controllers[peer].cntlid == cntid;
        });
        if (!there) return Status::invalid_field;
      }
      command_sets(page);
      return Status::success;
    case Cns::csi_allocated_ns:
      if (!managed || !act.profile().zoned || !set_known) return Status::invalid_field;
      if (kind == NsidClass::invalid || kind == NsidClass::broadcast)
        return Status::invalid_namespace_or_format;
      if (exists >= 0 && csi == spec::kCsiZoned) {
        if (!ns_at(exists)->zoned()) return Status::invalid_field;
        put(page, zoned_data(act, ns_at(exists)));
      }
      if (exists >= 0 && csi == spec::kCsiNvm) nvm_data(act, ns_at(exists), page);
      return Status::success;
    case Cns::format_ns:
    case Cns::csi_format_ns: {
      const unsigned index = entry.cdw11 & 0xFFFFU;
      const bool own = cns == Cns::format_ns || set_known;
      if (!act.profile().zoned || !own || nsid != 0 || index > act.profile().ns.nlbaf)
        return Status::invalid_field;
      if (cns == Cns::format_ns) {  // what all its formats have in common is all there is
        identify_namespace(act, nullptr, page);
      } else if (csi == spec::kCsiZoned) {
        put(page, zoned_data(act, nullptr));
      }
      return Status::success;
    }
    case Cns::csi_allocated_list:
    case Cns::allocated_list: {
      const bool by_set = cns == Cns::csi_allocated_list;
      if (by_set && (!several_sets || !set_known)) return Status::invalid_field;
      if (!managed) return Status::invalid_field;
      if (nsid >= 0xFFFFFFFE) return Status::invalid_namespace_or_format;
      std::size_t count = 0;
      for (std::size_t i = std::size_t{nsid} + 1; i < subsystem.ns_of_nsid.size(); ++i) {
        const std::uint32_t row = subsystem.ns_of_nsid[i];
        if (row != 0 && of_set(act, row - 1, by_set ? csi : kAnySet))
          put_nsid(page, count, static_cast<std::uint32_t>(i));
      }
      return Status::success;
    }
    case Cns::allocated_ns:
      if (!managed) return Status::invalid_field;
      if (kind == NsidClass::invalid || kind == NsidClass::broadcast)
        return Status::invalid_namespace_or_format;
      if (exists >= 0) identify_namespace(act, ns_at(exists), page);
      return Status::success;
    case Cns::attached_controllers: {
      if (!managed) return Status::invalid_field;
      if (kind == NsidClass::invalid) return Status::invalid_namespace_or_format;
      if (kind == NsidClass::broadcast) return Status::invalid_field;
      std::vector<std::uint16_t> cntlids;
      if (exists >= 0) {
        for (const std::uint16_t index : ns_at(exists)->controllers) {
          cntlids.push_back(act.device.controllers[index].cntlid);
        }
        if (!cntlids.empty() && act.broken_by(Fault::attached_controllers_short)) cntlids.pop_back();
      }
      controller_list(cntlids, cntid, page);
      return Status::success;
    }
    case Cns::controllers: {
      if (!managed || nsid != 0) return Status::invalid_field;
      std::vector<std::uint16_t> cntlids;
      for (const std::uint32_t index : subsystem.controllers)
        cntlids.push_back(act.device.controllers[index].cntlid);
      controller_list(cntlids, cntid, page);
      return Status::success;
    }
    default:
      return Status::invalid_field;
  }
}

}  // namespace

Outcome identify(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Page page{};
  const Status status = build(act, controller, entry, page);
  if (status != Status::success) return status;
  return copy_out(act, controller, command, entry, page);
}

}  // namespace polypath::device::admin

namespace polypath::device {

std::uint8_t block_shift_of(const Act& act, const Namespace& ns, unsigned format) {
  const spec::IdentifyNamespace id = admin::namespace_data(act, &ns);
  return format > id.nlbaf ? std::uint8_t{0} : static_cast<std::uint8_t>(id.lbaf[format] >> 16U);
}

}  // namespace polypath::device
