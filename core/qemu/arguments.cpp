#include "qemu/arguments.h"

#include <fmt/format.h>

#include <string_view>

namespace polypath::qemu {
namespace {

constexpr std::uint16_t kMqes = 2047;                             // QEMU's own
constexpr std::string_view kNqnPrefix = "nqn.2019-08.org.qemu:";  // QEMU puts it before what nqn= says

std::uint16_t next_controller_id(const program::Topology& topology, std::size_t controller) {
  std::uint16_t id = 0;
  for (std::size_t k = 0; k < controller; ++k) {
    if (topology.controllers[k].subsystem == topology.controllers[controller].subsystem) ++id;
  }
  return id;
}

// Words of Polypath's own, and of later QEMUs, that this device does not know.
void check_words(const program::Topology& topology) {
  const auto unknown = [](const std::string& id, const std::string& word, const char* remedy) {
    throw program::InputError("--target qemu",
                              fmt::format("{}: {}: QEMU 7.2 does not know this; {}", id, word, remedy));
  };
  if (topology.controllers.size() > kSlots) {
    throw program::InputError("--target qemu",
                              fmt::format("{} controllers, but the bus has {} slots for them",
                                          topology.controllers.size(), kSlots));
  }
  for (std::size_t k = 0; k < topology.controllers.size(); ++k) {
    const auto& controller = topology.controllers[k];
    if (controller.cntlid != next_controller_id(topology, k)) {
      unknown(controller.id, fmt::format("cntlid={}", controller.cntlid), "it numbers controllers itself");
    }
    if (controller.mqes != kMqes) {
      unknown(controller.id, fmt::format("mqes={}", controller.mqes), "its queues have up to 2048 entries");
    }
  }
  for (const auto& ns : topology.namespaces) {
    if (!ns.nguid.empty()) unknown(ns.id, "nguid=" + ns.nguid, "give uuid= or eui64=");
    if (ns.metadata.storage_bits != 0)
      unknown(ns.id, fmt::format("sts={}", ns.metadata.storage_bits), "it has no storage tags");
    if (ns.metadata.guard == spec::Guard::bits32) unknown(ns.id, "pif=1", "its guards have 16 or 64 bits");
  }
}

std::size_t bus_of(const program::Topology& topology, const program::NamespaceSpec& ns) {
  if (ns.bus >= 0) return static_cast<std::size_t>(ns.bus);
  for (std::size_t k = 0; k < topology.controllers.size(); ++k) {
    if (topology.controllers[k].subsystem == ns.subsystem) return k;
  }
  throw program::InputError(
      "--target qemu", fmt::format("{}: its subsystem has no controller; add one, or leave it out", ns.id));
}

// A comma within a value is written twice.
std::string value(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == ',' ? std::string(",,") : std::string(1, c);
  return out;
}

std::string metadata_words(const spec::MetadataFormat& metadata) {
  return fmt::format(",ms={},mset={},pi={},pil={},pif={}", metadata.bytes, metadata.extended ? 1 : 0,
                     metadata.type, metadata.first ? 1 : 0, static_cast<unsigned>(metadata.guard));
}

}  // namespace

// Behind the data of all blocks lie their metadata.
std::uint64_t media_bytes(const program::NamespaceSpec& ns) {
  return ns.bytes + ns.bytes / ns.block_bytes * ns.metadata.bytes;
}

std::vector<std::string> device_arguments(const program::Topology& topology,
                                          const std::vector<std::string>& media) {
  check_words(topology);
  std::vector<std::string> out;
  const auto add = [&](const char* option, std::string words) {
    out.emplace_back(option);
    out.push_back(std::move(words));
  };
  std::vector<std::string> serials(topology.subsystems.size());
  for (std::size_t s = 0; s < topology.subsystems.size(); ++s) {
    const auto& subsystem = topology.subsystems[s];
    if (subsystem.implicit) continue;  // it makes the subsystem of a controller that stands alone by itself
    std::string nqn = subsystem.nqn;
    if (nqn.starts_with(kNqnPrefix)) nqn.erase(0, kNqnPrefix.size());
    add("-device", fmt::format("nvme-subsys,id=polypath-subsys{},nqn={}", s, value(nqn)));
  }
  for (std::size_t k = 0; k < topology.controllers.size(); ++k) {
    const auto& controller = topology.controllers[k];
    std::string& serial = serials[controller.subsystem];  // one for all of them here
    if (serial.empty()) serial = controller.serial;
    std::string words = fmt::format("nvme,id={},serial={},addr={:#x},max_ioqpairs={},msix_qsize={},mdts={}",
                                    controller.id, value(serial), kFirstSlot + k, controller.max_ioqpairs,
                                    controller.msix_vectors, controller.mdts);
    if (!topology.subsystems[controller.subsystem].implicit) {
      words += fmt::format(",subsys=polypath-subsys{}", controller.subsystem);
    }
    add("-device", std::move(words));
  }
  for (std::size_t n = 0; n < topology.namespaces.size(); ++n) {
    const auto& ns = topology.namespaces[n];
    add("-blockdev",
        fmt::format("file,node-name=polypath-file{},filename={},locking=off", n, value(media[n])));
    add("-blockdev",
        fmt::format("raw,node-name=polypath-drive{},file=polypath-file{},size={}", n, n, media_bytes(ns)));
    std::string words = fmt::format(
        "nvme-ns,id={},drive=polypath-drive{},nsid={},bus={},shared={},logical_block_size={},physical_block_"
        "size={}",
        ns.id, n, ns.nsid, topology.controllers[bus_of(topology, ns)].id, ns.shared ? "on" : "off",
        ns.block_bytes, ns.block_bytes);
    if (ns.metadata.bytes != 0) words += metadata_words(ns.metadata);
    if (ns.detached) words += ",detached=on";
    // Without these it would have no identifiers.
    words += ",uuid=" + (ns.uuid.empty() ? fmt::format("00000000-0000-4000-{:04x}-{:012x}",
                                                       0x8000U | ns.subsystem, ns.nsid)
                                         : ns.uuid);
    const std::uint64_t made = 0x525400F000000000ULL | std::uint64_t{ns.subsystem} << 16U | ns.nsid;
    words += ",eui64=0x" + (ns.eui64.empty() ? fmt::format("{:016x}", made) : ns.eui64);
    add("-device", std::move(words));
  }
  return out;
}

}  // namespace polypath::qemu
