// 64-bit hashing that gives the same value on every compiler and optimization level. Not cryptographic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace polypath::engine {

__extension__ using uint128 = unsigned __int128;

/// Folds the 128-bit product of a and b: one multiplication mixes 16 bytes.
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const uint128 product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

inline constexpr std::uint64_t kHashSeed0 = 0x9E3779B97F4A7C15;  // odd constants with mixed bits
inline constexpr std::uint64_t kHashSeed1 = 0xD1B54A32D192ED03;
inline constexpr std::uint64_t kHashSeed2 = 0x8CB92BA72F3D8DD7;

/// Mixes one word into a running hash. Not for constants of this file as arguments: kHashSeed0 as the hash,
/// or kHashSeed1 as the word, meets itself, and the product is 0 whatever the other is.
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  return fold(hash ^ kHashSeed0, word ^ kHashSeed1) + kHashSeed2;
}

/// Hash of a run of bytes. Two lanes, because a single multiplication chain would wait for itself.
inline std::uint64_t hash_bytes(const void* data, std::size_t size, std::uint64_t seed = 0) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t a = seed ^ kHashSeed0, b = seed ^ kHashSeed2;
  std::size_t left = size;
  std::uint64_t word[4];
  while (left >= 32) {
    std::memcpy(word, bytes, 32);
    a = fold(word[0] ^ kHashSeed1, word[1] ^ a);
    b = fold(word[2] ^ kHashSeed0, word[3] ^ b);
    bytes += 32;
    left -= 32;
  }
  std::uint64_t tail[4] = {0, 0, 0, 0};
  if (left != 0) std::memcpy(tail, bytes, left);
  a = fold(tail[0] ^ kHashSeed1, tail[1] ^ a);
  b = fold(tail[2] ^ kHashSeed0, tail[3] ^ b);
  return fold(a ^ size, b ^ kHashSeed1);
}

/// Running hash over words and bytes, in the order in which they are added.
class Hasher {
 public:
  void add(std::uint64_t word) { value_ = mix(value_, word); }
  void add(std::string_view text) { add_bytes(text.data(), text.size()); }
  void add_bytes(const void* data, std::size_t size) { add(hash_bytes(data, size)); }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = kHashSeed2;
};

}  // namespace polypath::engine
