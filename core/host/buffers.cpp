#include "host/buffers.h"

#include <bit>
#include <cassert>

namespace polypath::host {
namespace {

using port::kPageBytes;

unsigned class_of(std::uint64_t bytes) {
  return static_cast<unsigned>(std::bit_width((bytes + kPageBytes - 1) / kPageBytes - 1));
}

/// Entries that PRP2 must tell, after PRP1's first page.
std::uint64_t further_pages(std::uint64_t address, std::uint64_t bytes) {
  const std::uint64_t first = kPageBytes - address % kPageBytes;
  return bytes <= first ? 0 : (bytes - first + kPageBytes - 1) / kPageBytes;
}

constexpr std::uint64_t kSlots = kPageBytes / 8;

}  // namespace

std::uint64_t BufferPool::take(port::HostMemory& memory, std::uint64_t bytes) {
  assert(bytes > 0 && bytes <= kBufferBytesMax);
  const unsigned size = class_of(bytes);
  std::vector<std::uint64_t>& free = free_[size];
  if (free.empty()) return memory.allocate(kPageBytes << size);
  const std::uint64_t address = free.back();
  free.pop_back();
  return address;
}

void BufferPool::give(std::uint64_t address, std::uint64_t bytes) {
  if (bytes != 0) free_[class_of(bytes)].push_back(address);
}

std::uint64_t prp_list_bytes(std::uint64_t address, std::uint64_t bytes) {
  std::uint64_t left = further_pages(address, bytes);
  if (left <= 1) return 0;
  std::uint64_t pages = 1;
  while (left > kSlots) left -= kSlots - 1, ++pages;  // the last slot of a full page points to the next
  return pages * kPageBytes;
}

PrpPair build_prps(port::HostMemory& memory, std::uint64_t address, std::uint64_t bytes, std::uint64_t list) {
  if (bytes == 0) return {};
  PrpPair pair;
  pair.prp1 = address;
  std::uint64_t left = further_pages(address, bytes);
  std::uint64_t page = address - address % kPageBytes + kPageBytes;
  if (left == 0) return pair;
  if (left == 1) {
    pair.prp2 = page;
    return pair;
  }
  pair.prp2 = list;
  while (left != 0) {
    const bool chained = left > kSlots;
    const std::uint64_t here = chained ? kSlots - 1 : left;
    for (std::uint64_t i = 0; i < here; ++i, page += kPageBytes) memory.write_value(list + 8 * i, page);
    if (chained) memory.write_value(list + 8 * (kSlots - 1), list + kPageBytes);
    list += kPageBytes;
    left -= here;
  }
  return pair;
}

}  // namespace polypath::host
