// A topology in QEMU's -device words, parsed and checked: subsystems, controllers, namespaces.
// What the words mean: docs/topology.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "spec/protection.h"

namespace polypath::program {

struct SubsystemSpec {
  std::string id;         ///< QEMU id; for a controller that stands alone: its own id
  std::string nqn;        ///< full NQN: "nqn.2019-08.org.qemu:<id>" (or :<serial> for a controller alone)
  bool implicit = false;  ///< made for a controller without subsys=
  bool operator==(const SubsystemSpec&) const = default;
};

inline constexpr unsigned kMostDstrd = 10;  ///< a page for each doorbell

struct ControllerSpec {
  std::string id;
  std::string serial;
  std::uint32_t subsystem = 0;  ///< index in Topology::subsystems
  std::uint16_t cntlid = 0;     ///< as given (cntlid=), else the next free one of the subsystem
  std::uint16_t max_ioqpairs = 64;
  std::uint16_t msix_vectors = 65;
  std::uint16_t mqes = 2047;  ///< 0's based, CAP.MQES
  std::uint8_t dstrd = 0;     ///< CAP.DSTRD: 4 << DSTRD bytes from doorbell to doorbell
  std::uint8_t mdts = 7;      ///< 2^n pages, 0 no limit
  bool pin = false;        ///< interrupts by pin (INTx), not by MSI-X: one vector, masked by INTMS and INTMC
  std::uint8_t zasl = 0;   ///< longest Zone Append, 2^n pages, 0: as mdts
  bool auto_close = true;  ///< closes implicitly opened zones where others need to be open
  std::string address;     ///< PCI address as Linux prints it, "0000:00:06.0"
  bool operator==(const ControllerSpec&) const = default;
};

/// Zones of a namespace, sizes in bytes.
struct ZonesSpec {
  std::uint64_t size = 0;  ///< 0: it has no zones
  std::uint64_t capacity = 0;
  std::uint32_t max_active = 0, max_open = 0;  ///< 0: no limit
  bool cross_read = false;
  bool extension = false;  ///< descriptors have an extension of 64 bytes
  bool operator==(const ZonesSpec&) const = default;
};

struct NamespaceSpec {
  std::string id;
  std::uint32_t subsystem = 0;
  std::uint32_t nsid = 0;  ///< as given, else the lowest free one of the subsystem
  std::uint64_t bytes = 0;
  std::uint32_t block_bytes = 512;
  bool shared = true;     ///< NMIC b0
  bool detached = false;  ///< attached to no controller at start
  std::int32_t bus = -1;  ///< private: index of the one controller that it is attached to; shared: -1
  std::string drive;      ///< file that holds the data, empty: memory
  std::string uuid, eui64, nguid;  ///< as given; empty: made from subsystem and NSID
  ZonesSpec zones;
  spec::MetadataFormat metadata;  ///< one that the profile has as a LBA format
  bool operator==(const NamespaceSpec&) const = default;
};

struct Topology {
  std::vector<SubsystemSpec> subsystems;
  std::vector<ControllerSpec>
      controllers;  ///< in the order of the words: controller k is Linux's nvme<k> unless probed otherwise
  std::vector<NamespaceSpec> namespaces;
  std::vector<std::string> words;  ///< canonical words, one device each ("nvme,id=nvme0,serial=foo")
  bool operator==(const Topology&) const = default;
};

/// Bad input of any kind: `where` is a place a person finds ("scenario.yaml:12:5"), the text says what to do.
class InputError : public std::runtime_error {
 public:
  InputError(std::string where, const std::string& what)
      : std::runtime_error(where.empty() ? what : where + ": " + what), where_(std::move(where)) {}
  const std::string& where() const { return where_; }

 private:
  std::string where_;
};

struct TopologyOptions {
  bool serial_per_controller = false;  ///< profile qemu-2021: serials may differ within a subsystem
  std::uint64_t default_bytes = 0;  ///< size of a namespace that names neither size= nor drive= (0: an error)
  bool zoned = false;               ///< the profile has the Zoned command set: namespaces may be zoned
  bool memory_media = false;        ///< ignore drive=: all media in memory
  std::map<std::string, std::uint64_t>
      sizes;                 ///< namespace id to bytes (--media memory:ns1=128MiB); wins over the words
  bool check_drives = true;  ///< a drive must be a file that is there; false: its size= is taken at its word
  std::string source = "--qemu-args";  ///< name of a command line in messages, where parse_qemu_args found it
};

inline constexpr std::uint32_t kMostNamespaces = 256;     ///< per subsystem: NSIDs are 1..256
inline constexpr std::uint32_t kMostControllers = 65520;  ///< CNTLID 0..FFEFh
inline constexpr std::uint64_t kMostNamespaceBytes = std::uint64_t{1} << 60U;
inline constexpr std::uint32_t kMostBlockBytes = 65536;

/// A property of a device word: the tables that the parser, its messages and docs/topology.md share.
enum class PropertyUse : std::uint8_t {
  understood,  ///< has its effect
  accepted,    ///< has no effect here
  refused      ///< not supported yet: an error unless its value is off or 0
};
struct PropertyRow {
  std::string_view name;
  std::string_view values;  ///< what may stand there
  std::string_view title;
  PropertyUse use;
  bool ours = false;  ///< QEMU does not know it
};
struct DriverRow {
  std::string_view name;
  std::string_view title;
  std::span<const PropertyRow> properties;
};
std::span<const DriverRow> driver_rows();

/// One device per word, as in a scenario's `topology:` list. places[i] is the place of word i in messages
/// ("word N" where there is none). Throws InputError.
Topology parse_topology(const std::vector<std::string>& words, const std::vector<std::string>& places,
                        const TopologyOptions& options);

/// The words of a QEMU command line ("-device nvme,... -drive file=..."): other options than -device, -drive,
/// -blockdev are skipped and returned in `ignored`. Drives resolve to files. Throws InputError.
Topology parse_qemu_args(std::string_view args, const TopologyOptions& options,
                         std::vector<std::string>* ignored);

/// Canonical words of a topology; parse_topology of them gives the same topology.
std::vector<std::string> topology_words(const Topology& topology);

/// Forgets drives: every namespace keeps its size and lives in memory.
void use_memory_media(Topology& topology);

/// "128MiB", "4k", "134217728" to bytes; empty when the text is no size or overflows.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// "5ms", "10s", "250" (ns) to nanoseconds; empty when the text is no duration or overflows.
std::optional<std::uint64_t> parse_duration(std::string_view text);
/// The shortest exact form: "128MiB", "5ms".
std::string format_size(std::uint64_t bytes);
std::string format_duration(std::uint64_t nanoseconds);

}  // namespace polypath::program
