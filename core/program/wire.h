// The alphabet of the binary form: small numbers are one byte, and reading past the end gives zeros, so that
// every byte string means something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::program {

class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool at_end() const { return at_ >= bytes_.size(); }
  std::size_t left() const { return bytes_.size() - at_; }
  std::uint8_t byte() { return at_end() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes_[at_++]); }
  std::uint64_t little_endian(unsigned bytes);
  /// 0..247 in one byte; 248 + n - 1 and then n bytes.
  std::uint64_t number();
  /// Nanoseconds: bytes below 192 are m * 10^e (low and high four bits); 192 + n - 1 and then n bytes.
  std::uint64_t duration();
  /// Bytes: bytes below 192 are (1 + low two bits) * 512 << (b / 4); 192 + n - 1 and then n bytes.
  std::uint64_t size();
  /// A length and as many bytes as are there.
  std::string string();
  /// A mask, seven bits a byte, lowest first.
  std::uint64_t mask();

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

class WireWriter {
 public:
  void byte(std::uint64_t value) { bytes_.push_back(static_cast<std::byte>(value & 0xFFU)); }
  void little_endian(std::uint64_t value, unsigned bytes);
  void number(std::uint64_t value);
  void duration(std::uint64_t value);
  void size(std::uint64_t value);
  void string(std::string_view text);
  void mask(std::uint64_t value);
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace polypath::program
