// Physical Region Pages: the pieces of host memory that PRP1 and PRP2 describe. Base specification, "PRP
// Entry and List". Used by the observer and by hosts that build commands; the device has its own, so that
// each checks the other.
#pragma once

#include <cstdint>
#include <vector>

#include "port/host_memory.h"

namespace polypath::port {

struct Range {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Range&) const = default;
};

/// Fills `out` (cleared first) with the pieces for `bytes` bytes; neighbours that touch are joined. False
/// when an entry breaks a rule (an offset where none may be, a list outside the memory).
bool walk_prps(const HostMemory& memory, std::uint64_t prp1, std::uint64_t prp2, std::uint64_t bytes,
               std::vector<Range>& out);

}  // namespace polypath::port
