// Pages of host memory that open commands use as buffers. When two use one page, what lies there when a
// command ends may be the other's data, so the model does not judge it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/facts.h"

namespace polypath::model {

class BufferPages {
 public:
  /// True when the page is another's already.
  bool use(std::uint64_t page, Seq now) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    std::size_t at = home(page);
    while (slots_[at].users != 0 && slots_[at].page != page) at = (at + 1) & mask();
    Slot& slot = slots_[at];
    if (slot.users == 0) {
      slot = {page, 0, 0};
      ++size_;
    }
    ++slot.users;
    if (slot.users > 1) slot.shared_at = now;
    return slot.users > 1;
  }
  /// Ends one use that began at `since`. True when the page was another's too in that time.
  bool release(std::uint64_t page, Seq since, Seq now) {
    if (slots_.empty()) return false;
    std::size_t at = home(page);
    while (slots_[at].users != 0 && slots_[at].page != page) at = (at + 1) & mask();
    if (slots_[at].users == 0) return false;
    const bool shared = slots_[at].users > 1 || slots_[at].shared_at >= since;
    if (slots_[at].users > 1) slots_[at].shared_at = now;
    if (--slots_[at].users == 0) remove(at);
    return shared;
  }
  void clear() {
    for (auto& slot : slots_) slot.users = 0;
    size_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t page = 0;
    Seq shared_at = 0;
    std::uint32_t users = 0;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t home(std::uint64_t page) const { return (page * 0x9E3779B97F4A7C15ULL >> 32U) & mask(); }
  void remove(std::size_t hole) {
    for (std::size_t at = (hole + 1) & mask(); slots_[at].users != 0; at = (at + 1) & mask()) {
      const std::size_t distance = (at - home(slots_[at].page)) & mask();
      if (distance >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole].users = 0;
    --size_;
  }
  void grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 16 : slots_.size() * 2));
    size_ = 0;
    for (const auto& slot : old) {
      if (slot.users == 0) continue;
      std::size_t at = home(slot.page);
      while (slots_[at].users != 0) at = (at + 1) & mask();
      slots_[at] = slot;
      ++size_;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace polypath::model
