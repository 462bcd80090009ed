// Sparse map from 64-bit keys to leaves, ordered by key, whose copy is one pointer: a radix trie with
// copy-on-write nodes. Snapshots of media and host memory are copies of this. Reference counts are plain
// integers: a world and its snapshots belong to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/spare_room.h"

namespace polypath::engine {

template <class Leaf>
class CowMap {
 public:
  CowMap() = default;
  CowMap(const CowMap& other) : root_(other.root_), levels_(other.levels_), size_(other.size_) {
    retain(root_);
  }
  CowMap(CowMap&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)),
        levels_(std::exchange(other.levels_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  CowMap& operator=(const CowMap& other) {
    retain(other.root_);
    release(root_, levels_);
    root_ = other.root_;
    levels_ = other.levels_;
    size_ = other.size_;
    return *this;
  }
  CowMap& operator=(CowMap&& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(levels_, other.levels_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~CowMap() { release(root_, levels_); }

  /// Leaf at `key`, null when there is none. Valid until the next edit, erase or assignment.
  const Leaf* find(std::uint64_t key) const {
    if (root_ == nullptr || !fits(key, levels_)) return nullptr;
    const Node* node = root_;
    for (unsigned level = levels_; level > 0; --level) {
      node = static_cast<const Inner*>(node)->child[slot(key, level)];
      if (node == nullptr) return nullptr;
    }
    return &static_cast<const LeafNode*>(node)->leaf;
  }

  /// Leaf at `key` for writing, made (value-initialized) when there is none; shared nodes on the way are
  /// copied.
  Leaf& edit(std::uint64_t key) {
    grow(key);
    Node** link = &root_;
    for (unsigned level = levels_; level > 0; --level) {
      link = &own_inner(link)->child[slot(key, level)];
    }
    if (*link == nullptr) {
      *link = SpareRoom<LeafNode>::make();
      ++size_;
    } else if ((*link)->references > 1) {
      auto* copy = SpareRoom<LeafNode>::make(*static_cast<const LeafNode*>(*link));
      copy->references = 1;
      --(*link)->references;
      *link = copy;
    }
    return static_cast<LeafNode*>(*link)->leaf;
  }

  /// Removes the leaf at `key`, if there is one, and the inner nodes that this leaves empty.
  void erase(std::uint64_t key) {
    if (find(key) == nullptr) return;
    std::array<Node**, kLevelsMax + 1> links{};  // by level: the link that leads there
    links[levels_] = &root_;
    for (unsigned level = levels_; level > 0; --level) {
      links[level - 1] = &own_inner(links[level])->child[slot(key, level)];
    }
    release(*links[0], 0);
    *links[0] = nullptr;
    --size_;
    for (unsigned level = 1; level <= levels_; ++level) {
      auto* inner = static_cast<Inner*>(*links[level]);
      if (std::ranges::any_of(inner->child, [](const Node* child) { return child != nullptr; })) return;
      SpareRoom<Inner>::drop(inner);
      *links[level] = nullptr;
    }
  }

  void clear() {
    release(root_, levels_);
    root_ = nullptr;
    levels_ = 0;
    size_ = 0;
  }

  std::size_t size() const { return size_; }

  /// Calls f(key, leaf) in ascending order of key.
  template <class F>
  void for_each(F&& f) const {
    walk(root_, levels_, 0, f);
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kFanout = std::size_t{1} << kBits;
  static constexpr unsigned kLevelsMax = (64 + kBits - 1) / kBits;

  struct Node {
    std::uint32_t references = 1;
  };
  struct Inner : Node {
    std::array<Node*, kFanout> child{};
  };
  struct LeafNode : Node {
    Leaf leaf{};
  };

  static std::size_t slot(std::uint64_t key, unsigned level) {
    return static_cast<std::size_t>(key >> ((level - 1) * kBits)) & (kFanout - 1);
  }
  static bool fits(std::uint64_t key, unsigned levels) {
    return levels * kBits >= 64 || key >> (levels * kBits) == 0;
  }

  void grow(std::uint64_t key) {
    while (!fits(key, levels_) || levels_ == 0) {
      if (root_ != nullptr) {
        auto* top = SpareRoom<Inner>::make();
        top->child[0] = root_;
        root_ = top;
      }
      ++levels_;
    }
  }

  // Makes the inner node at `link` ours alone: new when absent, copied when shared with another map.
  static Inner* own_inner(Node** link) {
    if (*link == nullptr) {
      *link = SpareRoom<Inner>::make();
    } else if ((*link)->references > 1) {
      auto* copy = SpareRoom<Inner>::make(*static_cast<Inner*>(*link));
      copy->references = 1;
      for (Node* child : copy->child) retain(child);
      --(*link)->references;
      *link = copy;
    }
    return static_cast<Inner*>(*link);
  }

  static void retain(Node* node) {
    if (node != nullptr) ++node->references;
  }
  static void release(Node* node, unsigned level) {
    if (node == nullptr || --node->references != 0) return;
    if (level == 0) {
      SpareRoom<LeafNode>::drop(static_cast<LeafNode*>(node));
      return;
    }
    auto* inner = static_cast<Inner*>(node);
    for (Node* child : inner->child) release(child, level - 1);
    SpareRoom<Inner>::drop(inner);
  }

  template <class F>
  static void walk(const Node* node, unsigned level, std::uint64_t prefix, F& f) {
    if (node == nullptr) return;
    if (level == 0) {
      f(prefix, static_cast<const LeafNode*>(node)->leaf);
      return;
    }
    const auto* inner = static_cast<const Inner*>(node);
    for (std::size_t i = 0; i < kFanout; ++i) walk(inner->child[i], level - 1, prefix << kBits | i, f);
  }

  Node* root_ = nullptr;
  unsigned levels_ = 0;
  std::size_t size_ = 0;
};

}  // namespace polypath::engine
