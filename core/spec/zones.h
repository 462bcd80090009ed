// Zoned namespaces: what Identify says of them, zone descriptors, and the actions of zone management. Zoned
// Namespace command set specification.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "spec/identify.h"

namespace polypath::spec {

/// Command Set Identifier: CDW11 31:24 of Identify and of Namespace Management.
inline constexpr std::uint32_t kCsiNvm = 0, kCsiZoned = 2;
/// CC.CSS: every command set that the controller has, and CAP.CSS bit 6 which offers it.
inline constexpr std::uint32_t kAllCommandSets = 6, kCapSeveralSets = 1U << 6;

inline constexpr std::uint32_t kZoneDescriptorBytes = 64;
inline constexpr std::uint32_t kZoneExtensionUnit = 64;  ///< ZDES counts these
inline constexpr std::uint32_t kNoZoneLimit = 0xFFFFFFFF;

/// ZS, as descriptors show it.
enum class ZoneState : std::uint8_t {
  empty = 0x1,
  implicitly_open = 0x2,
  explicitly_open = 0x3,
  closed = 0x4,
  read_only = 0xD,
  full = 0xE,
  offline = 0xF,
};

/// ZSA of Zone Management Send.
enum class ZoneAction : std::uint8_t {
  close = 0x01,
  finish = 0x02,
  open = 0x03,
  reset = 0x04,
  offline = 0x05,
  set_extension = 0x10,
};
/// Bits of CDW13 of Zone Management Send.
inline constexpr std::uint32_t kZoneSelectAll = 1U << 8, kZoneAllocateWindow = 1U << 9;
/// ZRA of Zone Management Receive, and its Partial bit in CDW13.
enum class ZoneReport : std::uint8_t { plain = 0, extended = 1 };
inline constexpr std::uint32_t kZonePartial = 1U << 16;

#pragma pack(push, 1)
struct ZoneFormat {
  std::uint64_t zsze;  ///< blocks of a zone
  std::uint8_t zdes;   ///< bytes of a descriptor's extension, in units of 64
  std::array<std::uint8_t, 7> reserved;
};

/// CNS 05 with CSI 2.
struct IdentifyZonedNamespace {
  std::uint16_t zoc;       ///< b0 variable capacity, b1 the device may finish active zones
  std::uint16_t ozcs;      ///< b0 reads may cross zones, b1 random write area
  std::uint32_t mar, mor;  ///< 0's based, all ones: no limit
  std::uint32_t rrl, frl;
  std::array<std::uint32_t, 6> limits;
  std::uint32_t numzrwa;
  std::uint16_t zrwafg, zrwasz;
  std::uint8_t zrwacap;
  std::array<std::uint8_t, 2763> reserved53;
  std::array<ZoneFormat, 64> lbafe;  ///< by the index of the LBA format
  std::array<std::uint8_t, 256> vendor;
};

struct ZoneDescriptor {
  std::uint8_t type;        ///< 2 in bits 3:0
  std::uint8_t state;       ///< ZoneState in bits 7:4
  std::uint8_t attributes;  ///< zone_attribute
  std::uint8_t information;
  std::uint32_t reserved4;
  std::uint64_t zcap, zslba, wp;
  std::array<std::uint8_t, 32> reserved32;
};

/// Before the descriptors of a report.
struct ZoneReportHeader {
  std::uint64_t zones;
  std::array<std::uint8_t, 56> reserved;
};
#pragma pack(pop)

static_assert(sizeof(IdentifyZonedNamespace) == kIdentifyBytes);
static_assert(offsetof(IdentifyZonedNamespace, numzrwa) == 44 &&
              offsetof(IdentifyZonedNamespace, zrwacap) == 52);
static_assert(offsetof(IdentifyZonedNamespace, lbafe) == 2816 &&
              offsetof(IdentifyZonedNamespace, vendor) == 3840);
static_assert(sizeof(ZoneDescriptor) == kZoneDescriptorBytes && offsetof(ZoneDescriptor, zcap) == 8 &&
              offsetof(ZoneDescriptor, wp) == 24);
static_assert(sizeof(ZoneReportHeader) == 64);

/// Changed Zone List (log BFh): a count, 6 reserved bytes, and the first LBAs of zones.
inline constexpr std::size_t kChangedZonesBytes = 4096, kChangedZonesMost = 511;
inline constexpr std::uint16_t kTooManyChangedZones = 0xFFFF;

inline constexpr std::uint8_t kSequentialWriteRequired = 2;  ///< the one type of zones
namespace zone_attribute {
inline constexpr std::uint8_t finished = 1, finish_recommended = 2, reset_recommended = 4, extension = 0x80;
}
inline constexpr std::uint16_t kVariableCapacity = 1, kReadsCrossZones = 1;  ///< ZOC, OZCS
inline constexpr std::uint16_t kActiveExcursions = 2;                        ///< ZOC

}  // namespace polypath::spec
