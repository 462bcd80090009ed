// Controller properties (PCIe registers of BAR0). Base specification, "Controller Properties".
#pragma once

#include <cstdint>

namespace polypath::spec {

/// Byte offsets in BAR0.
namespace reg {
inline constexpr std::uint32_t cap = 0x00;    ///< 8 bytes, read only
inline constexpr std::uint32_t vs = 0x08;     ///< 4 bytes, read only
inline constexpr std::uint32_t intms = 0x0C;  ///< write 1 sets a mask bit
inline constexpr std::uint32_t intmc = 0x10;  ///< write 1 clears a mask bit
inline constexpr std::uint32_t cc = 0x14;
inline constexpr std::uint32_t csts = 0x1C;
inline constexpr std::uint32_t nssr = 0x20;
inline constexpr std::uint32_t aqa = 0x24;
inline constexpr std::uint32_t asq = 0x28;  ///< 8 bytes
inline constexpr std::uint32_t acq = 0x30;  ///< 8 bytes
inline constexpr std::uint32_t crto = 0x68;
inline constexpr std::uint32_t doorbells = 0x1000;
}  // namespace reg

/// Field `bits` wide at bit `lsb` of a register or dword.
struct BitField {
  unsigned lsb;
  unsigned bits;
  constexpr std::uint64_t mask() const { return bits >= 64 ? ~0ULL : ((1ULL << bits) - 1) << lsb; }
  constexpr std::uint64_t get(std::uint64_t word) const { return (word & mask()) >> lsb; }
  constexpr std::uint64_t put(std::uint64_t word, std::uint64_t value) const {
    return (word & ~mask()) | ((value << lsb) & mask());
  }
};

namespace cap {
inline constexpr BitField mqes{0, 16}, cqr{16, 1}, ams{17, 2}, to{24, 8}, dstrd{32, 4}, nssrs{36, 1},
    css{37, 8}, mpsmin{48, 4}, mpsmax{52, 4}, crwms{59, 1}, crims{60, 1};
}
namespace cc {
inline constexpr BitField en{0, 1}, css{4, 3}, mps{7, 4}, ams{11, 3}, shn{14, 2}, iosqes{16, 4},
    iocqes{20, 4}, crime{24, 1};
}
namespace csts {
inline constexpr BitField rdy{0, 1}, cfs{1, 1}, shst{2, 2}, nssro{4, 1}, pp{5, 1}, st{6, 1};
}
namespace aqa {
inline constexpr BitField asqs{0, 12}, acqs{16, 12};
}

/// Bits of CC that are no reserved ones.
inline constexpr std::uint32_t kCcFields = 0x01FFFFF1;
/// "NVMe": what written to NSSR begins an NVM Subsystem Reset.
inline constexpr std::uint32_t kSubsystemReset = 0x4E564D65;

inline constexpr std::uint32_t kVersion1_3 = 0x00010300;
inline constexpr std::uint32_t kVersion1_4 = 0x00010400;
inline constexpr std::uint32_t kVersion2_0 = 0x00020000;
inline constexpr std::uint32_t kVersion2_1 = 0x00020100;

enum class ShutdownState : std::uint8_t { normal = 0, processing = 1, complete = 2 };
enum class ShutdownRequest : std::uint8_t { none = 0, normal = 1, abrupt = 2 };

/// Offset of the SQ tail doorbell of queue `qid` at stride CAP.DSTRD.
constexpr std::uint32_t sq_doorbell(std::uint32_t qid, unsigned dstrd) {
  return reg::doorbells + (2 * qid) * (4U << dstrd);
}
/// Offset of the CQ head doorbell of queue `qid` at stride CAP.DSTRD.
constexpr std::uint32_t cq_doorbell(std::uint32_t qid, unsigned dstrd) {
  return reg::doorbells + (2 * qid + 1) * (4U << dstrd);
}

}  // namespace polypath::spec
