// Flat tables of rows, referred to by handle (index and generation). State that lives in tables can be
// copied, hashed by a walk, and printed as a difference. A row is a struct with
//     template <class V> void fields(V&& v) const { v("cntlid", cntlid); ... }
// that names every field that belongs to its state.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/hash.h"

namespace polypath::engine {

/// Names a row. Index 0 with generation 0 is "none". A handle to an erased row resolves to null, never to its
/// heir.
struct Handle {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  bool operator==(const Handle&) const = default;
  explicit operator bool() const { return generation != 0; }
};

template <class T>
concept Word = std::is_integral_v<T> || std::is_enum_v<T>;

/// Adds every field of a row to a hash.
struct HashFields {
  Hasher& hasher;
  template <Word T>
  void operator()(const char*, T value) {
    hasher.add(static_cast<std::uint64_t>(value));
  }
  void operator()(const char*, Handle value) {
    hasher.add(std::uint64_t{value.generation} << 32U | value.index);
  }
  void operator()(const char*, const std::string& value) { hasher.add(value); }
  template <class T>
  void operator()(const char* name, const std::vector<T>& values) {
    hasher.add(values.size());
    for (const auto& value : values) (*this)(name, value);
  }
  template <class T, std::size_t N>
  void operator()(const char* name, const std::array<T, N>& values) {
    for (const auto& value : values) (*this)(name, value);
  }
  template <class T>
    requires requires(const T& t, HashFields& v) { t.fields(v); }
  void operator()(const char*, const T& value) {
    value.fields(*this);
  }
};

/// The same without what only history gave: a handle counts as there or not, and fields named in `dropped` do
/// not count. Whoever walks the state names the rows that handles lead to.
struct HashCanonicalFields {
  Hasher& hasher;
  std::span<const std::string_view> dropped;

  template <Word T>
  void operator()(std::string_view name, T value) {
    if (counts(name)) hasher.add(static_cast<std::uint64_t>(value));
  }
  void operator()(std::string_view name, Handle value) {
    if (counts(name)) hasher.add(value ? 1U : 0U);
  }
  void operator()(std::string_view name, const std::string& value) {
    if (counts(name)) hasher.add(value);
  }
  template <class T>
  void operator()(std::string_view name, const std::vector<T>& values) {
    if (!counts(name)) return;
    hasher.add(values.size());
    for (const auto& value : values) (*this)(name, value);
  }
  template <class T, std::size_t N>
  void operator()(std::string_view name, const std::array<T, N>& values) {
    if (!counts(name)) return;
    for (const auto& value : values) (*this)(name, value);
  }
  template <class T>
    requires requires(const T& t, HashCanonicalFields& v) { t.fields(v); }
  void operator()(std::string_view name, const T& value) {
    if (counts(name)) value.fields(*this);
  }

 private:
  bool counts(std::string_view name) const {
    for (const std::string_view other : dropped) {
      if (other == name) return false;
    }
    return true;
  }
};

template <class Row>
class Table {
 public:
  Handle insert(Row row = {}) {
    std::uint32_t index = 0;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    Slot& slot = slots_[index];
    slot.live = true;
    if (++slot.generation == 0) slot.generation = 1;  // generation 0 means none
    slot.row = std::move(row);
    ++size_;
    return {index, slot.generation};
  }
  void erase(Handle handle) {
    if (get(handle) == nullptr) return;
    slots_[handle.index].live = false;
    slots_[handle.index].row = Row{};
    free_.push_back(handle.index);
    --size_;
  }
  Row* get(Handle handle) {
    if (handle.index >= slots_.size()) return nullptr;
    Slot& slot = slots_[handle.index];
    return slot.live && slot.generation == handle.generation ? &slot.row : nullptr;
  }
  const Row* get(Handle handle) const { return const_cast<Table*>(this)->get(handle); }

  /// Row at an index that the caller knows to be live (indices are stable while the row lives).
  Row& operator[](std::uint32_t index) {
    assert(live(index));
    return slots_[index].row;
  }
  const Row& operator[](std::uint32_t index) const {
    assert(live(index));
    return slots_[index].row;
  }
  bool live(std::uint32_t index) const { return index < slots_.size() && slots_[index].live; }
  Handle handle_at(std::uint32_t index) const {
    return live(index) ? Handle{index, slots_[index].generation} : Handle{};
  }

  std::size_t size() const { return size_; }
  std::uint32_t end_index() const { return static_cast<std::uint32_t>(slots_.size()); }

  /// Calls f(index, row) for live rows in order of index. Not for hot paths.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].live) f(i, slots_[i].row);
    }
  }
  template <class F>
  void for_each(F&& f) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].live) f(i, slots_[i].row);
    }
  }

  /// Everything that decides what the table will answer: rows, generations, and which slots serve next.
  void hash(Hasher& hasher) const {
    HashFields visitor{hasher};
    hasher.add(slots_.size());
    for (const Slot& slot : slots_) {
      hasher.add(std::uint64_t{slot.generation} << 1U | (slot.live ? 1U : 0U));
      if (slot.live) slot.row.fields(visitor);
    }
    for (const std::uint32_t index : free_) hasher.add(index);
  }

 private:
  struct Slot {
    Row row{};
    std::uint32_t generation = 0;
    bool live = false;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace polypath::engine
