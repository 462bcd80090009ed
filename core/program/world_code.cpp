#include "program/world_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "program/pci_address.h"

namespace polypath::program {
namespace {

// Simple shape. First byte: bits 1:0 controllers - 1; bit 2 the last controller stands alone; bits 5:3
// namespaces - 1 (modulo 6); bit 6 profile qemu-2021; bit 7 reserved, ignored. FFh: words follow.
constexpr std::uint8_t kEscape = 0xFF;
constexpr std::uint32_t kSimpleNamespaces = 6;
// One byte for each namespace: bits 1:0 shared, private, shared and detached, private and detached; bits 3:2
// the controller whose subsystem it is in (modulo); bits 6:4 size 1 MiB << 2n; bit 7 blocks of 4096 bytes.
constexpr std::uint8_t kPrivate = 1, kDetached = 2;
// Hosts: bit 0 round-robin; bits 2:1 how far the probe order is rotated; bits 4:3 queues - 1; bit 5 two
// hosts, each with every other controller; bits 7:6 reserved, ignored. FFh: hosts follow one by one.

struct Shape {
  std::uint8_t world = 0;
  std::vector<std::uint8_t> namespaces{0};
};

Topology build(const Shape& shape) {
  Topology topology;
  const std::uint32_t controllers = (shape.world & 3U) + 1U;
  const bool alone = (shape.world & 4U) != 0;
  if (!alone || controllers > 1) {
    topology.subsystems.push_back({"subsys0", "nqn.2019-08.org.qemu:subsys0", false});
  }
  for (std::uint32_t i = 0; i < controllers; ++i) {
    ControllerSpec spec;
    spec.id = fmt::format("nvme{}", i);
    const bool by_itself = alone && i + 1 == controllers;
    spec.serial = by_itself ? "alone" : "shared";
    spec.subsystem = by_itself ? static_cast<std::uint32_t>(topology.subsystems.size()) : 0;
    spec.cntlid = static_cast<std::uint16_t>(by_itself ? 0 : i);
    spec.address = format_pci_address(default_address(i));
    if (by_itself) topology.subsystems.push_back({spec.id, "nqn.2019-08.org.qemu:alone", true});
    topology.controllers.push_back(std::move(spec));
  }
  std::vector<std::uint32_t> last_nsid(topology.subsystems.size(), 0);
  for (std::size_t i = 0; i < shape.namespaces.size(); ++i) {
    const std::uint8_t code = shape.namespaces[i];
    const std::uint32_t controller = (code >> 2U & 3U) % controllers;
    NamespaceSpec spec;
    spec.id = fmt::format("ns{}", i + 1);
    spec.subsystem = topology.controllers[controller].subsystem;
    spec.nsid = ++last_nsid[spec.subsystem];
    spec.bytes = std::uint64_t{1} << (20U + 2U * (code >> 4U & 7U));
    spec.block_bytes = (code & 0x80U) != 0 ? 4096 : 512;
    spec.shared = (code & kPrivate) == 0;
    spec.detached = (code & kDetached) != 0;
    if (!spec.shared) spec.bus = static_cast<std::int32_t>(controller);
    topology.namespaces.push_back(std::move(spec));
  }
  topology.words = topology_words(topology);
  return topology;
}

// The shape that builds this topology, if one does: guess, build, compare.
std::optional<Shape> shape_of(const Topology& topology) {
  const std::size_t controllers = topology.controllers.size(), namespaces = topology.namespaces.size();
  if (controllers < 1 || controllers > 4 || namespaces < 1 || namespaces > kSimpleNamespaces)
    return std::nullopt;
  Shape shape;
  shape.namespaces.clear();
  const bool alone = topology.subsystems[topology.controllers.back().subsystem].implicit;
  shape.world = static_cast<std::uint8_t>((controllers - 1) | (alone ? 4U : 0U) | (namespaces - 1) << 3U);
  for (const NamespaceSpec& spec : topology.namespaces) {
    std::size_t controller = 0;
    while (controller + 1 < controllers && topology.controllers[controller].subsystem != spec.subsystem)
      ++controller;
    if (!spec.shared) controller = static_cast<std::size_t>(std::clamp(spec.bus, 0, 3));
    unsigned size = 0;
    while (size < 7 && spec.bytes > std::uint64_t{1} << (20U + 2U * size)) ++size;
    shape.namespaces.push_back(
        static_cast<std::uint8_t>((spec.shared ? 0U : kPrivate) | (spec.detached ? unsigned{kDetached} : 0U) |
                                  controller << 2U | size << 4U | (spec.block_bytes == 512 ? 0U : 0x80U)));
  }
  if (build(shape) != topology) return std::nullopt;
  return shape;
}

std::vector<HostSpec> build_hosts(std::uint8_t code, const Topology& topology) {
  const std::size_t count = (code & 0x20U) != 0 ? 2 : 1;
  std::vector<HostSpec> hosts(count);
  const std::size_t controllers = topology.controllers.size();
  for (std::size_t i = 0; i < count; ++i) {
    hosts[i].id = fmt::format("host{}", i);
    hosts[i].policy = (code & 1U) != 0 ? "round-robin" : "numa";
    hosts[i].queues = static_cast<std::uint16_t>((code >> 3U & 3U) + 1U);
  }
  for (std::size_t i = 0; i < controllers; ++i) {
    const std::size_t at = (i + (code >> 1U & 3U)) % controllers;
    hosts[at % count].paths.push_back(topology.controllers[at].id);
  }
  return hosts;
}

void write_hosts(WireWriter& out, const Program& program) {
  for (std::uint8_t code = 0; code < 0x40; ++code) {
    if (build_hosts(code, program.topology) != program.hosts) continue;
    out.byte(code);
    return;
  }
  out.byte(kEscape);
  out.number(program.hosts.size());
  for (const HostSpec& host : program.hosts) {
    out.string(host.id);
    out.byte(static_cast<std::uint8_t>((host.policy == "round-robin" ? 1U : 0U) | (host.later ? 2U : 0U)));
    out.number(host.queues);
    out.number(host.queue_depth);
    out.duration(host.io_timeout);
    out.number(host.paths.size());
    for (const std::string& path : host.paths) {
      const auto& all = program.topology.controllers;
      const auto at = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.id == path; });
      out.number(static_cast<std::uint64_t>(at - all.begin()));
    }
  }
}

void read_hosts(WireReader& in, Program& program) {
  const std::uint8_t code = in.byte();
  if (code != kEscape) {
    program.hosts = build_hosts(code, program.topology);
    return;
  }
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count && !in.at_end(); ++i) {
    HostSpec host;
    host.id = in.string();
    const std::uint8_t flags = in.byte();
    host.policy = (flags & 1U) != 0 ? "round-robin" : "numa";
    host.later = (flags & 2U) != 0;
    host.queues = static_cast<std::uint16_t>(std::min<std::uint64_t>(in.number(), kMostHostQueues));
    host.queue_depth = static_cast<std::uint16_t>(std::min<std::uint64_t>(in.number(), 0xFFFF));
    host.io_timeout = in.duration();
    const std::uint64_t paths = in.number();
    for (std::uint64_t j = 0; j < paths && !in.at_end(); ++j) {
      const std::uint64_t controller = in.number();
      if (controller < program.topology.controllers.size()) {
        host.paths.push_back(program.topology.controllers[controller].id);
      }
    }
    program.hosts.push_back(std::move(host));
  }
}

}  // namespace

Topology smallest_topology() { return build({}); }

void write_world(WireWriter& out, const Program& program) {
  const bool spec = program.profile == "spec";
  const auto shape = spec || program.profile == "qemu-2021" ? shape_of(program.topology) : std::nullopt;
  if (shape) {
    out.byte(shape->world | (spec ? 0U : 0x40U));
    for (const std::uint8_t ns : shape->namespaces) out.byte(ns);
  } else {
    out.byte(kEscape);
    out.string(program.profile);
    out.number(program.topology.words.size());
    for (const std::string& word : program.topology.words) out.string(word);
  }
  write_hosts(out, program);
}

void read_world(WireReader& in, Program& program) {
  Shape shape;
  shape.world = in.byte();
  if (shape.world != kEscape) {
    program.profile = (shape.world & 0x40U) != 0 ? "qemu-2021" : "spec";
    shape.namespaces.resize((shape.world >> 3U & 7U) % kSimpleNamespaces + 1U);
    for (std::uint8_t& ns : shape.namespaces) ns = in.byte();
    program.topology = build(shape);
  } else {
    program.profile = in.string();
    std::vector<std::string> words;
    const std::uint64_t count = in.number();
    for (std::uint64_t i = 0; i < count && !in.at_end(); ++i) words.push_back(in.string());
    TopologyOptions options;
    options.serial_per_controller = profile_allows_serials(program.profile);
    options.zoned = profile_has_zones(program.profile);
    options.check_drives = false;
    try {
      program.topology = parse_topology(words, {}, options);
    } catch (const InputError&) {
      program.topology = {};
    }
    if (program.topology.controllers.empty()) program.topology = smallest_topology();
  }
  read_hosts(in, program);
}

}  // namespace polypath::program
