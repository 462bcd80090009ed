#include "model/namespaces.h"

#include <algorithm>
#include <array>

#include "engine/hash.h"
#include "model/applications.h"
#include "model/attachment.h"
#include "model/format.h"
#include "model/io.h"
#include "model/protection.h"
#include "model/zones.h"

namespace polypath::model {
namespace {

constexpr std::uint32_t kPartBytes = 512;

}  // namespace

std::uint64_t block_digest(const std::uint64_t* parts, std::size_t count) {
  if (count == 1) return parts[0];
  std::uint64_t digest = engine::kHashSeed2;
  for (std::size_t i = 0; i < count; ++i) digest = engine::mix(digest, parts[i]);
  return digest;
}

std::uint64_t zero_digest(std::uint32_t block_bytes) {
  static constexpr std::array<std::byte, kPartBytes> kZeros{};
  static const std::uint64_t kPart = engine::hash_bytes(kZeros.data(), kZeros.size());
  if (block_bytes <= kPartBytes) return kPart;
  std::uint64_t digest = engine::kHashSeed2;
  for (std::uint32_t i = 0; i < block_bytes / kPartBytes; ++i) digest = engine::mix(digest, kPart);
  return digest;
}

void lose_content(Namespace& ns) {
  ns.tracked = false;
  ns.written_untracked = true;
}

void start_content(Namespace& ns, bool zeros, Seq now) {
  ns.content_from = now;
  ns.written_untracked = true;  // once it is not followed any more
  ns.tracked = ns.block_bytes >= kPartBytes && ns.block_bytes % kPartBytes == 0;
  ns.tracked = ns.tracked && metadata_known(ns);
  const UnwrittenValue unwritten = unwritten_value(ns);
  ns.content.start(zeros ? Blocks::Unwritten::zeros : Blocks::Unwritten::stable, unwritten.value,
                   unwritten.known);
}

void start_namespaces(const trace::TraceHeader& header, State& state) {
  state.subsystems.resize(std::max<std::size_t>(header.subsystems.size(), 1));
  for (std::size_t i = 0; i < header.controllers.size(); ++i) {
    const auto& row = header.controllers[i];
    if (row.subsystem >= state.subsystems.size()) state.subsystems.resize(row.subsystem + std::size_t{1});
    auto& subsystem = state.subsystems[row.subsystem];
    subsystem.controllers.push_back(static_cast<std::uint16_t>(i));
    if (!row.initial_state_known) subsystem.complete = false;
  }
  for (const auto& row : header.namespaces) {
    if (row.subsystem >= state.subsystems.size()) state.subsystems.resize(row.subsystem + std::size_t{1});
    auto& subsystem = state.subsystems[row.subsystem];
    Namespace ns;
    ns.subsystem = row.subsystem;
    ns.nsid = row.nsid;
    ns.exists = Fact(true);
    ns.blocks = row.blocks;
    ns.block_bytes = row.blocks != 0 ? row.block_bytes : 0;
    ns.block_size_given = ns.block_bytes != 0;
    ns.metadata.format = row.metadata;
    ns.metadata.given = ns.block_size_given;
    ns.metadata.mask_known = row.metadata.bytes != 0;
    ns.attached_default = row.attachment_known ? Fact(false) : Fact();
    if (row.attachment_known) {
      ns.shared = row.shared ? 1 : 0;
      for (const auto controller : row.attached) edit_attachment(ns, controller).fact = Fact(true);
    } else {
      subsystem.complete = false;
    }
    bool data = true;
    for (const auto controller : subsystem.controllers) {
      data = data && (header.controllers[controller].observed & trace::observed::data) != 0;
    }
    if (data) start_content(ns, row.content_zero, 0);
    if (header.source == "simulator") ns.protection.on = Fact(false);
    subsystem.namespaces.push_back(static_cast<std::uint32_t>(state.namespaces.size()));
    state.namespaces.push_back(std::move(ns));
  }
  for (auto& subsystem : state.subsystems) {
    std::sort(subsystem.namespaces.begin(), subsystem.namespaces.end(),
              [&](std::uint32_t a, std::uint32_t b) {
                return state.namespaces[a].nsid < state.namespaces[b].nsid;
              });
  }
}

std::size_t first_from(const State& state, std::uint32_t subsystem, std::uint32_t nsid) {
  const auto& list = state.subsystems[subsystem].namespaces;
  const auto at = std::lower_bound(
      list.begin(), list.end(), nsid,
      [&](std::uint32_t index, std::uint32_t wanted) { return state.namespaces[index].nsid < wanted; });
  return static_cast<std::size_t>(at - list.begin());
}

std::uint32_t find_namespace(const State& state, std::uint32_t subsystem, std::uint32_t nsid) {
  const auto& list = state.subsystems[subsystem].namespaces;
  const std::size_t at = first_from(state, subsystem, nsid);
  return at < list.size() && state.namespaces[list[at]].nsid == nsid ? list[at] : kNone;
}

namespace {

std::uint32_t insert_namespace(const Scene& scene, std::uint32_t nsid) {
  const std::uint32_t subsystem = scene.c().subsystem;
  auto& list = scene.s.subsystems[subsystem].namespaces;
  const std::size_t at = first_from(scene.s, subsystem, nsid);
  const auto index = static_cast<std::uint32_t>(scene.s.namespaces.size());
  Namespace ns;
  ns.subsystem = subsystem;
  ns.nsid = nsid;
  ns.sanitizes_open = scene.s.subsystems[subsystem].sanitize.starts_open;
  scene.s.namespaces.push_back(std::move(ns));
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), index);
  meet_formats(scene, index);
  return index;
}

}  // namespace

std::uint32_t resolve_namespace(const Scene& scene, std::uint32_t nsid) {
  const std::uint32_t found = find_namespace(scene.s, scene.c().subsystem, nsid);
  if (found != kNone || nsid == 0 || nsid == spec::kBroadcastNsid) return found;
  if (scene.s.subsystems[scene.c().subsystem].complete) return kNone;
  const std::uint32_t index = insert_namespace(scene, nsid);
  meet_open_commands(scene, index);
  return index;
}

std::uint32_t expect_namespace(const Scene& scene, std::uint32_t nsid) {
  const std::uint32_t index = insert_namespace(scene, nsid);
  Namespace& ns = scene.s.namespaces[index];
  ns.exists = ns.attached_default = Fact(false);
  ns.protection.on = Fact(false);
  meet_open_commands(scene, index);
  return index;
}

std::uint32_t create_namespace(const Scene& scene, std::uint32_t nsid, Seq since) {
  std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, nsid);
  if (index == kNone) {
    index = insert_namespace(scene, nsid);
    scene.s.namespaces[index].attached_default = Fact(false);
  }
  Namespace& ns = scene.s.namespaces[index];
  ++ns.incarnation;
  ns.exists.begin(true);
  ns.exists.apply(true, since, scene.now);  // it may have been deleted before the create ended
  ns.born = scene.now;
  ns.created = true;
  // A Format that named the number before anybody knew what it is of may have been of this namespace.
  const Seq formatted = scene.s.subsystems[ns.subsystem].formatted_until;
  if (formatted >= since) ns.formatted_until = std::max(ns.formatted_until, formatted);
  ns.identified = ns.block_size_given = false;
  ns.identity = {};
  ns.tracked = false;
  // What was written while nobody knew which namespace it met may lie in this one.
  ns.written_untracked = ns.doubtful_write >= since || writes_open(scene.s, index);
  ns.formatted = false;
  ns.format_wanted = -1;
  ns.formats = 0;
  // Set Features that named the number before the create ended may have met this namespace already.
  const Subsystem& owner = scene.s.subsystems[ns.subsystem];
  const bool protection_met = ns.protection.open != 0 || ns.protection.touched >= since ||
                              owner.protections_open != 0 || owner.protections_until >= since;
  const std::uint32_t former = ns.protection.open;
  ns.protection = {};
  ns.protection.open = ns.protection.former = former;
  ns.protection.on = protection_met ? Fact() : Fact(false);
  lose_zones(ns);
  ns.metadata = {};
  ns.blocks = 0;
  ns.block_bytes = 0;
  ns.shared = 2;
  // What the controllers had of the one before is gone; a window that reaches back may still meet it.
  for (auto& attached : ns.attached) {
    attached.proven_blocks = 0;
    if (attached.fact.possible(true)) {
      attached.fact.begin(false);
      attached.fact.apply(false, since, scene.now);  // it may have been attached before the create ended
    }
  }
  ns.attached_default = Fact(false);
  return index;
}

const Fact& attachment(const Namespace& ns, std::uint16_t controller) {
  for (const auto& attached : ns.attached) {
    if (attached.controller == controller) return attached.fact;
    if (attached.controller > controller) break;
  }
  return ns.attached_default;
}

Attachment& edit_attachment(Namespace& ns, std::uint16_t controller) {
  auto at = std::lower_bound(ns.attached.begin(), ns.attached.end(), controller,
                             [](const Attachment& a, std::uint16_t wanted) { return a.controller < wanted; });
  if (at == ns.attached.end() || at->controller != controller) {
    Attachment fresh;
    fresh.controller = controller;
    fresh.fact = ns.attached_default;
    at = ns.attached.insert(at, fresh);
  }
  return *at;
}

bool may_be_active(const Namespace& ns, std::uint16_t controller, Seq since) {
  return ns.exists.possible_since(true, since) && attachment(ns, controller).possible_since(true, since);
}

bool may_be_heir(const Namespace& ns, Seq since) { return ns.exists.last_change(true) >= since; }

bool may_be_another(const Namespace& ns, Seq since) {
  const bool sanitized = ns.sanitizes_open != 0 || ns.sanitized_until >= since;
  return may_be_heir(ns, since) || may_be_formatted(ns, since) || sanitized;
}

bool may_be_inactive(const Namespace& ns, std::uint16_t controller, Seq since) {
  return ns.exists.possible_since(false, since) || attachment(ns, controller).possible_since(false, since);
}

void observe_attachment(const Scene& scene, std::uint32_t index, std::uint16_t controller, bool active,
                        Seq since) {
  Namespace& ns = scene.s.namespaces[index];
  Attachment& attached = edit_attachment(ns, controller);
  attached.confirmed = scene.now;
  if (active && ns.exists.possible(false) && ns.exists.possible(true) && ns.exists.quiet_since(since)) {
    ns.exists.decide(true, scene.now);
  }
  const bool exists_surely = ns.exists.surely(true);
  Fact& fact = attached.fact;
  const bool open = fact.possible(true) && fact.possible(false);
  if (open && fact.quiet_since(since) && (active || exists_surely)) fact.decide(active, scene.now);
  if (active && !scene.s.suspects.empty()) path_was_good(scene, index, controller);
}

Rule rule_of_view(const Scene& scene, const Namespace* ns, std::uint16_t controller, bool shown_active) {
  if (ns == nullptr) return Rule::ns01;
  if (shown_active && ns->exists.surely(false) && ns->died != 0) return Rule::ns14;
  Seq confirmed = 0, changed = 0;
  std::uint16_t changed_by = controller;
  for (const auto& attached : ns->attached) {
    if (attached.controller != controller) continue;
    confirmed = attached.confirmed;
    changed = attached.changed;
    changed_by = attached.changed_by;
  }
  for (const auto other : scene.s.subsystems[ns->subsystem].controllers) {
    if (scene.s.controllers[other].reset_from > std::max(confirmed, changed)) return Rule::r10;
  }
  if (changed > confirmed && changed_by != controller) return Rule::ns21;
  return Rule::ns01;
}

}  // namespace polypath::model
