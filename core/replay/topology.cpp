#include "replay/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace polypath::replay {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kBlockBytes = 512;  // recordings do not tell; said in the sentence

std::uint64_t bytes_of(std::uint64_t blocks_seen) {
  const auto most = program::kMostNamespaceBytes / kBlockBytes;
  const auto bytes = std::min(blocks_seen, most) * kBlockBytes;
  return std::clamp((bytes + kMiB - 1) / kMiB * kMiB, kMiB, program::kMostNamespaceBytes);
}

}  // namespace

program::Topology make_topology(const trace::Recording& recording, const trace::InferredTopology& inferred,
                                std::vector<std::string>& sentences) {
  sentences.insert(sentences.end(), inferred.sentences.begin(), inferred.sentences.end());
  std::vector<std::string> words;
  std::vector<std::size_t> members(inferred.subsystems);
  for (const auto subsystem : inferred.subsystem_of) ++members[subsystem];
  for (std::size_t subsystem = 0; subsystem < members.size(); ++subsystem) {
    if (members[subsystem] > 1) words.push_back(fmt::format("nvme-subsys,id=subsys{}", subsystem));
  }
  for (std::size_t i = 0; i < recording.controllers.size(); ++i) {
    const auto subsystem = inferred.subsystem_of[i];
    auto word = fmt::format("nvme,id={},serial=recorded{}", recording.controllers[i].name, subsystem);
    if (members[subsystem] > 1) word += fmt::format(",subsys=subsys{}", subsystem);
    words.push_back(std::move(word));
  }
  std::set<std::string> ids;
  for (const auto& ns : inferred.namespaces) {
    auto id = fmt::format("ns{}", ns.nsid);
    if (!ids.insert(id).second) {
      id = fmt::format("ns{}-subsys{}", ns.nsid, ns.subsystem);
      ids.insert(id);
    }
    const auto size = program::format_size(bytes_of(ns.blocks_seen));
    const auto home = ns.shared ? fmt::format("subsys=subsys{}", ns.subsystem)
                                : "bus=" + recording.controllers[ns.seen_on.front()].name;
    words.push_back(fmt::format("nvme-ns,id={},nsid={},size={},{}", id, ns.nsid, size, home));
    sentences.push_back(
        ns.blocks_seen == 0
            ? fmt::format("namespace {} is given {}: no I/O told its size", ns.nsid, size)
            : fmt::format("namespace {} is given {} of 512-byte blocks: the highest block seen is {}",
                          ns.nsid, size, ns.blocks_seen - 1));
  }
  return program::parse_topology(words, std::vector<std::string>(words.size(), recording.name), {});
}

}  // namespace polypath::replay
