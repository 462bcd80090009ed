// Memory of one host, as its controllers reach it: sparse pages, copy-on-write, zero until written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "engine/cow_map.h"
#include "engine/hash.h"

namespace polypath::port {

inline constexpr std::uint64_t kPageBytes = 4096;

class HostMemory {
 public:
  /// Addresses from 0 up to `limit` exist; an access beyond it fails (a Data Transfer Error for a
  /// controller).
  explicit HostMemory(std::uint64_t limit = std::uint64_t{1} << 40U) : limit_(limit) {}
  /// Memory that somebody else sees too (an emulator): no copy of it is a snapshot.
  explicit HostMemory(std::span<std::byte> mapped) : limit_(mapped.size()), mapped_(mapped.data()) {}

  std::uint64_t limit() const { return limit_; }
  bool contains(std::uint64_t address, std::uint64_t bytes) const {
    return address <= limit_ && bytes <= limit_ - address;
  }

  /// False, and nothing is touched, when the range leaves the memory.
  bool read(std::uint64_t address, std::span<std::byte> out) const;
  bool write(std::uint64_t address, std::span<const std::byte> data);
  template <class T>
  bool read_value(std::uint64_t address, T& out) const {
    // A copy of known size is a few moves.
    const std::byte* from =
        in_one_page(address, sizeof(T)) && contains(address, sizeof(T)) ? peek(address) : nullptr;
    if (from != nullptr) {
      std::memcpy(&out, from, sizeof(T));
      return true;
    }
    return read(address, {reinterpret_cast<std::byte*>(&out), sizeof(T)});
  }
  template <class T>
  bool write_value(std::uint64_t address, const T& value) {
    if (in_one_page(address, sizeof(T)) && contains(address, sizeof(T))) {
      std::memcpy(poke(address), &value, sizeof(T));
      return true;
    }
    return write(address, {reinterpret_cast<const std::byte*>(&value), sizeof(T)});
  }

  /// Contiguous bytes inside one page, for copying without a bounce buffer: null when the page was never
  /// written (it reads as zeros). The range must not cross a page.
  const std::byte* peek(std::uint64_t address) const;
  /// The same for writing; makes the page.
  std::byte* poke(std::uint64_t address);

  /// Hands out `bytes` of zeroed memory aligned to a page (a host's allocator; nothing is ever given back
  /// twice).
  std::uint64_t allocate(std::uint64_t bytes);

  void hash(engine::Hasher& hasher) const;

 private:
  static bool in_one_page(std::uint64_t address, std::uint64_t bytes) {
    return address % kPageBytes + bytes <= kPageBytes;
  }
  struct Page {
    std::array<std::byte, kPageBytes> bytes;
  };
  engine::CowMap<Page> pages_;
  std::uint64_t limit_;
  std::byte* mapped_ = nullptr;
  std::uint64_t next_free_ = 0x100000;  // the first MiB stays empty: address 0 is a bug, not a buffer
};

}  // namespace polypath::port
