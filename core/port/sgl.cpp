#include "port/sgl.h"

#include <algorithm>

#include "trace/event.h"

namespace polypath::port {
namespace {

using spec::SglDescriptor;
using spec::SglType;

/// Reads segment after segment, and tells where each ends.
struct Segments {
  const HostMemory& memory;
  std::vector<SglDescriptor>& descriptors;
  std::vector<std::size_t> ends;  ///< places in `descriptors`, of segments that were read

  void read(const SglDescriptor& pointer) {
    SglDescriptor next = pointer;
    while (next.is_segment() && next.subtype() == 0 && !next.malformed_segment() && !next.wraps()) {
      const std::uint32_t count = next.length / sizeof(SglDescriptor);
      const std::size_t begin = descriptors.size();
      SglDescriptor one;
      for (std::uint32_t i = 0; i < count && descriptors.size() < trace::kMostDescriptors; ++i) {
        if (!memory.read_value(next.address + std::uint64_t{i} * sizeof one, one)) break;
        descriptors.push_back(one);
      }
      if (descriptors.size() != begin) ends.push_back(descriptors.size());
      if (descriptors.size() != begin + count || next.type() == SglType::last_segment) return;
      next = descriptors.back();
    }
  }
};

}  // namespace

bool walk_sgl(const HostMemory& memory, const SglDescriptor& first, std::uint64_t bytes, bool to_host,
              std::vector<Range>& out, std::vector<SglDescriptor>& descriptors) {
  out.clear();
  descriptors.clear();
  Segments segments{memory, descriptors, {}};
  segments.read(first);
  std::uint64_t left = bytes;
  const auto add = [&](std::uint64_t address, std::uint64_t length) {
    const std::uint64_t here = std::min(length, left);
    left -= here;
    if (here == 0) return;
    if (!out.empty() && out.back().address + out.back().bytes == address) {
      out.back().bytes += here;
    } else {
      out.push_back({address, here});
    }
  };
  // What a descriptor other than that of a segment describes; false when it is unlawful.
  const auto take = [&](const SglDescriptor& one) {
    if (one.subtype() != 0) return false;
    switch (one.type()) {
      case SglType::data_block:
        if (one.wraps()) return false;
        add(one.address, one.length);
        return true;
      case SglType::bit_bucket:
        if (to_host) add(trace::kBitBucket, one.length);
        return true;
      default:
        return false;
    }
  };
  if (!first.is_segment()) return take(first) && left == 0;
  std::size_t at = 0;
  for (const std::size_t end : segments.ends) {
    for (; at < end && left != 0; ++at) {
      const bool pointer = descriptors[at].is_segment();
      if (pointer ? at + 1 != end || end == segments.ends.back() : !take(descriptors[at])) return left == 0;
    }
  }
  return left == 0;
}

}  // namespace polypath::port
