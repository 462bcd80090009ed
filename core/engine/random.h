// Random numbers that are the same on every compiler and standard library: own generator (xoshiro256**) and
// own distributions. A stream is a value, so that it can be part of a world's state; streams of different
// names are independent, so that one reader's extra draw does not move another's numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "engine/hash.h"

namespace polypath::engine {

class Random {
 public:
  explicit Random(std::uint64_t seed = 0, std::uint64_t stream = 0);
  Random(std::uint64_t seed, std::string_view stream);

  /// 64 random bits.
  std::uint64_t next();
  /// Uniform in [0, n), without bias; n must not be 0.
  std::uint64_t below(std::uint64_t n);
  /// Uniform in [low, high], both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high);
  /// True `numerator` times in `denominator`, exactly.
  bool bernoulli(std::uint64_t numerator, std::uint64_t denominator);

  /// Every order is equally likely.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[static_cast<std::size_t>(below(left))]);
    }
  }

  void hash(Hasher& hasher) const;
  bool operator==(const Random&) const = default;

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace polypath::engine
