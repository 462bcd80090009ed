// Identify Namespace and the identification descriptors.
#include <fmt/format.h>

#include <algorithm>

#include "engine/hash.h"
#include "model/format.h"
#include "model/identify.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/protection.h"
#include "model/write_protection.h"
#include "model/zones.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

constexpr const char* kIdentityNames[3] = {"EUI64", "NGUID", "UUID"};

std::string block_text(std::uint64_t blocks) { return fmt::format("{} blocks", blocks); }

/// Is the view of a namespace as active or not what the facts allow?
void check_view(const Scene& scene, const Command& command, std::uint32_t index, bool shown) {
  Namespace& ns = scene.s.namespaces[index];
  exercised(scene, Rule::ns01);
  const bool allowed = shown ? may_be_active(ns, scene.index, command.submitted)
                             : may_be_inactive(ns, scene.index, command.submitted);
  if (allowed) {
    observe_attachment(scene, index, scene.index, shown, command.submitted);
    return;
  }
  const Rule rule = rule_of_view(scene, &ns, scene.index, shown);
  Seq changed = 0;
  for (const auto& attached : ns.attached) {
    if (attached.controller == scene.index) changed = attached.changed;
  }
  violation(scene, rule,
            fmt::format("{}: namespace {} shown as {}", text_of(scene, command), ns.nsid,
                        shown ? "active" : "inactive"),
            shown ? "zeros: it is not attached" : "its data: it is attached", shown ? "data" : "zeros",
            {command.submitted, changed, ns.died});
}

void learn_identity(const Scene& scene, const Command& command, std::uint32_t index, std::size_t kind,
                    std::span<const std::byte> id) {
  if (all_zero(id)) return;
  const std::uint64_t hash = engine::hash_bytes(id.data(), id.size(), kind + 1) | 1U;
  Namespace& ns = scene.s.namespaces[index];
  exercised(scene, Rule::ns05);
  if (ns.identity[kind] != 0) {
    if (ns.identity[kind] != hash) {
      violation(
          scene, Rule::ns05,
          fmt::format("{} of namespace {} differs from what was shown before", kIdentityNames[kind], ns.nsid),
          "one identifier for life, through every controller", "another one", {command.submitted});
    }
    return;
  }
  ns.identity[kind] = hash;
  exercised(scene, Rule::ns06);
  auto& known = scene.s.identities;
  auto at = std::lower_bound(known.begin(), known.end(), Identity{hash, 0},
                             [](const Identity& x, const Identity& y) { return x.hash < y.hash; });
  for (auto twin = at; twin != known.end() && twin->hash == hash; ++twin) {
    const Namespace& there = scene.s.namespaces[twin->ns];
    if (twin->ns == index || there.identity[kind] != hash || !there.exists.surely(true) ||
        !ns.exists.possible(true))
      continue;
    // One namespace may be known under two entries where subsystems could not be told apart.
    if (there.subsystem != ns.subsystem && !scene.s.subsystems[ns.subsystem].complete) continue;
    violation(scene, Rule::ns06,
              fmt::format("namespaces {} and {} have one {}", there.nsid, ns.nsid, kIdentityNames[kind]),
              "identifiers of their own", "the same identifier", {command.submitted});
  }
  known.insert(at, {hash, index});
}

}  // namespace

void check_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data,
                     bool allocated) {
  const auto id = read_as<spec::IdentifyNamespace>(data);
  const bool zeros = all_zero(data);
  const std::uint32_t nsid = command.entry.nsid;
  if (nsid == spec::kBroadcastNsid || nsid == 0) return;
  std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, nsid);
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  const bool maybe_created = subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
  if (index == kNone) {
    if (zeros || maybe_created) return;
    if (subsystem.complete) {
      violation(scene, allocated ? Rule::ns09 : Rule::ns01,
                fmt::format("{}: data of a namespace that does not exist", text_of(scene, command)), "zeros",
                "data", {command.submitted});
      return;
    }
    index = resolve_namespace(scene, nsid);
  }
  if (allocated) {
    exercised(scene, Rule::ns09);
    const Fact& exists = scene.s.namespaces[index].exists;
    if (!exists.possible_since(!zeros, command.submitted)) {
      violation(scene, !zeros && scene.s.namespaces[index].died != 0 ? Rule::ns14 : Rule::ns09,
                fmt::format("{}: namespace {} shown as {}", text_of(scene, command), nsid,
                            zeros ? "unallocated" : "allocated"),
                zeros ? "its data: it exists" : "zeros: it does not exist", zeros ? "zeros" : "data",
                {command.submitted});
      return;
    }
  } else {
    check_view(scene, command, index, !zeros);
  }
  if (zeros) return;
  Namespace& ns = scene.s.namespaces[index];
  if (may_be_another(ns, command.submitted)) return;

  exercised(scene, Rule::ns17);
  if (id.nuse > id.ncap || id.ncap > id.nsze) {
    violation(scene, Rule::ns17, fmt::format("{}: sizes out of order", text_of(scene, command)),
              "NUSE <= NCAP <= NSZE", fmt::format("NSZE {}, NCAP {}, NUSE {}", id.nsze, id.ncap, id.nuse),
              {command.submitted});
  }
  exercised(scene, Rule::ns04);
  const std::uint8_t shared = (id.nmic & spec::nmic::shared) != 0 ? 1 : 0;
  if (ns.shared != 2 && ns.shared != shared) {
    violation(scene, Rule::ns04,
              fmt::format("{}: NMIC of namespace {} changed", text_of(scene, command), nsid),
              ns.shared == 1 ? "shared" : "private", shared == 1 ? "shared" : "private", {command.submitted});
  }
  ns.shared = shared;

  // Everything but the use of the namespace and its write protection is the same through every controller.
  std::vector<std::byte> same(data.begin(), data.end());
  std::fill(same.begin() + 16, same.begin() + 24, std::byte{0});
  same[offsetof(spec::IdentifyNamespace, nsattr)] &= ~std::byte{spec::protection::nsattr};
  observe_protection(scene, command, ns, (id.nsattr & spec::protection::nsattr) != 0);
  const std::uint64_t hash = engine::hash_bytes(same.data(), same.size());
  exercised(scene, Rule::ns05);
  if (ns.blocks != 0 && ns.blocks != id.nsze) {
    violation(scene, Rule::ns05, fmt::format("{}: size of namespace {}", text_of(scene, command), nsid),
              block_text(ns.blocks), block_text(id.nsze), {command.submitted});
  }
  if (ns.identified && ns.identify_hash != hash && ns.identified_by != scene.index && shared == 1) {
    violation(scene, Rule::ns05,
              fmt::format("{}: namespace {} looks other than through {}", text_of(scene, command), nsid,
                          name_of(scene, ns.identified_by)),
              "equal data", "other data", {command.submitted});
  }
  if (!ns.identified) ns.identified_at = scene.now;
  ns.identified = true;
  ns.identify_hash = hash;
  ns.identified_by = scene.index;
  ns.dlfeat = id.dlfeat;
  ns.nsfeat = id.nsfeat;
  ns.dps = id.dps;
  ns.mssrl = id.mssrl;
  ns.mcl = id.mcl;
  ns.msrc = id.msrc;
  learn_identity(scene, command, index, 0, std::as_bytes(std::span(id.eui64)));
  learn_identity(scene, command, index, 1, std::as_bytes(std::span(id.nguid)));

  check_format(scene, command, ns, id);

  // Size and format: from here on the content can be followed.
  const unsigned shift = id.lbaf[id.flbas & 0xFU] >> 16U & 0xFFU;
  const spec::MetadataFormat metadata = ns.metadata.format;
  learn_metadata(ns, id);
  if (shift < 9 || shift > 16 || id.nsze == 0) return;
  const std::uint32_t block_bytes = std::uint32_t{1} << shift;
  const bool fresh_format = ns.block_bytes != block_bytes || metadata != ns.metadata.format;
  ns.blocks = id.nsze;
  ns.block_bytes = block_bytes;
  ns.zoned.format = id.flbas & 0xFU;
  follow_zones(scene, index);
  if (ns.tracked && !fresh_format) return;
  if (ns.tracked) lose_content(ns);
  bool data_seen = metadata_known(ns);
  for (const auto controller : subsystem.controllers) {
    data_seen = data_seen && (scene.s.controllers[controller].observed & trace::observed::data) != 0;
  }
  if (!data_seen || writes_open(scene.s, index)) return;
  const bool reads_zeros = (ns.created || ns.formatted) && !ns.written_untracked && (id.dlfeat & 7U) == 1;
  start_content(ns, reads_zeros, scene.now);
}

void check_independent(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const std::uint32_t nsid = command.entry.nsid;
  // Common capabilities, or an inactive namespace; an older controller may leave an active one at zeros too.
  if (nsid == spec::kBroadcastNsid || read_as<std::uint8_t>(data.subspan(spec::independent::nstat)) == 0)
    return;
  const std::uint32_t index = resolve_namespace(scene, nsid);
  if (index == kNone) return;
  Namespace& ns = scene.s.namespaces[index];
  if (may_be_another(ns, command.submitted)) return;
  const auto nsattr = read_as<std::uint8_t>(data.subspan(spec::independent::nsattr));
  observe_protection(scene, command, ns, (nsattr & spec::protection::nsattr) != 0);
  if (ns.shared == 2) return;
  exercised(scene, Rule::ns04);
  const bool shared =
      (read_as<std::uint8_t>(data.subspan(spec::independent::nmic)) & spec::nmic::shared) != 0;
  if (shared == (ns.shared == 1)) return;
  violation(scene, Rule::ns04, fmt::format("{}: NMIC of namespace {} differs", text_of(scene, command), nsid),
            shared ? "private" : "shared", shared ? "shared" : "private", {command.submitted});
}

void check_descriptors(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const std::uint32_t index = resolve_namespace(scene, command.entry.nsid);
  if (index == kNone) return;  // success was judged already
  if (!may_be_inactive(scene.s.namespaces[index], scene.index, command.submitted)) {
    observe_attachment(scene, index, scene.index, true, command.submitted);
  }
  if (may_be_another(scene.s.namespaces[index], command.submitted)) return;
  for (std::size_t at = 0; at + 4 <= data.size();) {
    const auto type = read_as<std::uint8_t>(data.subspan(at));
    const auto length = read_as<std::uint8_t>(data.subspan(at + 1));
    if (length == 0 || at + 4 + length > data.size()) break;
    const auto id = data.subspan(at + 4, length);
    if (type == 1 && length == 8) learn_identity(scene, command, index, 0, id);
    if (type == 2 && length == 16) learn_identity(scene, command, index, 1, id);
    if (type == 3 && length == 16) learn_identity(scene, command, index, 2, id);
    at += 4U + length;
  }
}

}  // namespace polypath::model
