// Logical blocks by NSID, as identified through any controller of a subsystem: how long a command's data and
// metadata are depends on them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "spec/protection.h"

namespace polypath::port {

class BlockSizes {
 public:
  /// Of no bytes when nobody has identified the namespace since it was made.
  const spec::BlockFormat& find(std::uint32_t nsid) const {
    static constexpr spec::BlockFormat kUnknown{};
    const auto at = from(rows_.begin(), rows_.end(), nsid);
    return at != rows_.end() && at->nsid == nsid ? at->format : kUnknown;
  }
  /// Identify showed it. `since`: when the command was submitted, as the trace counts events; what was asked
  /// before the last delete was is not believed.
  /// `index`: of its LBA format, which chooses among the guards and tags that learn_tags() brought; none
  /// where the format is known in full.
  void learn(std::uint32_t nsid, const spec::BlockFormat& format, std::uint64_t since,
             std::optional<std::uint8_t> index = std::nullopt) {
    Row& row = edit(nsid);
    // Of two at once the one asked later is right about a format that was done before both.
    if (std::max(row.deleted, all_deleted_) > since || row.learned > since) return;
    row.format = format;
    row.index = index;
    row.learned = since;
    apply_tags(row);
  }
  /// ELBAF of all LBA formats, which another structure shows.
  using Tags = std::array<std::uint32_t, 16>;
  void learn_tags(std::uint32_t nsid, const Tags& tags) {
    Row& row = edit(nsid);
    row.tags = tags;
    apply_tags(row);
  }
  /// A delete that was submitted at `since` is done. What was asked after that may be of its heir, and is
  /// kept.
  void forget(std::uint32_t nsid, std::uint64_t since) {
    Row& row = edit(nsid);
    if (row.learned <= since) row.format = {};
    row.deleted = std::max(row.deleted, since);
  }
  void forget_all(std::uint64_t since) {
    for (Row& row : rows_) {
      if (row.learned <= since) row.format = {};
    }
    all_deleted_ = std::max(all_deleted_, since);
  }

 private:
  struct Row {
    std::uint32_t nsid = 0;
    spec::BlockFormat format;
    std::optional<std::uint8_t> index;
    std::optional<Tags> tags;
    std::uint64_t learned = 0, deleted = 0;  ///< submission of the Identify, and of the last delete
  };
  static void apply_tags(Row& row) {
    if (!row.index || !row.tags || *row.index >= row.tags->size()) return;
    const std::uint32_t tags = (*row.tags)[*row.index];
    const unsigned guard = tags >> 7U & 3U;
    row.format.metadata.guard = guard == 3 ? spec::Guard::bits16 : static_cast<spec::Guard>(guard);
    row.format.metadata.storage_bits = static_cast<std::uint8_t>(tags & 0x7FU);
  }
  template <class It>
  static It from(It first, It last, std::uint32_t nsid) {
    return std::lower_bound(first, last, nsid,
                            [](const Row& row, std::uint32_t wanted) { return row.nsid < wanted; });
  }
  Row& edit(std::uint32_t nsid) {
    auto at = from(rows_.begin(), rows_.end(), nsid);
    if (at == rows_.end() || at->nsid != nsid) at = rows_.insert(at, {nsid, {}, {}, {}, 0, 0});
    return *at;
  }

  std::uint64_t all_deleted_ = 0;
  std::vector<Row> rows_;  ///< ascending by NSID
};

}  // namespace polypath::port
