#include "port/prp.h"

#include <algorithm>

namespace polypath::port {

bool walk_prps(const HostMemory& memory, std::uint64_t prp1, std::uint64_t prp2, std::uint64_t bytes,
               std::vector<Range>& out) {
  out.clear();
  const auto add = [&](std::uint64_t address, std::uint64_t count) {
    if (!out.empty() && out.back().address + out.back().bytes == address) {
      out.back().bytes += count;
    } else {
      out.push_back({address, count});
    }
  };
  if (bytes == 0) return true;
  if (prp1 % 4 != 0) return false;
  const std::uint64_t first = std::min(bytes, kPageBytes - prp1 % kPageBytes);
  add(prp1, first);
  std::uint64_t left = bytes - first;
  if (left == 0) return true;
  if (left <= kPageBytes) {
    if (prp2 % kPageBytes != 0) return false;
    add(prp2, left);
    return true;
  }
  if (prp2 % 8 != 0) return false;
  std::uint64_t list = prp2;
  while (left != 0) {
    const std::uint64_t needed = (left + kPageBytes - 1) / kPageBytes;
    const std::uint64_t fit = (kPageBytes - list % kPageBytes) / 8;
    const bool chained = needed > fit;  // then the last slot of this page points to the next list page
    const std::uint64_t here = chained ? fit - 1 : needed;
    for (std::uint64_t i = 0; i < here; ++i, list += 8) {
      std::uint64_t entry = 0;
      if (!memory.read_value(list, entry) || entry % kPageBytes != 0) return false;
      const std::uint64_t count = std::min(left, kPageBytes);
      add(entry, count);
      left -= count;
    }
    if (chained && (!memory.read_value(list, list) || list % kPageBytes != 0)) return false;
  }
  return true;
}

}  // namespace polypath::port
