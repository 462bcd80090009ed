// Words to a topology: first subsystems, then controllers, then namespaces, so that their order in the text
// is free.
#include "program/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "program/device_word.h"
#include "program/pci_address.h"
#include "program/program.h"
#include "program/wording.h"
#include "spec/queue_entry.h"

namespace polypath::program {
namespace {

constexpr std::string_view kNqnPrefix = "nqn.2019-08.org.qemu:";
constexpr std::size_t kLongestNqn = 223;  // Base specification, "NVMe Qualified Names"
constexpr std::size_t kLongestSerial = 20;
constexpr std::uint64_t kUsualZoneBytes = std::uint64_t{128} << 20U;  // as QEMU has it
constexpr std::uint64_t kMostZones = 16384;

std::vector<std::string_view> keys_of(const std::map<std::string, std::uint32_t>& map) {
  std::vector<std::string_view> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

// The topology as far as it is built, with what only building needs.
struct Draft {
  explicit Draft(const TopologyOptions& o) : options(o) {}

  const TopologyOptions& options;
  Topology topology;
  std::map<std::string, std::string> place_of_id;
  std::map<std::string, std::uint32_t> subsystem_of_id, controller_of_id, port_of_id;
  std::map<std::string, std::string> place_of_nqn;
  std::vector<std::set<std::uint32_t>> cntlids;             ///< by subsystem: taken
  std::vector<std::map<std::uint32_t, std::string>> nsids;  ///< by subsystem: taken, with the taker's place
  std::vector<std::string> serial_place;                    ///< by subsystem: who set its serial
  std::vector<std::string> serial;                          ///< by subsystem
  std::map<std::string, std::string> place_of_address;
};

std::string take_id(Draft& draft, const DeviceWord& word, const std::string& id, const std::string& remedy) {
  if (!is_name(id)) {
    throw InputError(word.place,
                     fmt::format("id={}: a name is a letter, then letters, digits, '_', '-' or '.', {} at "
                                 "most; choose another",
                                 in_quotes(id), kLongestName));
  }
  const auto [at, fresh] = draft.place_of_id.emplace(id, word.place);
  if (!fresh) {
    throw InputError(word.place,
                     fmt::format("id={} is already used at {}; {}", in_quotes(id), at->second, remedy));
  }
  return id;
}

std::uint32_t add_subsystem(Draft& draft, const DeviceWord& word, const std::string& id,
                            std::string_view nqn_part, bool implicit) {
  SubsystemSpec spec;
  spec.id = id;
  spec.nqn = fmt::format("{}{}", kNqnPrefix, nqn_part);
  spec.implicit = implicit;
  if (spec.nqn.size() > kLongestNqn || nqn_part.empty()) {
    throw InputError(word.place, fmt::format("the NQN {} has {} bytes; {} are the limit", in_quotes(spec.nqn),
                                             spec.nqn.size(), kLongestNqn));
  }
  const auto [at, fresh] = draft.place_of_nqn.emplace(spec.nqn, word.place);
  if (!fresh) {
    throw InputError(word.place,
                     fmt::format("the NQN {} already belongs to the subsystem at {}; choose another {}",
                                 in_quotes(spec.nqn), at->second, implicit ? "serial=" : "nqn="));
  }
  draft.topology.subsystems.push_back(std::move(spec));
  draft.cntlids.emplace_back();
  draft.nsids.emplace_back();
  draft.serial.emplace_back();
  draft.serial_place.emplace_back();
  return static_cast<std::uint32_t>(draft.topology.subsystems.size() - 1);
}

void add_subsystem_word(Draft& draft, const DeviceWord& word) {
  const std::string* id = word.find("id");
  if (id == nullptr) throw InputError(word.place, "nvme-subsys has no id; add id=subsys0");
  take_id(draft, word, *id, "choose another id=");
  const std::string* nqn = word.find("nqn");
  draft.subsystem_of_id[*id] = add_subsystem(draft, word, *id, nqn == nullptr ? *id : *nqn, false);
}

void add_root_port(Draft& draft, const DeviceWord& word) {
  const auto number = static_cast<std::uint32_t>(draft.port_of_id.size());
  const std::string* id = word.find("id");
  const std::string name = id == nullptr ? fmt::format("pcie-root-port.{}", number) : *id;
  take_id(draft, word, name, "choose another id=");
  draft.port_of_id[name] = number;
}

std::uint16_t take_cntlid(Draft& draft, const DeviceWord& word, std::uint32_t subsystem) {
  auto& taken = draft.cntlids[subsystem];
  std::uint32_t cntlid = 0;
  if (word.find("cntlid") != nullptr) {
    cntlid = static_cast<std::uint32_t>(number_property(word, "cntlid", 0, 0, kMostControllers - 1));
    if (!taken.insert(cntlid).second) {
      throw InputError(
          word.place,
          fmt::format("cntlid={} is taken in this subsystem; choose another or leave it out", cntlid));
    }
    return static_cast<std::uint16_t>(cntlid);
  }
  return 0;  // given once all explicit ones are known
}

void check_serial(Draft& draft, const DeviceWord& word, const std::string& serial, std::uint32_t subsystem) {
  if (draft.serial_place[subsystem].empty()) {
    draft.serial[subsystem] = serial;
    draft.serial_place[subsystem] = word.place;
  } else if (draft.serial[subsystem] != serial && !draft.options.serial_per_controller) {
    throw InputError(
        word.place,
        fmt::format("serial={} differs from serial={} at {}: controllers of a subsystem have one serial "
                    "number; use the same, or `profile: qemu-2021`, which waives this",
                    in_quotes(serial), in_quotes(draft.serial[subsystem]), draft.serial_place[subsystem]));
  }
}

std::string wanted_address(const Draft& draft, const DeviceWord& word) {
  const std::string* bus = word.find("bus");
  const std::string* addr = word.find("addr");
  if (bus != nullptr && *bus != "pcie.0" && *bus != "pci.0") {
    const auto port = draft.port_of_id.find(*bus);
    if (port == draft.port_of_id.end()) {
      const auto names = keys_of(draft.port_of_id);
      throw InputError(word.place,
                       fmt::format("bus={} is no pcie-root-port{}", in_quotes(*bus), remedy(*bus, names)));
    }
    if (addr != nullptr && parse_pci_address(*addr) != PciAddress{}) {
      throw InputError(word.place,
                       fmt::format("addr={} behind {}: a root port has the one slot 0; leave addr= out",
                                   in_quotes(*addr), in_quotes(*bus)));
    }
    return format_pci_address(root_port_address(port->second));
  }
  if (addr == nullptr) return {};
  const auto parsed = parse_pci_address(*addr);
  if (!parsed) {
    throw InputError(word.place,
                     fmt::format("addr={} is no PCI address; write slot.function in hexadecimal (0x10, 10.0) "
                                 "or 0000:00:10.0",
                                 in_quotes(*addr)));
  }
  return format_pci_address(*parsed);
}

void add_controller(Draft& draft, const DeviceWord& word) {
  Topology& topology = draft.topology;
  if (topology.controllers.size() >= kMostControllers) {
    throw InputError(word.place,
                     fmt::format("more than {} controllers; split the topology", kMostControllers));
  }
  ControllerSpec spec;
  const std::string* id = word.find("id");
  spec.id = take_id(draft, word, id == nullptr ? fmt::format("nvme{}", topology.controllers.size()) : *id,
                    id == nullptr ? "give this controller an id=" : "choose another id=");
  const std::string* serial = word.find("serial");
  if (serial == nullptr || serial->empty()) {
    throw InputError(word.place,
                     fmt::format("controller {} has no serial number; add serial=foo", in_quotes(spec.id)));
  }
  const bool printable =
      std::all_of(serial->begin(), serial->end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
  if (serial->size() > kLongestSerial || !printable) {
    throw InputError(word.place,
                     fmt::format("serial={} is not possible; write at most {} printable ASCII characters",
                                 in_quotes(*serial), kLongestSerial));
  }
  spec.serial = *serial;
  if (const std::string* subsys = word.find("subsys")) {
    const auto at = draft.subsystem_of_id.find(*subsys);
    if (at == draft.subsystem_of_id.end()) {
      const auto names = keys_of(draft.subsystem_of_id);
      throw InputError(word.place, fmt::format("subsys={} is no nvme-subsys{}", in_quotes(*subsys),
                                               remedy(*subsys, names)));
    }
    spec.subsystem = at->second;
  } else {
    spec.subsystem = add_subsystem(draft, word, spec.id, spec.serial, true);
  }
  check_serial(draft, word, spec.serial, spec.subsystem);
  spec.cntlid = take_cntlid(draft, word, spec.subsystem);
  spec.max_ioqpairs =
      static_cast<std::uint16_t>(number_property(word, "max_ioqpairs", spec.max_ioqpairs, 1, 65535));
  if (word.find("num_queues") != nullptr) {
    if (word.find("max_ioqpairs") != nullptr) {
      throw InputError(word.place, "num_queues= and max_ioqpairs= say the same; keep max_ioqpairs=");
    }
    spec.max_ioqpairs = static_cast<std::uint16_t>(number_property(word, "num_queues", 0, 2, 65536) - 1);
  }
  spec.msix_vectors =
      static_cast<std::uint16_t>(number_property(word, "msix_qsize", spec.msix_vectors, 1, 2048));
  spec.pin = flag_property(word, "pin", false);
  spec.dstrd = static_cast<std::uint8_t>(number_property(word, "dstrd", spec.dstrd, 0, kMostDstrd));
  spec.mqes = static_cast<std::uint16_t>(number_property(word, "mqes", spec.mqes, 1, 65535));
  spec.mdts = static_cast<std::uint8_t>(number_property(word, "mdts", spec.mdts, 0, 20));
  spec.address = wanted_address(draft, word);
  if (!spec.address.empty()) {
    const auto [at, fresh] = draft.place_of_address.emplace(spec.address, word.place);
    if (!fresh) {
      throw InputError(word.place,
                       fmt::format("PCI address {} is taken by the controller at {}; choose another",
                                   spec.address, at->second));
    }
  }
  spec.zasl = static_cast<std::uint8_t>(number_property(word, "zoned.zasl", 0, 0, 20));
  spec.auto_close = flag_property(word, "zoned.auto_transition", true);
  draft.controller_of_id[spec.id] = static_cast<std::uint32_t>(topology.controllers.size());
  topology.controllers.push_back(std::move(spec));
}

// The lowest free controller identifiers and the next free PCI addresses, for those that did not ask.
void complete_controllers(Draft& draft, const std::vector<const DeviceWord*>& words) {
  std::vector<std::uint32_t> next(draft.topology.subsystems.size(), 0);
  std::uint32_t slot = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    ControllerSpec& spec = draft.topology.controllers[i];
    if (words[i]->find("cntlid") == nullptr) {
      auto& taken = draft.cntlids[spec.subsystem];
      std::uint32_t& candidate = next[spec.subsystem];
      while (taken.contains(candidate)) ++candidate;
      taken.insert(candidate);
      spec.cntlid = static_cast<std::uint16_t>(candidate);
    }
    if (spec.address.empty()) {
      slot = std::max(slot, static_cast<std::uint32_t>(i));
      do {
        spec.address = format_pci_address(default_address(slot));
        ++slot;
      } while (!draft.place_of_address.emplace(spec.address, words[i]->place).second);
    }
  }
}

void resolve_media(const Draft& draft, const DeviceWord& word, NamespaceSpec& spec) {
  const TopologyOptions& options = draft.options;
  const std::string* size = word.find("size");
  if (size != nullptr) {
    const auto bytes = parse_size(*size);
    if (!bytes)
      throw InputError(word.place,
                       fmt::format("size={} is no size; write 128MiB or bytes", in_quotes(*size)));
    spec.bytes = *bytes;
  }
  const std::string* drive = word.find("drive");
  if (drive != nullptr && drive->empty())
    throw InputError(word.place, "drive= names no file; give one or leave it out");
  if (drive != nullptr && !options.memory_media) {
    spec.drive = *drive;
    if (options.check_drives) {
      std::error_code error;
      const std::filesystem::path path(*drive);
      if (!std::filesystem::is_regular_file(path, error)) {
        throw InputError(word.place,
                         fmt::format("drive={} is no regular file that can be read; make it (truncate -s "
                                     "128M FILE) or use --media memory",
                                     in_quotes(*drive)));
      }
      const std::uint64_t there = std::filesystem::file_size(path, error);
      if (error)
        throw InputError(word.place, fmt::format("drive={}: {}", in_quotes(*drive), error.message()));
      if (size == nullptr) spec.bytes = there / spec.block_bytes * spec.block_bytes;
      if (spec.bytes > there) {
        throw InputError(word.place,
                         fmt::format("size={} is more than the {} bytes of drive={}; lower it or leave it "
                                     "out",
                                     *size, there, in_quotes(*drive)));
      }
    }
  }
  const auto given = options.sizes.find(spec.id);
  if (given != options.sizes.end()) {
    spec.bytes = given->second;
  } else if (size == nullptr && spec.drive.empty()) {
    spec.bytes = options.default_bytes;
    if (spec.bytes == 0) {
      throw InputError(
          word.place,
          fmt::format("namespace {} has no size; add size=128MiB{}", in_quotes(spec.id),
                      options.memory_media ? fmt::format(" or --media memory:{}=128MiB", spec.id) : ""));
    }
  }
  if (spec.bytes < spec.block_bytes || spec.bytes > kMostNamespaceBytes ||
      spec.bytes % spec.block_bytes != 0) {
    throw InputError(
        word.place,
        fmt::format("namespace {} has {} bytes; a size is a multiple of the {}-byte block, from one block to "
                    "{}",
                    in_quotes(spec.id), spec.bytes, spec.block_bytes, format_size(kMostNamespaceBytes)));
  }
}

std::uint64_t size_property(const DeviceWord& word, std::string_view name, std::uint64_t otherwise) {
  const std::string* text = word.find(name);
  if (text == nullptr || *text == "0") return otherwise;
  const auto bytes = parse_size(*text);
  if (!bytes || *bytes == 0) {
    throw InputError(word.place,
                     fmt::format("{}={} is no size; write 64KiB or bytes", name, in_quotes(*text)));
  }
  return *bytes;
}

void resolve_metadata(const DeviceWord& word, NamespaceSpec& spec) {
  spec::MetadataFormat& metadata = spec.metadata;
  const auto number = [&](std::string_view name, std::uint64_t most) {
    return static_cast<std::uint8_t>(number_property(word, name, 0, 0, most));
  };
  metadata.bytes = number("ms", 64);
  metadata.extended = number("mset", 1) != 0;
  metadata.type = number("pi", 3);
  metadata.first = number("pil", 1) != 0;
  metadata.guard = static_cast<spec::Guard>(number("pif", 2));
  metadata.storage_bits = number("sts", 64);
  if (metadata.bytes == 0 && metadata != spec::MetadataFormat{})
    throw InputError(word.place, "mset=, pi=, pil=, pif= and sts= are about metadata; add ms=8");
  if (metadata.bytes == 0) return;
  if (metadata.type == 0 && metadata.first)
    throw InputError(word.place, "pil= says where protection information lies; add pi=1");
  if (!metadata.possible()) {
    throw InputError(word.place,
                     fmt::format("{} bytes of metadata do not hold this protection information; "
                                 "16-bit guards need ms=8 and take sts=0 to 32, others need ms=16, "
                                 "pif=1 with sts=16 to 64, pif=2 with sts=0 to 48",
                                 metadata.bytes));
  }
  if (!spec.drive.empty())
    throw InputError(word.place, "a drive's file has no room for metadata; leave drive= or ms= out");
  if (spec.zones.size != 0)
    throw InputError(word.place, "zones and metadata do not go together here; leave zoned= or ms= out");
}

void resolve_zones(const Draft& draft, const DeviceWord& word, NamespaceSpec& spec) {
  if (!flag_property(word, "zoned", false)) return;
  if (!draft.options.zoned) {
    throw InputError(word.place,
                     "zoned=on needs a profile with the Zoned command set; use `profile: spec-zoned`");
  }
  ZonesSpec& zones = spec.zones;
  zones.size = size_property(word, "zoned.zone_size", kUsualZoneBytes);
  zones.capacity = size_property(word, "zoned.zone_capacity", zones.size);
  zones.max_active = static_cast<std::uint32_t>(number_property(word, "zoned.max_active", 0, 0, 65535));
  zones.max_open = static_cast<std::uint32_t>(number_property(word, "zoned.max_open", 0, 0, 65535));
  // Where only active zones have a limit, open ones, which are active, have it as well.
  if (zones.max_open == 0) zones.max_open = zones.max_active;
  zones.cross_read = flag_property(word, "zoned.cross_read", false);
  const auto extension = number_property(word, "zoned.descr_ext_size", 0, 0, 64);
  zones.extension = extension == 64;
  if (extension != 0 && extension != 64)
    throw InputError(word.place, "zoned.descr_ext_size= is 0 or 64; write one of them");
  // Format NVM may give the namespace blocks of a page, the largest that a profile with zones has.
  const std::uint32_t unit = std::max(spec.block_bytes, spec::kPageSize);
  if (zones.size % unit != 0 || zones.capacity % unit != 0 || zones.capacity > zones.size) {
    throw InputError(word.place,
                     fmt::format("zones of {} bytes, {} of them to be written, are not possible; both are "
                                 "multiples of {}, and the capacity is at most the size",
                                 zones.size, zones.capacity, unit));
  }
  if (spec.bytes % zones.size != 0 || spec.bytes / zones.size > kMostZones) {
    throw InputError(word.place,
                     fmt::format("namespace {} has {} bytes and zones of {}; its size is a multiple of that, "
                                 "and it has at most {} zones",
                                 in_quotes(spec.id), spec.bytes, zones.size, kMostZones));
  }
  if (zones.max_active != 0 && zones.max_open > zones.max_active)
    throw InputError(word.place, "zoned.max_open= is more than zoned.max_active=; lower it");
}

std::string uuid_text(const std::string& digits) {
  if (digits.empty()) return {};
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) + "-" +
         digits.substr(16, 4) + "-" + digits.substr(20);
}

// Which subsystem a namespace belongs to, whether it is shared, and on which bus a private one is.
void place_namespace(const Draft& draft, const DeviceWord& word, NamespaceSpec& spec) {
  const std::string* subsys = word.find("subsys");
  const std::string* bus = word.find("bus");
  if ((subsys == nullptr) == (bus == nullptr)) {
    throw InputError(
        word.place,
        fmt::format("a namespace has either subsys= (shared) or bus= (of one controller), this "
                    "one has {}; {}",
                    subsys == nullptr ? "neither" : "both", subsys == nullptr ? "add one" : "drop one"));
  }
  if (subsys != nullptr) {
    const auto at = draft.subsystem_of_id.find(*subsys);
    if (at == draft.subsystem_of_id.end()) {
      const auto names = keys_of(draft.subsystem_of_id);
      throw InputError(word.place, fmt::format("subsys={} is no nvme-subsys{}", in_quotes(*subsys),
                                               remedy(*subsys, names)));
    }
    spec.subsystem = at->second;
    if (!flag_property(word, "shared", true)) {
      throw InputError(word.place,
                       "subsys= with shared=off: a private namespace names its controller; use bus=");
    }
    return;
  }
  const auto at = draft.controller_of_id.find(*bus);
  if (at == draft.controller_of_id.end()) {
    const auto names = keys_of(draft.controller_of_id);
    throw InputError(word.place,
                     fmt::format("bus={} is no controller{}", in_quotes(*bus), remedy(*bus, names)));
  }
  spec.subsystem = draft.topology.controllers[at->second].subsystem;
  spec.shared = flag_property(word, "shared", false);
  if (!spec.shared) spec.bus = static_cast<std::int32_t>(at->second);
}

// What `drive=` of an nvme word means: the namespace of the days before nvme-ns.
DeviceWord namespace_of_controller(const DeviceWord& word, const std::string& controller) {
  DeviceWord ns;
  ns.driver = "nvme-ns";
  ns.place = word.place;
  ns.index = word.index;
  ns.properties = {
      {"id", controller + "-ns1"}, {"bus", controller}, {"nsid", "1"}, {"drive", *word.find("drive")}};
  return ns;
}

void add_namespaces(Draft& draft, const std::vector<DeviceWord>& words) {
  Topology& topology = draft.topology;
  std::vector<NamespaceSpec> specs(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    place_namespace(draft, words[i], specs[i]);
    if (words[i].find("nsid") == nullptr) continue;
    specs[i].nsid = static_cast<std::uint32_t>(number_property(words[i], "nsid", 0, 1, kMostNamespaces));
    const auto [at, fresh] = draft.nsids[specs[i].subsystem].emplace(specs[i].nsid, words[i].place);
    if (!fresh) {
      throw InputError(words[i].place,
                       fmt::format("nsid={} is taken by the namespace at {}; an NSID means one namespace "
                                   "in the whole subsystem, choose another",
                                   specs[i].nsid, at->second));
    }
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const DeviceWord& word = words[i];
    NamespaceSpec& spec = specs[i];
    auto& taken = draft.nsids[spec.subsystem];
    if (spec.nsid == 0) {
      spec.nsid = 1;
      while (taken.contains(spec.nsid)) ++spec.nsid;
      if (spec.nsid > kMostNamespaces) {
        throw InputError(word.place,
                         fmt::format("subsystem {} has more than {} namespaces; remove some",
                                     in_quotes(topology.subsystems[spec.subsystem].id), kMostNamespaces));
      }
      taken.emplace(spec.nsid, word.place);
    }
    const std::string* id = word.find("id");
    spec.id = take_id(draft, word, id == nullptr ? fmt::format("ns{}", spec.nsid) : *id,
                      id == nullptr ? "give this namespace an id=" : "choose another id=");
    spec.detached = flag_property(word, "detached", false);
    const std::uint64_t block = number_property(word, "logical_block_size", 512, 512, kMostBlockBytes);
    if ((block & (block - 1)) != 0) {
      throw InputError(
          word.place,
          fmt::format("logical_block_size={} is no power of two; write one, such as 4096", block));
    }
    spec.block_bytes = static_cast<std::uint32_t>(block);
    resolve_media(draft, word, spec);
    resolve_zones(draft, word, spec);
    resolve_metadata(word, spec);
    spec.uuid = uuid_text(hex_property(word, "uuid", 32));
    spec.eui64 = hex_property(word, "eui64", 16);
    spec.nguid = hex_property(word, "nguid", 32);
    topology.namespaces.push_back(std::move(spec));
  }
}

}  // namespace

Topology parse_topology(const std::vector<std::string>& words, const std::vector<std::string>& places,
                        const TopologyOptions& options) {
  std::vector<DeviceWord> parsed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string place = i < places.size() ? places[i] : fmt::format("word {}", i + 1);
    parsed.push_back(split_word(words[i], place));
    parsed.back().index = i;
    check_word(parsed.back());
  }
  Draft draft(options);
  for (const DeviceWord& word : parsed) {
    if (word.driver == "nvme-subsys") add_subsystem_word(draft, word);
    if (word.driver == "pcie-root-port") add_root_port(draft, word);
  }
  std::vector<const DeviceWord*> controllers;
  std::vector<DeviceWord> namespaces;
  for (const DeviceWord& word : parsed) {
    if (word.driver == "nvme") {
      add_controller(draft, word);
      controllers.push_back(&word);
      if (word.find("drive") != nullptr) {
        namespaces.push_back(namespace_of_controller(word, draft.topology.controllers.back().id));
      }
    } else if (word.driver == "nvme-ns") {
      namespaces.push_back(word);
    }
  }
  complete_controllers(draft, controllers);
  add_namespaces(draft, namespaces);
  draft.topology.words = topology_words(draft.topology);
  return std::move(draft.topology);
}

std::vector<std::string> topology_words(const Topology& topology) {
  std::vector<std::string> words;
  for (const SubsystemSpec& spec : topology.subsystems) {
    if (spec.implicit) continue;
    std::string word = "nvme-subsys,id=" + spec.id;
    const std::string_view nqn =
        std::string_view(spec.nqn).substr(std::min(kNqnPrefix.size(), spec.nqn.size()));
    if (nqn != spec.id) word += ",nqn=" + word_value(nqn);
    words.push_back(std::move(word));
  }
  // A default is left out where parsing finds it again: the lowest free CNTLID, the next free address.
  std::vector<std::uint32_t> next(topology.subsystems.size(), 0);
  const ControllerSpec usual;
  for (std::size_t i = 0; i < topology.controllers.size(); ++i) {
    const ControllerSpec& spec = topology.controllers[i];
    std::string word = "nvme,id=" + spec.id + ",serial=" + word_value(spec.serial);
    if (!topology.subsystems[spec.subsystem].implicit)
      word += ",subsys=" + topology.subsystems[spec.subsystem].id;
    if (spec.cntlid == next[spec.subsystem]) {
      ++next[spec.subsystem];
    } else {
      word += fmt::format(",cntlid={}", spec.cntlid);
    }
    if (spec.address != format_pci_address(default_address(static_cast<std::uint32_t>(i)))) {
      word += ",addr=" + spec.address;
    }
    if (spec.max_ioqpairs != usual.max_ioqpairs) word += fmt::format(",max_ioqpairs={}", spec.max_ioqpairs);
    if (spec.msix_vectors != usual.msix_vectors) word += fmt::format(",msix_qsize={}", spec.msix_vectors);
    if (spec.pin) word += ",pin=on";
    if (spec.dstrd != usual.dstrd) word += fmt::format(",dstrd={}", spec.dstrd);
    if (spec.mqes != usual.mqes) word += fmt::format(",mqes={}", spec.mqes);
    if (spec.mdts != usual.mdts) word += fmt::format(",mdts={}", spec.mdts);
    if (spec.zasl != usual.zasl) word += fmt::format(",zoned.zasl={}", spec.zasl);
    if (!spec.auto_close) word += ",zoned.auto_transition=off";
    words.push_back(std::move(word));
  }
  for (const NamespaceSpec& spec : topology.namespaces) {
    std::string word =
        fmt::format("nvme-ns,id={},nsid={},size={}", spec.id, spec.nsid, format_size(spec.bytes));
    const SubsystemSpec& subsystem = topology.subsystems[spec.subsystem];
    if (!spec.shared) {
      word += ",bus=" + topology.controllers[static_cast<std::size_t>(spec.bus)].id;
    } else if (subsystem.implicit) {
      word += ",bus=" + subsystem.id + ",shared=on";
    } else {
      word += ",subsys=" + subsystem.id;
    }
    if (spec.detached) word += ",detached=on";
    if (!spec.drive.empty()) word += ",drive=" + word_value(spec.drive);
    if (spec.block_bytes != 512) word += fmt::format(",logical_block_size={}", spec.block_bytes);
    if (spec.metadata.bytes != 0) {
      const spec::MetadataFormat& metadata = spec.metadata;
      word += fmt::format(",ms={}", metadata.bytes);
      if (metadata.extended) word += ",mset=1";
      if (metadata.type != 0) word += fmt::format(",pi={}", metadata.type);
      if (metadata.first) word += ",pil=1";
      if (metadata.guard != spec::Guard::bits16)
        word += fmt::format(",pif={}", static_cast<unsigned>(metadata.guard));
      if (metadata.storage_bits != 0) word += fmt::format(",sts={}", metadata.storage_bits);
    }
    if (spec.zones.size != 0) {
      const ZonesSpec& zones = spec.zones;
      word += ",zoned=on,zoned.zone_size=" + format_size(zones.size);
      if (zones.capacity != zones.size) word += ",zoned.zone_capacity=" + format_size(zones.capacity);
      if (zones.max_active != 0) word += fmt::format(",zoned.max_active={}", zones.max_active);
      if (zones.max_open != zones.max_active) word += fmt::format(",zoned.max_open={}", zones.max_open);
      if (zones.cross_read) word += ",zoned.cross_read=on";
      if (zones.extension) word += ",zoned.descr_ext_size=64";
    }
    if (!spec.uuid.empty()) word += ",uuid=" + spec.uuid;
    if (!spec.eui64.empty()) word += ",eui64=" + spec.eui64;
    if (!spec.nguid.empty()) word += ",nguid=" + spec.nguid;
    words.push_back(std::move(word));
  }
  return words;
}

void use_memory_media(Topology& topology) {
  for (NamespaceSpec& ns : topology.namespaces) ns.drive.clear();
  topology.words = topology_words(topology);
}

}  // namespace polypath::program
