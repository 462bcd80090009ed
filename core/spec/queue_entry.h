// Submission and completion queue entries as they lie in host memory (little-endian, which every supported
// machine is). Base specification, "Submission Queue Entry" and "Completion Queue Entry".
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "spec/status.h"

namespace polypath::spec {

static_assert(std::endian::native == std::endian::little, "wire structures are overlaid, not converted");

/// Type of a Scatter Gather List descriptor. Base specification, "Scatter Gather List (SGL)".
enum class SglType : std::uint8_t {
  data_block = 0,
  bit_bucket = 1,
  segment = 2,
  last_segment = 3,
  keyed_data_block = 4,
  transport_data_block = 5
};

/// 16 bytes of a Scatter Gather List.
struct SglDescriptor {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::array<std::uint8_t, 3> reserved{};
  std::uint8_t identifier = 0;  ///< 3:0 subtype, 7:4 type

  constexpr SglType type() const { return static_cast<SglType>(identifier >> 4U); }
  constexpr unsigned subtype() const { return identifier & 0xFU; }
  constexpr bool is_segment() const { return type() == SglType::segment || type() == SglType::last_segment; }
  /// Do the address and the length of a segment break a rule of their form?
  constexpr bool malformed_segment() const {
    return length == 0 || length % sizeof(std::uint64_t[2]) != 0 || address % sizeof(std::uint64_t) != 0;
  }
  /// Does what it describes reach beyond 2^64?
  constexpr bool wraps() const { return length != 0 && length - 1 > ~std::uint64_t{0} - address; }
};
static_assert(sizeof(SglDescriptor) == 16 && offsetof(SglDescriptor, identifier) == 15);

/// 64-byte submission queue entry.
struct SubmissionEntry {
  std::uint8_t opcode = 0;
  std::uint8_t flags = 0;  ///< 1:0 FUSE, 7:6 PSDT
  std::uint16_t cid = 0;
  std::uint32_t nsid = 0;
  std::uint32_t cdw2 = 0, cdw3 = 0;
  std::uint64_t mptr = 0;
  std::uint64_t prp1 = 0, prp2 = 0;
  std::uint32_t cdw10 = 0, cdw11 = 0, cdw12 = 0, cdw13 = 0, cdw14 = 0, cdw15 = 0;

  constexpr unsigned fuse() const { return flags & 3U; }
  constexpr unsigned psdt() const { return flags >> 6U; }
  /// SGL1, which lies where the PRP entries lie.
  constexpr SglDescriptor sgl1() const {
    return {prp1, static_cast<std::uint32_t>(prp2), {}, static_cast<std::uint8_t>(prp2 >> 56U)};
  }
  constexpr void set_sgl1(const SglDescriptor& descriptor) {
    prp1 = descriptor.address;
    prp2 = std::uint64_t{descriptor.identifier} << 56U | descriptor.length;
  }
  /// Starting LBA of the NVM commands that have one (CDW11:CDW10).
  constexpr std::uint64_t slba() const { return std::uint64_t{cdw11} << 32U | cdw10; }
  /// Number of logical blocks, 1-based (CDW12 15:00 is 0's based).
  constexpr std::uint32_t block_count() const { return (cdw12 & 0xFFFFU) + 1; }
  /// CDWn for n in 10..15; 0 for other n.
  constexpr std::uint32_t cdw(unsigned n) const {
    switch (n) {
      case 2:
        return cdw2;
      case 3:
        return cdw3;
      case 10:
        return cdw10;
      case 11:
        return cdw11;
      case 12:
        return cdw12;
      case 13:
        return cdw13;
      case 14:
        return cdw14;
      case 15:
        return cdw15;
      default:
        return 0;
    }
  }
  constexpr void set_cdw(unsigned n, std::uint32_t value) {
    switch (n) {
      case 2:
        cdw2 = value;
        break;
      case 3:
        cdw3 = value;
        break;
      case 10:
        cdw10 = value;
        break;
      case 11:
        cdw11 = value;
        break;
      case 12:
        cdw12 = value;
        break;
      case 13:
        cdw13 = value;
        break;
      case 14:
        cdw14 = value;
        break;
      case 15:
        cdw15 = value;
        break;
      default:
        break;
    }
  }
  bool operator==(const SubmissionEntry&) const = default;
};
static_assert(sizeof(SubmissionEntry) == 64);
static_assert(offsetof(SubmissionEntry, cid) == 2 && offsetof(SubmissionEntry, nsid) == 4);
static_assert(offsetof(SubmissionEntry, mptr) == 16 && offsetof(SubmissionEntry, prp1) == 24);
static_assert(offsetof(SubmissionEntry, cdw10) == 40 && offsetof(SubmissionEntry, cdw15) == 60);

/// 16-byte completion queue entry.
struct CompletionEntry {
  std::uint32_t dw0 = 0, dw1 = 0;
  std::uint16_t sqhd = 0, sqid = 0;
  std::uint16_t cid = 0;
  std::uint16_t status_word = 0;  ///< P bit 0, SC 8:1, SCT 11:9, CRD 13:12, M 14, DNR 15

  constexpr bool phase() const { return (status_word & 1U) != 0; }
  constexpr Status status() const { return static_cast<Status>((status_word >> 1U) & 0x7FFU); }
  constexpr unsigned crd() const { return (status_word >> 12U) & 3U; }
  constexpr bool more() const { return (status_word & 0x4000U) != 0; }
  constexpr bool dnr() const { return (status_word & 0x8000U) != 0; }
  /// The 15 bits above the phase, as Linux and ftrace print a status (DNR = 0x4000).
  constexpr std::uint16_t linux_status() const { return static_cast<std::uint16_t>(status_word >> 1U); }
  bool operator==(const CompletionEntry&) const = default;
};
static_assert(sizeof(CompletionEntry) == 16);
static_assert(offsetof(CompletionEntry, sqhd) == 8 && offsetof(CompletionEntry, status_word) == 14);

/// Status word with phase 0 from its parts.
constexpr std::uint16_t make_status_word(Status status, bool dnr, bool more = false, unsigned crd = 0) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(status) << 1U | (crd & 3U) << 12U |
                                    (more ? 0x4000U : 0U) | (dnr ? 0x8000U : 0U));
}

inline constexpr std::uint32_t kBroadcastNsid = 0xFFFFFFFF;
inline constexpr std::uint32_t kAdminQueueEntriesMax = 4096;
inline constexpr std::uint32_t kPageSize = 4096;  ///< host page at CC.MPS = 0, the only one announced so far

/// One range of a Dataset Management list.
struct DatasetRange {
  std::uint32_t attributes = 0;
  std::uint32_t blocks = 0;  ///< not 0's based: 0 names nothing
  std::uint64_t slba = 0;
};
static_assert(sizeof(DatasetRange) == 16);
/// One source of a Copy, descriptor format 0.
struct CopyRange {
  std::uint64_t reserved0 = 0;
  std::uint64_t slba = 0;
  std::uint16_t nlb = 0;  ///< 0's based
  std::uint16_t reserved18 = 0, reserved20 = 0, options = 0;
  std::uint32_t reference_tag = 0;
  std::uint16_t application_tag = 0, application_mask = 0;
};
static_assert(sizeof(CopyRange) == 32);
inline constexpr std::uint32_t kDeallocate = 1U << 2U;  ///< AD, in CDW11 of Dataset Management

}  // namespace polypath::spec
