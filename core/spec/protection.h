// Metadata of logical blocks and the protection information in it: layouts and guards. NVM command set
// specification, "End-to-end Data Protection" and "Protection Information Formats"; sheet 05, section 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "spec/queue_entry.h"

namespace polypath::spec {

/// Protection Information Format of a LBA format (PIF in its extended format, CNS 05h).
enum class Guard : std::uint8_t { bits16 = 0, bits32 = 1, bits64 = 2 };

/// Guard of bytes that follow on others whose guard is `before`; nothing at all has 0.
std::uint64_t guard_of(Guard guard, std::span<const std::byte> bytes, std::uint64_t before = 0);

/// What a LBA format, and the settings of a namespace, say of its metadata.
struct MetadataFormat {
  std::uint16_t bytes = 0;        ///< MS: of each logical block; 0 none
  bool extended = false;          ///< FLBAS bit 4: behind each block in one buffer; else a buffer of its own
  std::uint8_t type = 0;          ///< DPS 2:0: type of protection information, 0 none
  bool first = false;             ///< DPS bit 3: the first bytes of the metadata; else the last
  Guard guard = Guard::bits16;    ///< PIF
  std::uint8_t storage_bits = 0;  ///< STS: of the tags' space, the most significant
  bool operator==(const MetadataFormat&) const = default;

  /// Bytes of the protection information, whether it is enabled or not.
  constexpr std::uint16_t tuple_bytes() const { return guard == Guard::bits16 ? 8 : 16; }
  /// Where it lies in the metadata.
  constexpr std::size_t tuple_at() const { return first ? 0U : std::size_t{bytes} - tuple_bytes(); }
  /// Bits of storage tag and reference tag together.
  constexpr unsigned space_bits() const {
    return guard == Guard::bits16 ? 32 : (guard == Guard::bits32 ? 80 : 48);
  }
  constexpr unsigned reference_bits() const { return space_bits() - storage_bits; }
  /// Metadata of one block that a command moves. `action`: its PRACT bit, which leaves out metadata that are
  /// protection information and nothing else.
  constexpr std::uint16_t moved(bool action) const {
    return type != 0 && action && bytes == tuple_bytes() ? std::uint16_t{0} : bytes;
  }
  /// Can the metadata hold its protection information, and the space its tags?
  constexpr bool possible() const {
    if (type == 0) return true;
    const unsigned least = guard == Guard::bits32 ? 16 : 0;
    const unsigned most = guard == Guard::bits16 ? 32 : (guard == Guard::bits32 ? 64 : 48);
    return type <= 3 && bytes >= tuple_bytes() && storage_bits >= least && storage_bits <= most;
  }
};

/// A logical block as hosts see it.
struct BlockFormat {
  std::uint32_t bytes = 0;  ///< of its data; 0: not known
  MetadataFormat metadata;
  bool operator==(const BlockFormat&) const = default;
};

/// Protection information of one block, or what a command says of it.
struct Tags {
  std::uint64_t guard = 0;
  std::uint16_t application = 0;
  std::uint64_t storage = 0, reference = 0;
};

/// Bits of a reference tag (all of them set): it counts up modulo this, plus one.
constexpr std::uint64_t reference_mask(const MetadataFormat& format) {
  const unsigned bits = format.reference_bits();
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// The protection information within the metadata of a block.
Tags read_tags(const MetadataFormat& format, std::span<const std::byte> metadata);
void write_tags(const MetadataFormat& format, const Tags& tags, std::span<std::byte> metadata);
/// Initial or expected tags of a command (CDW2, CDW3, CDW14, CDW15): LBAT, LBST, and the reference tag of its
/// first block.
Tags command_tags(const MetadataFormat& format, const SubmissionEntry& entry);

/// PRINFO, CDW12 29:26, and STC, in commands that have them.
namespace prinfo {
inline constexpr std::uint32_t check_reference = 1U << 26U, check_application = 1U << 27U,
                               check_guard = 1U << 28U, action = 1U << 29U, check_storage = 1U << 24U;
}

/// Places in CNS 05h, the Identify Namespace of the NVM command set.
namespace nvm_ns {
inline constexpr std::size_t lbstm = 0, pic = 8, elbaf = 12;
/// PIC: 16-bit guards may have storage tags.
inline constexpr std::uint8_t storage_with_guard16 = 1;
}  // namespace nvm_ns

/// MC and DPC of Identify Namespace.
namespace mc {
inline constexpr std::uint8_t extended = 1, separate = 2;
}
namespace dpc {
inline constexpr std::uint8_t types = 7, first = 8, last = 16;
}

/// One source of a Copy, descriptor format 1: for guards of 32 and 64 bits.
struct CopyRangeLong {
  std::uint64_t reserved0 = 0;
  std::uint64_t slba = 0;
  std::uint16_t nlb = 0;  ///< 0's based
  std::uint16_t reserved18 = 0, reserved20 = 0, options = 0, reserved24 = 0;
  std::uint8_t tags[10] = {};  ///< storage and reference tag, as they lie in protection information
  std::uint16_t application_tag = 0, application_mask = 0;
};
static_assert(sizeof(CopyRangeLong) == 40);

}  // namespace polypath::spec
