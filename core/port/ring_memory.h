// Where the entries of a queue lie: in one piece, or in the pages of a PRP list. Base specification, "Create
// I/O Completion Queue", "Create I/O Submission Queue", Physically Contiguous.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "port/host_memory.h"

namespace polypath::port {

struct RingMemory {
  std::uint64_t base = 0;            ///< the queue's first byte, or its PRP list; 0: no queue
  std::vector<std::uint64_t> pages;  ///< of a queue that is not in one piece

  /// Address of a byte of the queue.
  [[nodiscard]] std::uint64_t at(std::uint64_t offset) const {
    return pages.empty() ? base + offset : pages[offset / kPageBytes] + offset % kPageBytes;
  }
  /// The other way round; none for an address outside.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    if (pages.empty()) return address < base ? std::nullopt : std::optional(address - base);
    const auto page = std::ranges::find(pages, address / kPageBytes * kPageBytes);
    if (page == pages.end()) return std::nullopt;
    return static_cast<std::uint64_t>(page - pages.begin()) * kPageBytes + address % kPageBytes;
  }
  bool operator==(const RingMemory&) const = default;
};

}  // namespace polypath::port
