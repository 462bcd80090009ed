// Sizes of logical blocks by NSID, as identified through any controller of a subsystem: how long a command's
// data are depends on them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace polypath::port {

class BlockSizes {
 public:
  /// Bytes of a logical block; 0 when nobody has identified the namespace since it was made.
  std::uint32_t find(std::uint32_t nsid) const {
    const auto at = from(rows_.begin(), rows_.end(), nsid);
    return at != rows_.end() && at->nsid == nsid ? at->bytes : 0;
  }
  void learn(std::uint32_t nsid, std::uint32_t bytes) {
    const auto at = from(rows_.begin(), rows_.end(), nsid);
    if (at != rows_.end() && at->nsid == nsid) {
      at->bytes = bytes;
    } else {
      rows_.insert(at, {nsid, bytes});
    }
  }
  void forget(std::uint32_t nsid) {
    std::erase_if(rows_, [&](const Row& row) { return row.nsid == nsid; });
  }
  void forget_all() { rows_.clear(); }

 private:
  struct Row {
    std::uint32_t nsid = 0, bytes = 0;
  };
  template <class It>
  static It from(It first, It last, std::uint32_t nsid) {
    return std::lower_bound(first, last, nsid,
                            [](const Row& row, std::uint32_t wanted) { return row.nsid < wanted; });
  }
  std::vector<Row> rows_;  ///< ascending by NSID
};

}  // namespace polypath::port
