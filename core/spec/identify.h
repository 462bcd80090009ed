// Identify data structures (4096 bytes each). Base specification, "Identify command"; NVM command set,
// "Identify". Only fields that some room reads or writes have a name; the rest stay reserved bytes at checked
// offsets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace polypath::spec {

inline constexpr std::size_t kIdentifyBytes = 4096;

/// Controller or Namespace Structure (CDW10 7:0 of Identify).
enum class Cns : std::uint8_t {
  ns = 0x00,
  controller = 0x01,
  active_list = 0x02,
  ns_descriptors = 0x03,
  csi_ns = 0x05,
  csi_controller = 0x06,
  csi_active_list = 0x07,
  independent_ns = 0x08,
  format_ns = 0x09,
  csi_format_ns = 0x0A,
  allocated_list = 0x10,
  allocated_ns = 0x11,
  attached_controllers = 0x12,
  controllers = 0x13,
  csi_allocated_list = 0x1A,
  csi_allocated_ns = 0x1B,
  command_sets = 0x1C,
};

#pragma pack(push, 1)
/// CNS 01.
struct IdentifyController {
  std::uint16_t vid, ssvid;
  std::array<char, 20> sn;
  std::array<char, 40> mn;
  std::array<char, 8> fr;
  std::uint8_t rab;
  std::array<std::uint8_t, 3> ieee;
  std::uint8_t cmic;  ///< b0 several ports, b1 several controllers, b3 ANA
  std::uint8_t mdts;  ///< 2^n minimum pages, 0 no limit
  std::uint16_t cntlid;
  std::uint32_t ver, rtd3r, rtd3e, oaes, ctratt;
  std::array<std::uint8_t, 11> reserved100;
  std::uint8_t cntrltype;
  std::array<std::uint8_t, 16> fguid;
  std::array<std::uint16_t, 3> crdt;
  std::array<std::uint8_t, 122> reserved134;
  std::uint16_t oacs;
  std::uint8_t acl, aerl;  ///< 0's based
  std::uint8_t frmw, lpa, elpe, npss, avscc, apsta;
  std::uint16_t wctemp, cctemp, mtfa;
  std::uint32_t hmpre, hmmin;
  std::array<std::uint64_t, 2> tnvmcap, unvmcap;  ///< bytes, 128 bits
  std::uint32_t rpmbs;
  std::uint16_t edstt;
  std::uint8_t dsto, fwug;
  std::uint16_t kas, hctma, mntmt, mxtmt;
  std::uint32_t sanicap, hmminds;
  std::uint16_t hmmaxd, nsetidmax, endgidmax;
  std::uint8_t anatt, anacap;
  std::uint32_t anagrpmax, nanagrpid, pels;
  std::uint16_t domainid;
  std::array<std::uint8_t, 154> reserved358;
  std::uint8_t sqes, cqes;
  std::uint16_t maxcmd;
  std::uint32_t nn;
  std::uint16_t oncs, fuses;
  std::uint8_t fna, vwc;
  std::uint16_t awun, awupf;
  std::uint8_t icsvscc, nwpc;
  std::uint16_t acwu, ocfs;
  std::uint32_t sgls, mnan;
  std::array<std::uint64_t, 2> maxdna;
  std::uint32_t maxcna;
  std::array<std::uint8_t, 204> reserved564;
  std::array<char, 256> subnqn;
  std::array<std::uint8_t, 1024> reserved1024;
  std::array<std::uint8_t, 1024> power_states;
  std::array<std::uint8_t, 1024> vendor;
};

/// CNS 00 and 11 (NVM command set).
struct IdentifyNamespace {
  std::uint64_t nsze, ncap, nuse;  ///< logical blocks
  std::uint8_t nsfeat, nlbaf, flbas, mc, dpc, dps, nmic, rescap, fpi, dlfeat;
  std::uint16_t nawun, nawupf, nacwu, nabsn, nabo, nabspf, noiob;
  std::array<std::uint64_t, 2> nvmcap;  ///< bytes
  std::uint16_t npwg, npwa, npdg, npda, nows;
  std::uint16_t mssrl;
  std::uint32_t mcl;
  std::uint8_t msrc;
  std::array<std::uint8_t, 11> reserved81;
  std::uint32_t anagrpid;
  std::array<std::uint8_t, 3> reserved96;
  std::uint8_t nsattr;
  std::uint16_t nvmsetid, endgid;
  std::array<std::uint8_t, 16> nguid;
  std::array<std::uint8_t, 8> eui64;
  std::array<std::uint32_t, 64> lbaf;  ///< MS 15:0, LBADS 23:16, RP 25:24
  std::array<std::uint8_t, 3712> vendor;
};
#pragma pack(pop)

/// Places in CNS 08, the I/O command set independent Identify Namespace.
namespace independent {
inline constexpr std::size_t nmic = 1, nsattr = 8, nstat = 14;
inline constexpr std::uint8_t ready = 1;  ///< NSTAT
}  // namespace independent

static_assert(sizeof(IdentifyController) == kIdentifyBytes);
static_assert(offsetof(IdentifyController, cmic) == 76 && offsetof(IdentifyController, cntlid) == 78);
static_assert(offsetof(IdentifyController, cntrltype) == 111 && offsetof(IdentifyController, oacs) == 256);
static_assert(offsetof(IdentifyController, tnvmcap) == 280 && offsetof(IdentifyController, kas) == 320);
static_assert(offsetof(IdentifyController, anatt) == 342 && offsetof(IdentifyController, domainid) == 356);
static_assert(offsetof(IdentifyController, sqes) == 512 && offsetof(IdentifyController, oncs) == 520);
static_assert(offsetof(IdentifyController, acwu) == 532 && offsetof(IdentifyController, sgls) == 536);
static_assert(offsetof(IdentifyController, mnan) == 540 && offsetof(IdentifyController, maxcna) == 560);
static_assert(offsetof(IdentifyController, subnqn) == 768 &&
              offsetof(IdentifyController, power_states) == 2048);

static_assert(sizeof(IdentifyNamespace) == kIdentifyBytes);
static_assert(offsetof(IdentifyNamespace, nsfeat) == 24 && offsetof(IdentifyNamespace, nmic) == 30);
static_assert(offsetof(IdentifyNamespace, nvmcap) == 48 && offsetof(IdentifyNamespace, mssrl) == 74);
static_assert(offsetof(IdentifyNamespace, anagrpid) == 92 && offsetof(IdentifyNamespace, nsattr) == 99);
static_assert(offsetof(IdentifyNamespace, nguid) == 104 && offsetof(IdentifyNamespace, eui64) == 120);
static_assert(offsetof(IdentifyNamespace, lbaf) == 128 && offsetof(IdentifyNamespace, vendor) == 384);

namespace cmic {
inline constexpr std::uint8_t several_ports = 1, several_controllers = 2, ana = 8;
}
namespace nmic {
inline constexpr std::uint8_t shared = 1;
}
namespace flbas {
inline constexpr std::uint8_t extended = 0x10;  ///< metadata behind each block
}
namespace dps {
inline constexpr std::uint8_t type = 7, first = 8;
}
namespace nsfeat {
inline constexpr std::uint8_t own_atomic_units = 2,
                              preferred_sizes = 0x10;  ///< NAWUN and others; NPWG to NOWS
}
namespace oacs {
inline constexpr std::uint16_t security = 1, format = 2, firmware = 4, ns_management = 8, self_test = 0x10,
                               directives = 0x20, doorbell_buffer = 0x100, get_lba_status = 0x200;
}
namespace oncs {
inline constexpr std::uint16_t compare = 1, write_uncorrectable = 2, dsm = 4, write_zeroes = 8,
                               save_select = 0x10, reservations = 0x20, timestamp = 0x40, verify = 0x80,
                               copy = 0x100;
}
namespace sgls {
inline constexpr std::uint32_t supported = 3, dword_granularity = 2;  ///< bits 1:0, and one of their values
inline constexpr std::uint32_t bit_bucket = 1U << 16U, longer = 1U << 18U, mptr_segment = 1U << 19U;
}  // namespace sgls
namespace fna {
inline constexpr std::uint8_t format_all = 1, erase_all = 2, crypto = 4, no_broadcast = 8;
}
namespace ctratt {
inline constexpr std::uint32_t non_operational_permissive = 1U << 1, extended_formats = 1U << 15;
}
namespace oaes {
inline constexpr std::uint32_t ns_attribute = 1U << 8, firmware_activation = 1U << 9, ana = 1U << 11,
                               zone_descriptor = 1U << 27;
}

inline constexpr std::size_t kNsListEntries = 1024;          ///< u32 each, ascending, zero padded
inline constexpr std::size_t kControllerListEntries = 2047;  ///< u16 count, then u16 ids ascending

/// Namespace Identifier Type of a descriptor in CNS 03.
enum class NidType : std::uint8_t { eui64 = 1, nguid = 2, uuid = 3, csi = 4 };

}  // namespace polypath::spec
