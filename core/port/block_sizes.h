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
  /// Identify showed it. `since`: when the command was submitted, as the trace counts events; what was asked
  /// before the last delete was is not believed.
  void learn(std::uint32_t nsid, std::uint32_t bytes, std::uint64_t since) {
    Row& row = edit(nsid);
    // Of two at once the one asked later is right about a format that was done before both.
    if (std::max(row.deleted, all_deleted_) > since || row.learned > since) return;
    row.bytes = bytes;
    row.learned = since;
  }
  /// A delete that was submitted at `since` is done. What was asked after that may be of its heir, and is
  /// kept.
  void forget(std::uint32_t nsid, std::uint64_t since) {
    Row& row = edit(nsid);
    if (row.learned <= since) row.bytes = 0;
    row.deleted = std::max(row.deleted, since);
  }
  void forget_all(std::uint64_t since) {
    for (Row& row : rows_) {
      if (row.learned <= since) row.bytes = 0;
    }
    all_deleted_ = std::max(all_deleted_, since);
  }

 private:
  struct Row {
    std::uint32_t nsid = 0, bytes = 0;
    std::uint64_t learned = 0, deleted = 0;  ///< submission of the Identify, and of the last delete
  };
  template <class It>
  static It from(It first, It last, std::uint32_t nsid) {
    return std::lower_bound(first, last, nsid,
                            [](const Row& row, std::uint32_t wanted) { return row.nsid < wanted; });
  }
  Row& edit(std::uint32_t nsid) {
    auto at = from(rows_.begin(), rows_.end(), nsid);
    if (at == rows_.end() || at->nsid != nsid) at = rows_.insert(at, {nsid, 0, 0, 0});
    return *at;
  }

  std::uint64_t all_deleted_ = 0;
  std::vector<Row> rows_;  ///< ascending by NSID
};

}  // namespace polypath::port
