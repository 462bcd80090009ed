// Data buffers of one host: pages of its memory, given back and used again, so that I/O does not make memory
// grow.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "port/host_memory.h"

namespace polypath::host {

/// Largest buffer: the greatest request that a host takes.
inline constexpr std::uint64_t kBufferBytesMax = std::uint64_t{16} << 20U;

class BufferPool {
 public:
  /// Page-aligned, contiguous; what it held before is undefined. `bytes` must be 1 to kBufferBytesMax.
  std::uint64_t take(port::HostMemory& memory, std::uint64_t bytes);
  /// `bytes` as taken.
  void give(std::uint64_t address, std::uint64_t bytes);

  template <class V>
  void fields(V&& v) const {
    v("free", free_);
  }

 private:
  std::array<std::vector<std::uint64_t>, 13> free_;  ///< by power of two pages
};

/// Data pointer of a command.
struct PrpPair {
  std::uint64_t prp1 = 0, prp2 = 0;
};
/// Bytes of PRP list that a buffer needs, 0 when PRP1 and PRP2 say it all.
std::uint64_t prp_list_bytes(std::uint64_t address, std::uint64_t bytes);
/// Describes a contiguous buffer; fills the list at `list`, which is page aligned and large enough.
PrpPair build_prps(port::HostMemory& memory, std::uint64_t address, std::uint64_t bytes, std::uint64_t list);

}  // namespace polypath::host
