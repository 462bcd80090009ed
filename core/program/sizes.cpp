// Sizes and durations as people write them, exact in both directions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "program/topology.h"

namespace polypath::program {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::uint64_t kOne = 1;
// Binary, as QEMU reads them. "MB" is not here: half of its readers mean 10^6.
constexpr std::array<Unit, 20> kSizeUnits{{{"", 1},
                                           {"B", 1},
                                           {"K", kOne << 10U},
                                           {"k", kOne << 10U},
                                           {"KiB", kOne << 10U},
                                           {"M", kOne << 20U},
                                           {"m", kOne << 20U},
                                           {"MiB", kOne << 20U},
                                           {"G", kOne << 30U},
                                           {"g", kOne << 30U},
                                           {"GiB", kOne << 30U},
                                           {"T", kOne << 40U},
                                           {"t", kOne << 40U},
                                           {"TiB", kOne << 40U},
                                           {"P", kOne << 50U},
                                           {"p", kOne << 50U},
                                           {"PiB", kOne << 50U},
                                           {"E", kOne << 60U},
                                           {"e", kOne << 60U},
                                           {"EiB", kOne << 60U}}};
constexpr std::array<Unit, 7> kDurationUnits{{{"", 1},
                                              {"ns", 1},
                                              {"us", 1000},
                                              {"ms", 1000 * 1000},
                                              {"s", 1000 * 1000 * 1000},
                                              {"min", 60ULL * 1000 * 1000 * 1000},
                                              {"h", 3600ULL * 1000 * 1000 * 1000}}};

// Digits, an optional fraction that comes out whole, a unit.
std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (text.starts_with("0x") || text.starts_with("0X")) {
    const auto hex = std::from_chars(text.data() + 2, end, whole, 16);
    if (hex.ec != std::errc{} || hex.ptr != end) return std::nullopt;
    return whole;
  }
  auto read = std::from_chars(text.data(), end, whole);
  if (read.ec != std::errc{}) return std::nullopt;
  std::uint64_t fraction = 0, scale = 1;
  if (read.ptr != end && *read.ptr == '.') {
    const char* const first = read.ptr + 1;
    read = std::from_chars(first, end, fraction);
    if (read.ec != std::errc{} || read.ptr - first > 9) return std::nullopt;
    for (const char* digit = first; digit != read.ptr; ++digit) scale *= 10;
  }
  const std::string_view suffix(read.ptr, static_cast<std::size_t>(end - read.ptr));
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.suffix == suffix; });
  if (unit == units.end()) return std::nullopt;
  std::uint64_t value = 0, part = 0;
  if (__builtin_mul_overflow(whole, unit->factor, &value)) return std::nullopt;
  if (__builtin_mul_overflow(fraction, unit->factor, &part) || part % scale != 0) return std::nullopt;
  if (__builtin_add_overflow(value, part / scale, &value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse(text, kSizeUnits); }

std::optional<std::uint64_t> parse_duration(std::string_view text) { return parse(text, kDurationUnits); }

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kNames{"", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kNames.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, kNames[unit]);
}

std::string format_duration(std::uint64_t nanoseconds) {
  constexpr std::array<std::string_view, 4> kNames{"ns", "us", "ms", "s"};
  std::size_t unit = 0;
  while (nanoseconds != 0 && nanoseconds % 1000 == 0 && unit + 1 < kNames.size()) {
    nanoseconds /= 1000;
    ++unit;
  }
  return fmt::format("{}{}", nanoseconds, kNames[unit]);
}

}  // namespace polypath::program
