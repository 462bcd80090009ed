#include "program/device_word.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "program/wording.h"

namespace polypath::program {
namespace {

constexpr std::size_t kLongestWord = 8192;
constexpr std::size_t kMostProperties = 64;

using enum PropertyUse;
using P = PropertyRow;

constexpr std::array<P, 2> kSubsystem{{
    {"id", "name", "names the subsystem", understood},
    {"nqn", "text", "its NQN is nqn.2019-08.org.qemu:<nqn>, <id> when left out", understood},
}};

constexpr std::array<P, 42> kNvme{{
    {"id", "name", "names the controller; nvme<k> for the k-th when left out", understood},
    {"serial", "text", "serial number, 20 characters at most; must be given", understood},
    {"subsys", "id", "the nvme-subsys it belongs to; alone in a subsystem of its own when left out",
     understood},
    {"cntlid", "0..65519", "controller identifier; the lowest free one when left out", understood, true},
    {"addr", "slot[.function] in hex, or domain:bus:slot.function", "PCI address", understood},
    {"bus", "id of a pcie-root-port, or pcie.0", "what it is plugged into; decides its PCI address",
     understood},
    {"drive", "as for nvme-ns", "gives it a private namespace with NSID 1", understood},
    {"max_ioqpairs", "1..65535", "I/O queue pairs (64)", understood},
    {"num_queues", "2..65536", "the older word: I/O queue pairs and one", understood},
    {"msix_qsize", "1..2048", "interrupt vectors (65)", understood},
    {"pin", "on|off", "interrupts by pin (INTx), not by MSI-X (off)", understood, true},
    {"dstrd", "0..10", "CAP.DSTRD: 2^(2+n) bytes from doorbell to doorbell (0)", understood, true},
    {"mqes", "1..65535", "CAP.MQES: entries of the longest queue, minus one (2047)", understood, true},
    {"mdts", "0..20", "longest transfer, 2^n pages of 4 KiB, 0 for no limit (7)", understood},
    {"aerl", "any", "the profile decides", accepted},
    {"aer_max_queued", "any", "the profile decides", accepted},
    {"vsl", "any", "the profile decides", accepted},
    {"use-intel-id", "any", "the profile decides", accepted},
    {"legacy-cmb", "any", "no effect without a controller memory buffer", accepted},
    {"ioeventfd", "any", "a matter of speed", accepted},
    {"dbcs", "any", "a matter of speed", accepted},
    {"irq-affinity-fd", "any", "a matter of speed", accepted},
    {"bootindex", "any", "nothing boots here", accepted},
    {"romfile", "any", "nothing boots here", accepted},
    {"rombar", "any", "nothing boots here", accepted},
    {"multifunction", "any", "PCI topology beyond the address is not simulated", accepted},
    {"acpi-index", "any", "PCI topology beyond the address is not simulated", accepted},
    {"failover_pair_id", "any", "PCI topology beyond the address is not simulated", accepted},
    {"logical_block_size", "512", "of the namespace of drive=; set it with nvme-ns", accepted},
    {"physical_block_size", "any", "advice that nothing here follows", accepted},
    {"write-cache", "any", "the profile decides", accepted},
    {"share-rw", "any", "media are shared anyway", accepted},
    {"atomic.dn", "any", "the profile decides", accepted},
    {"cmb_size_mb", "0", "controller memory buffer", refused},
    {"pmrdev", "none", "persistent memory region", refused},
    {"sriov_max_vfs", "0", "virtual functions", refused},
    {"sriov_vq_flexible", "0", "virtual functions", refused},
    {"sriov_vi_flexible", "0", "virtual functions", refused},
    {"zoned.zasl", "0..20", "longest Zone Append, 2^n pages of 4 KiB, 0 for that of mdts=", understood},
    {"zoned.auto_transition", "on|off",
     "closes an implicitly opened zone where another needs to be open (on)", understood},
    {"ocp", "off", "OCP log pages", refused},
    {"port", "none", "subsystem ports", refused, true},
}};

constexpr std::array<P, 43> kNamespace{{
    {"id", "name", "names the namespace; ns<nsid> when left out", understood},
    {"nsid", "1..256", "NSID, unique in the subsystem; the lowest free one when left out", understood},
    {"subsys", "id", "shared: attached to all controllers of this nvme-subsys", understood},
    {"bus", "id of an nvme", "private to this controller, or shared in its subsystem (shared=on)",
     understood},
    {"shared", "on|off",
     "may be attached to several controllers; on with subsys=, off with bus=", understood},
    {"detached", "on|off", "exists, and is attached to no controller at start", understood},
    {"drive", "file, or the id of a -drive or -blockdev", "the data; the file's size is the namespace's",
     understood},
    {"size", "128MiB", "size of a namespace in memory, or of the used part of drive=", understood, true},
    {"uuid", "8-4-4-4-12 hex digits", "UUID; made from subsystem and NSID when left out", understood},
    {"eui64", "16 hex digits", "IEEE extended unique identifier", understood},
    {"nguid", "32 hex digits", "namespace globally unique identifier", understood},
    {"logical_block_size", "512..65536, a power of two", "bytes of a logical block (512)", understood},
    {"physical_block_size", "any", "advice that nothing here follows", accepted},
    {"min_io_size", "any", "advice that nothing here follows", accepted},
    {"opt_io_size", "any", "advice that nothing here follows", accepted},
    {"discard_granularity", "any", "advice that nothing here follows", accepted},
    {"write-cache", "any", "the profile decides", accepted},
    {"share-rw", "any", "media are shared anyway", accepted},
    {"bootindex", "any", "nothing boots here", accepted},
    {"backend_defaults", "any", "a matter of QEMU's block layer", accepted},
    {"account-invalid", "any", "a matter of QEMU's block layer", accepted},
    {"account-failed", "any", "a matter of QEMU's block layer", accepted},
    {"eui64-default", "any", "identifiers are made when none is given", accepted},
    {"mssrl", "any", "Copy limits: the profile decides", accepted},
    {"mcl", "any", "Copy limits: the profile decides", accepted},
    {"msrc", "any", "Copy limits: the profile decides", accepted},
    {"zoned", "on|off", "of the Zoned command set; needs profile spec-zoned (off)", understood},
    {"zoned.zone_size", "128MiB", "bytes of a zone; the namespace has whole zones (128MiB)", understood},
    {"zoned.zone_capacity", "96MiB", "bytes of a zone that can be written (all)", understood},
    {"zoned.cross_read", "on|off", "reads may cross the end of a zone (off)", understood},
    {"zoned.max_active", "0..65535", "most active zones, 0 for no limit (0)", understood},
    {"zoned.max_open", "0..65535", "most open zones, 0 for no limit; at most max_active (0)", understood},
    {"zoned.descr_ext_size", "0 or 64", "bytes of a zone descriptor's extension (0)", understood},
    {"ms", "0..64", "bytes of metadata for each block; a LBA format of the profile has to have them (0)",
     understood},
    {"mset", "0 or 1", "1: metadata lie behind each block in one buffer, 0: in a buffer of their own (0)",
     understood},
    {"pi", "0..3", "type of protection information, 0 for none (0)", understood},
    {"pil", "0 or 1", "1: it is the first part of the metadata, 0: the last (0)", understood},
    {"pif", "0..2", "its format: guards of 16, 32 or 64 bits (0)", understood},
    {"sts", "0..64", "bits of its storage tags (0); not a property of QEMU", understood},
    {"fdp.ruhs", "none", "flexible data placement", refused},
    {"atomic.nawun", "0", "atomic writes beyond one block", refused},
    {"ana-group", "0", "asymmetric namespace access", refused, true},
    {"ana-state", "off", "asymmetric namespace access", refused, true},
}};

constexpr std::array<P, 1> kRootPort{{
    {"id", "name", "named by bus= of a controller; every other property is accepted", understood},
}};

constexpr std::array<DriverRow, 4> kDrivers{{
    {"nvme-subsys", "an NVM subsystem that several controllers share", kSubsystem},
    {"nvme", "a controller", kNvme},
    {"nvme-ns", "a namespace", kNamespace},
    {"pcie-root-port", "a slot of its own for a controller: the n-th gives address 0000:<n>:00.0", kRootPort},
}};

std::vector<std::string_view> driver_names() {
  std::vector<std::string_view> names;
  for (const DriverRow& row : kDrivers) names.push_back(row.name);
  return names;
}

bool is_off(std::string_view value) {
  return value == "off" || value == "0" || value == "no" || value == "false" || value == "none" ||
         value.empty();
}

[[noreturn]] void wrong_value(const DeviceWord& word, std::string_view name, const std::string& what) {
  throw InputError(word.place, fmt::format("{}={} of {} is not possible; {}", name,
                                           in_quotes(*word.find(name)), word.driver, what));
}

}  // namespace

std::span<const DriverRow> driver_rows() { return kDrivers; }

const std::string* DeviceWord::find(std::string_view name) const {
  for (const auto& [key, value] : properties) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> split_options(std::string_view text,
                                                               const std::string& place) {
  if (text.size() > kLongestWord) {
    throw InputError(place,
                     fmt::format("this word has {} characters; {} is the limit", text.size(), kLongestWord));
  }
  std::vector<std::pair<std::string, std::string>> pieces;
  std::string piece;
  const auto finish = [&] {
    if (piece.empty()) throw InputError(place, "empty property between two commas; remove one comma");
    const std::size_t equals = piece.find('=');
    std::string key = piece.substr(0, equals);
    std::string value = equals == std::string::npos ? std::string() : piece.substr(equals + 1);
    if (equals == std::string::npos && !pieces.empty()) value = "on";  // a bare flag, as QEMU reads it
    if (!is_clean_text(key, kLongestWord))
      throw InputError(place, "property name " + in_quotes(key) + " is no text; remove control characters");
    if (!is_clean_text(value, kLongestWord)) {
      throw InputError(
          place, fmt::format("value {} of {} is no text; write it without control characters and blanks at "
                             "its ends",
                             in_quotes(value), in_quotes(key)));
    }
    if (pieces.size() == kMostProperties) {
      throw InputError(place,
                       fmt::format("more than {} properties in one word; remove some", kMostProperties));
    }
    pieces.emplace_back(std::move(key), std::move(value));
    piece.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      piece += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      piece += ',';
      ++i;
    } else {
      finish();
    }
  }
  finish();
  return pieces;
}

DeviceWord split_word(std::string_view text, const std::string& place) {
  if (text.empty()) {
    throw InputError(place, "empty word; write a device such as nvme,id=nvme0,serial=foo or remove it");
  }
  if (text[0] == '{') {
    throw InputError(place, "QEMU's JSON form of -device is not understood; write nvme,id=nvme0,serial=foo");
  }
  DeviceWord word;
  word.place = place;
  word.properties = split_options(text, place);
  auto& [key, value] = word.properties.front();
  if (value.empty()) {
    word.driver = key;
  } else if (key == "driver") {
    word.driver = value;
  } else {
    throw InputError(place, fmt::format("begins with property {}; the driver comes first: {}", in_quotes(key),
                                        listing(driver_names())));
  }
  word.properties.erase(word.properties.begin());
  return word;
}

void check_word(const DeviceWord& word) {
  const auto row =
      std::find_if(kDrivers.begin(), kDrivers.end(), [&](const auto& r) { return r.name == word.driver; });
  if (row == kDrivers.end()) {
    throw InputError(word.place, fmt::format("unknown device {}{}", in_quotes(word.driver),
                                             remedy(word.driver, driver_names())));
  }
  std::vector<std::string_view> known;
  for (const PropertyRow& property : row->properties) known.push_back(property.name);
  for (std::size_t i = 0; i < word.properties.size(); ++i) {
    const auto& [key, value] = word.properties[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (word.properties[j].first == key) {
        throw InputError(word.place, fmt::format("property {} is given twice; keep one", in_quotes(key)));
      }
    }
    const auto property = std::find_if(row->properties.begin(), row->properties.end(),
                                       [&](const PropertyRow& p) { return p.name == key; });
    if (property == row->properties.end()) {
      if (row->name == "pcie-root-port") continue;
      throw InputError(word.place, fmt::format("unknown property {} of {}{}", in_quotes(key), word.driver,
                                               remedy(key, known)));
    }
    if (property->use == PropertyUse::refused && !is_off(value)) {
      throw InputError(word.place, fmt::format("{}={} of {}: {}: not supported yet; leave it out", key,
                                               in_quotes(value), word.driver, property->title));
    }
  }
}

std::string word_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    out += c;
    if (c == ',') out += c;
  }
  return out;
}

bool flag_property(const DeviceWord& word, std::string_view name, bool otherwise) {
  const std::string* value = word.find(name);
  if (value == nullptr) return otherwise;
  if (*value == "on" || *value == "yes" || *value == "true") return true;
  if (*value == "off" || *value == "no" || *value == "false") return false;
  wrong_value(word, name, "write on or off");
}

std::uint64_t number_property(const DeviceWord& word, std::string_view name, std::uint64_t otherwise,
                              std::uint64_t least, std::uint64_t most) {
  const std::string* text = word.find(name);
  if (text == nullptr) return otherwise;
  const bool hex = text->starts_with("0x") || text->starts_with("0X");
  const char* const end = text->data() + text->size();
  std::uint64_t value = 0;
  const auto read = std::from_chars(text->data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
  if (read.ec != std::errc{} || read.ptr != end || value < least || value > most) {
    wrong_value(word, name, fmt::format("write a number from {} to {}", least, most));
  }
  return value;
}

std::string hex_property(const DeviceWord& word, std::string_view name, std::size_t digits) {
  const std::string* text = word.find(name);
  if (text == nullptr || *text == "auto" || *text == "0") return {};
  std::string_view rest = *text;
  if (rest.starts_with("0x") || rest.starts_with("0X")) rest.remove_prefix(2);
  std::string out;
  for (const char c : rest) {
    if (c == '-' || c == ':') continue;
    const bool upper = c >= 'A' && c <= 'F';
    if (!upper && !(c >= 'a' && c <= 'f') && !(c >= '0' && c <= '9')) {
      wrong_value(word, name, fmt::format("write {} hexadecimal digits", digits));
    }
    out += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (out.size() != digits) wrong_value(word, name, fmt::format("write {} hexadecimal digits", digits));
  return out;
}

}  // namespace polypath::program
