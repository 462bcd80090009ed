// Finds the open command of a command identifier: open addressing, no allocation once it has grown to a
// queue's depth, never iterated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace polypath::model {

class CidTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::uint32_t find(std::uint16_t cid) const {
    if (slots_.empty()) return kNone;
    for (std::size_t at = home(cid);; at = (at + 1) & mask()) {
      if (slots_[at].value == kNone || slots_[at].cid == cid) return slots_[at].value;
    }
  }
  /// Sets or replaces.
  void set(std::uint16_t cid, std::uint32_t value) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    std::size_t at = home(cid);
    while (slots_[at].value != kNone && slots_[at].cid != cid) at = (at + 1) & mask();
    if (slots_[at].value == kNone) ++size_;
    slots_[at] = {cid, value};
  }
  void erase(std::uint16_t cid) {
    if (find(cid) == kNone) return;
    std::size_t hole = home(cid);
    while (slots_[hole].cid != cid || slots_[hole].value == kNone) hole = (hole + 1) & mask();
    // Entries behind the hole move up, so that no search ends at it too early.
    for (std::size_t at = (hole + 1) & mask(); slots_[at].value != kNone; at = (at + 1) & mask()) {
      const std::size_t distance = (at - home(slots_[at].cid)) & mask();
      if (distance >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole].value = kNone;
    --size_;
  }
  void clear() {
    for (auto& slot : slots_) slot.value = kNone;
    size_ = 0;
  }
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint16_t cid = 0;
    std::uint32_t value = kNone;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t home(std::uint16_t cid) const { return (cid * 0x9E3779B1U >> 8U) & mask(); }
  void grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 16 : slots_.size() * 2));
    size_ = 0;
    for (const auto& slot : old) {
      if (slot.value != kNone) set(slot.cid, slot.value);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace polypath::model
