#include "program/wire.h"

#include <algorithm>

namespace polypath::program {
namespace {

constexpr std::uint8_t kNumberEscape = 248;
constexpr std::uint8_t kScaledEscape = 192;

unsigned bytes_of(std::uint64_t value) {
  unsigned bytes = 1;
  while (bytes < 8 && value >> (8 * bytes) != 0) ++bytes;
  return bytes;
}

constexpr std::uint64_t scaled_duration(std::uint8_t code) {
  std::uint64_t value = code & 15U;
  for (unsigned e = 0; e < code >> 4U; ++e) value *= 10;
  return value;
}

constexpr std::uint64_t scaled_size(std::uint8_t code) {
  return ((code & 3U) + std::uint64_t{1}) * 512 << (code >> 2U);
}

}  // namespace

std::uint64_t WireReader::little_endian(unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= std::uint64_t{byte()} << (8 * i);
  return value;
}

std::uint64_t WireReader::number() {
  const std::uint8_t first = byte();
  return first < kNumberEscape ? first : little_endian(first - kNumberEscape + 1U);
}

std::uint64_t WireReader::duration() {
  const std::uint8_t code = byte();
  return code < kScaledEscape ? scaled_duration(code) : little_endian((code & 7U) + 1U);
}

std::uint64_t WireReader::size() {
  const std::uint8_t code = byte();
  return code < kScaledEscape ? scaled_size(code) : little_endian((code & 7U) + 1U);
}

std::string WireReader::string() {
  const std::uint64_t announced = number();  // before left() is asked: arguments have no order of their own
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(announced, left()));
  std::string text(length, '\0');
  for (char& c : text) c = static_cast<char>(byte());
  return text;
}

std::uint64_t WireReader::mask() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const std::uint8_t piece = byte();
    value |= std::uint64_t{piece & 0x7FU} << shift;
    if ((piece & 0x80U) == 0) break;
  }
  return value;
}

void WireWriter::little_endian(std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) byte(value >> (8 * i));
}

void WireWriter::number(std::uint64_t value) {
  if (value < kNumberEscape) {
    byte(value);
    return;
  }
  const unsigned bytes = bytes_of(value);
  byte(kNumberEscape + bytes - 1U);
  little_endian(value, bytes);
}

void WireWriter::duration(std::uint64_t value) {
  for (unsigned code = 0; code < kScaledEscape; ++code) {
    if (scaled_duration(static_cast<std::uint8_t>(code)) != value) continue;
    byte(code);
    return;
  }
  const unsigned bytes = bytes_of(value);
  byte(kScaledEscape + bytes - 1U);
  little_endian(value, bytes);
}

void WireWriter::size(std::uint64_t value) {
  for (unsigned code = 0; code < kScaledEscape; ++code) {
    if (scaled_size(static_cast<std::uint8_t>(code)) != value) continue;
    byte(code);
    return;
  }
  const unsigned bytes = bytes_of(value);
  byte(kScaledEscape + bytes - 1U);
  little_endian(value, bytes);
}

void WireWriter::string(std::string_view text) {
  number(text.size());
  for (const char c : text) byte(static_cast<unsigned char>(c));
}

void WireWriter::mask(std::uint64_t value) {
  do {
    const std::uint64_t rest = value >> 7U;
    byte((value & 0x7FU) | (rest != 0 ? 0x80U : 0U));
    value = rest;
  } while (value != 0);
}

}  // namespace polypath::program
