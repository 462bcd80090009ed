#include "spec/protection.h"

#include <array>

namespace polypath::spec {
namespace {

// Polynomials as the sheet gives them. The 16-bit one is used from its most significant bit on, the others
// reflected, with all ones before and after.
constexpr std::uint64_t kPolynomial16 = 0x8BB7, kPolynomial32 = 0x1EDC6F41,
                        kPolynomial64 = 0xAD93D23594C93659;

constexpr std::uint64_t reflect(std::uint64_t value, unsigned bits) {
  std::uint64_t out = 0;
  for (unsigned i = 0; i < bits; ++i) out |= (value >> i & 1U) << (bits - 1 - i);
  return out;
}

using Table = std::array<std::uint64_t, 256>;

constexpr Table reflected_table(std::uint64_t polynomial, unsigned bits) {
  Table table{};
  const std::uint64_t reversed = reflect(polynomial, bits);
  for (std::uint64_t byte = 0; byte < table.size(); ++byte) {
    std::uint64_t crc = byte;
    for (int i = 0; i < 8; ++i) crc = (crc & 1U) != 0 ? crc >> 1U ^ reversed : crc >> 1U;
    table[byte] = crc;
  }
  return table;
}

constexpr Table forward_table16() {
  Table table{};
  for (std::uint64_t byte = 0; byte < table.size(); ++byte) {
    std::uint64_t crc = byte << 8U;
    for (int i = 0; i < 8; ++i)
      crc = ((crc & 0x8000U) != 0 ? crc << 1U ^ kPolynomial16 : crc << 1U) & 0xFFFFU;
    table[byte] = crc;
  }
  return table;
}

constexpr Table kTable16 = forward_table16();
constexpr Table kTable32 = reflected_table(kPolynomial32, 32);
constexpr Table kTable64 = reflected_table(kPolynomial64, 64);

constexpr std::uint64_t load(std::span<const std::byte> bytes) {  // big-endian
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

void store(std::uint64_t value, std::span<std::byte> bytes) {
  for (std::size_t i = bytes.size(); i-- != 0; value >>= 8U) bytes[i] = static_cast<std::byte>(value);
}

/// Storage and reference tag in their common space: its upper 16 of 80 bits, and the others.
struct Space {
  std::uint64_t high = 0, low = 0;
};

Tags split(const MetadataFormat& format, Space space) {
  Tags tags;
  if (format.space_bits() < 64) {
    space.low &= (std::uint64_t{1} << format.space_bits()) - 1;
    space.high = 0;
  }
  const unsigned reference = format.reference_bits();
  tags.reference = space.low & reference_mask(format);
  if (format.storage_bits == 0) return tags;
  tags.storage = reference >= 64 ? space.high : space.low >> reference;
  if (reference < 64 && reference != 0) tags.storage |= space.high << (64 - reference);
  return tags;
}

Space join(const MetadataFormat& format, const Tags& tags) {
  Space space;
  const unsigned reference = format.reference_bits();
  space.low = tags.reference & reference_mask(format);
  if (format.storage_bits == 0) return space;
  if (reference < 64) space.low |= tags.storage << reference;
  space.high = reference >= 64 ? tags.storage : (reference != 0 ? tags.storage >> (64 - reference) : 0);
  return space;
}

}  // namespace

std::uint64_t guard_of(Guard guard, std::span<const std::byte> bytes, std::uint64_t before) {
  if (guard == Guard::bits16) {
    std::uint64_t crc = before;
    for (const std::byte byte : bytes)
      crc = (crc << 8U & 0xFF00U) ^ kTable16[(crc >> 8U ^ std::to_integer<std::uint64_t>(byte)) & 0xFFU];
    return crc;
  }
  const std::uint64_t ones = guard == Guard::bits32 ? 0xFFFFFFFF : ~std::uint64_t{0};
  const Table& table = guard == Guard::bits32 ? kTable32 : kTable64;
  std::uint64_t crc = before ^ ones;
  for (const std::byte byte : bytes)
    crc = crc >> 8U ^ table[(crc ^ std::to_integer<std::uint64_t>(byte)) & 0xFFU];
  return crc ^ ones;
}

Tags read_tags(const MetadataFormat& format, std::span<const std::byte> metadata) {
  const auto tuple = metadata.subspan(format.tuple_at(), format.tuple_bytes());
  Space space;
  std::size_t application = 0;
  std::uint64_t guard = 0;
  switch (format.guard) {
    case Guard::bits16:
      guard = load(tuple.first(2)), application = 2;
      space.low = load(tuple.subspan(4, 4));
      break;
    case Guard::bits32:
      guard = load(tuple.first(4)), application = 4;
      space.high = load(tuple.subspan(6, 2)), space.low = load(tuple.subspan(8, 8));
      break;
    case Guard::bits64:
      guard = load(tuple.first(8)), application = 8;
      space.low = load(tuple.subspan(10, 6));
      break;
  }
  Tags tags = split(format, space);
  tags.guard = guard;
  tags.application = static_cast<std::uint16_t>(load(tuple.subspan(application, 2)));
  return tags;
}

void write_tags(const MetadataFormat& format, const Tags& tags, std::span<std::byte> metadata) {
  const auto tuple = metadata.subspan(format.tuple_at(), format.tuple_bytes());
  const Space space = join(format, tags);
  std::size_t application = 0;
  switch (format.guard) {
    case Guard::bits16:
      store(tags.guard, tuple.first(2)), application = 2;
      store(space.low, tuple.subspan(4, 4));
      break;
    case Guard::bits32:
      store(tags.guard, tuple.first(4)), application = 4;
      store(space.high, tuple.subspan(6, 2)), store(space.low, tuple.subspan(8, 8));
      break;
    case Guard::bits64:
      store(tags.guard, tuple.first(8)), application = 8;
      store(space.low, tuple.subspan(10, 6));
      break;
  }
  store(tags.application, tuple.subspan(application, 2));
}

Tags command_tags(const MetadataFormat& format, const SubmissionEntry& entry) {
  Tags tags = split(format, {entry.cdw2 & 0xFFFFU, std::uint64_t{entry.cdw3} << 32U | entry.cdw14});
  tags.application = static_cast<std::uint16_t>(entry.cdw15);
  return tags;
}

}  // namespace polypath::spec
