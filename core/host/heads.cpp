// Heads and their paths: one head per namespace identity of a subsystem, numbered in order of discovery.
#include <algorithm>

#include "host/act.h"
#include "spec/identify.h"

namespace polypath::host {
namespace {

constexpr std::uint32_t kNvmSets = 1U << 2U;  // CTRATT bit 2

/// Where one of these lets an NSID mean the same namespace on every controller. Base specification,
/// "Namespace Identifier (NSID) and Namespace Relationship".
bool nsids_are_unique(const ControllerFacts& facts) {
  return (facts.oacs & spec::oacs::ns_management) != 0 || (facts.cmic & spec::cmic::ana) != 0 ||
         (facts.ctratt & kNvmSets) != 0;
}

bool any_equal(const Identity& a, const Identity& b) {
  const Identity none;
  return (a.uuid == b.uuid && a.uuid != none.uuid) || (a.nguid == b.nguid && a.nguid != none.nguid) ||
         (a.eui64 == b.eui64 && a.eui64 != none.eui64);
}

std::uint32_t transfer_bytes_max(const Driver& d) {
  if (d.facts.mdts == 0) return kTransferBytesMax;
  const unsigned shift = 12U + d.facts.mdts;
  return shift >= 31 ? kTransferBytesMax : std::min(kTransferBytesMax, 1U << shift);
}

}  // namespace

Handle Act::find_head_for(const Driver& d, std::uint32_t nsid) const {
  const Subsystem& subsystem = s.subsystems[d.subsystem.index];
  const std::vector<HeadKey>& keys = s.hosts[d.host].heads;
  auto at = std::lower_bound(
      keys.begin(), keys.end(), std::pair(subsystem.header_index, nsid),
      [](const HeadKey& key, const auto& wanted) { return std::pair(key.subsystem, key.nsid) < wanted; });
  for (; at != keys.end() && at->subsystem == subsystem.header_index && at->nsid == nsid; ++at) {
    const Head& head = s.heads[at->head.index];
    if (head.subsystem == d.subsystem && (head.shared || nsids_are_unique(d.facts))) return at->head;
  }
  return {};
}

bool Act::identity_elsewhere(std::uint32_t host, Handle subsystem, std::uint32_t nsid,
                             const Identity& identity, bool same_subsystem) const {
  for (const HeadKey& key : s.hosts[host].heads) {
    const Head& head = s.heads[key.head.index];
    if ((head.subsystem == subsystem) != same_subsystem || (same_subsystem && head.nsid == nsid)) continue;
    if (any_equal(head.identity, identity)) return true;
  }
  return false;
}

void Act::add_path(std::uint32_t driver, std::uint32_t nsid, const Identity& identity, const Path& shown,
                   bool shared) {
  Driver& d = s.drivers[driver];
  Path path = shown;
  Handle head = find_head_for(d, nsid);
  if (head) {
    // A second way to a namespace: it must be one that may have several, and the same one.
    const Head& h = s.heads[head.index];
    if ((!shared || !h.shared) && !h.paths.empty()) return;
    if (h.identity != identity) return;
  } else {
    if (identity_elsewhere(d.host, d.subsystem, nsid, identity, true)) return;
    if (identity_elsewhere(d.host, d.subsystem, nsid, identity, false)) {
      if (shared && (d.facts.cmic & spec::cmic::several_controllers) != 0) return;
      path.identity = Identity{};  // identifiers that are not unique identify nothing
      path.identity.csi = identity.csi;
    }
    head = make_head(driver, nsid, path.identity, shown, shared);
  }
  path.head = head;
  const Handle handle = s.paths.insert(path);
  d.paths.insert(std::lower_bound(d.paths.begin(), d.paths.end(), nsid,
                                  [&](Handle p, std::uint32_t n) { return s.paths[p.index].nsid < n; }),
                 handle);
  Head& h = s.heads[head.index];
  PathRecord record;
  record.controller = d.state;
  h.records.push_back(record);
  h.paths.push_back(handle);
  h.transfer_bytes_max = std::min(h.transfer_bytes_max, transfer_bytes_max(d));
  h.live = true;
  note_head(head);
  update_path(handle, path);
  if (h.records.back().ana == AnaState::optimized) {
    const std::int32_t found = search(h.records, s.subsystems[h.subsystem.index].policy);
    if (found != kNoPath) h.current = found;
  }
}

Handle Act::make_head(std::uint32_t driver, std::uint32_t nsid, const Identity& identity, const Path& shown,
                      bool shared) {
  const Driver& d = s.drivers[driver];
  Subsystem& subsystem = s.subsystems[d.subsystem.index];
  Head head;
  head.host = d.host;
  head.subsystem = d.subsystem;
  head.nsid = nsid;
  head.identity = identity;
  head.shared = shared;
  head.multipath =
      (d.facts.cmic & spec::cmic::several_controllers) != 0 && (shared || nsids_are_unique(d.facts));
  head.block_bytes = shown.block_bytes;
  head.metadata = shown.metadata;
  head.blocks = shown.blocks;
  head.transfer_bytes_max = kTransferBytesMax;
  auto& taken = subsystem.number_taken;
  const auto free = std::find(taken.begin(), taken.end(), 0) - taken.begin();
  if (static_cast<std::size_t>(free) == taken.size()) taken.push_back(0);
  taken[static_cast<std::size_t>(free)] = 1;
  head.number = static_cast<std::uint32_t>(free) + 1;
  const Handle handle = s.heads.insert(std::move(head));
  subsystem.heads.push_back(handle);
  std::vector<HeadKey>& keys = s.hosts[d.host].heads;
  const HeadKey key{subsystem.header_index, nsid, handle};
  keys.insert(std::upper_bound(keys.begin(), keys.end(), key,
                               [](const HeadKey& a, const HeadKey& b) {
                                 return std::pair(a.subsystem, a.nsid) < std::pair(b.subsystem, b.nsid);
                               }),
              key);
  return handle;
}

/// What the namespace now says of itself, through one path. The head follows; paths that still say something
/// else are not ready until they have been looked at too.
void Act::update_path(Handle handle, const Path& shown) {
  Path& path = s.paths[handle.index];
  path.blocks = shown.blocks;
  path.used_blocks = shown.used_blocks;
  path.block_bytes = shown.block_bytes;
  path.metadata = shown.metadata;
  Head& head = s.heads[path.head.index];
  head.blocks = shown.blocks;
  head.block_bytes = shown.block_bytes;
  head.metadata = shown.metadata;
  for (std::size_t i = 0; i < head.paths.size(); ++i) {
    const Path& sibling = s.paths[head.paths[i].index];
    head.records[i].ready = sibling.blocks == head.blocks && sibling.block_bytes == head.block_bytes &&
                            sibling.metadata == head.metadata;
  }
  head.current = kNoPath;
  kick(path.head);
}

void Act::remove_path(Handle handle) {
  const Path path = s.paths[handle.index];
  Driver& d = s.drivers[path.driver];
  Head& head = s.heads[path.head.index];
  const auto at =
      static_cast<std::int32_t>(std::find(head.paths.begin(), head.paths.end(), handle) - head.paths.begin());
  if (head.current == at) {
    head.current = kNoPath;
  } else if (head.current > at) {
    --head.current;
  }
  head.paths.erase(head.paths.begin() + at);
  head.records.erase(head.records.begin() + at);
  std::erase(d.paths, handle);
  s.paths.erase(handle);
  note_head(path.head);
  if (head.paths.empty()) {
    remove_head(path.head);
  } else {
    kick(path.head);
  }
}

/// The last path is gone: what waits fails, the name is free once nothing is in progress any more.
void Act::remove_head(Handle handle) {
  Head& head = s.heads[handle.index];
  head.live = false;
  std::erase_if(s.hosts[head.host].heads, [&](const HeadKey& key) { return key.head == handle; });
  std::erase(s.subsystems[head.subsystem.index].heads, handle);
  kick(handle);
  free_head_if_done(handle);
}

void Act::free_head_if_done(Handle handle) {
  const Head* head = s.heads.get(handle);
  if (head == nullptr || head->live || head->in_progress != 0) return;
  if (Subsystem* subsystem = s.subsystems.get(head->subsystem)) subsystem->number_taken[head->number - 1] = 0;
  s.heads.erase(handle);
}

void Act::kick(Handle handle) {
  Head& head = s.heads[handle.index];
  if (head.kicked || head.first == 0) return;
  head.kicked = true;
  ready(What::requeue, handle.index, handle.generation);
}

void Act::kick_all(std::uint32_t driver) {
  for (const Handle path : s.drivers[driver].paths) kick(s.paths[path.index].head);
}

void Act::clear_current(Handle handle) {
  const Path* path = s.paths.get(handle);
  if (path == nullptr) return;
  Head& head = s.heads[path->head.index];
  if (head.current != kNoPath && head.paths[static_cast<std::size_t>(head.current)] == handle)
    head.current = kNoPath;
}

void Act::note_head(Handle handle) const {
  const Head& head = s.heads[handle.index];
  note(trace::Inside::head_state, head.host, handle.index, static_cast<std::uint32_t>(head.paths.size()),
       head.nsid);
}

}  // namespace polypath::host
