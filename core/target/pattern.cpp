#include "target/pattern.h"

#include <array>
#include <cstring>

#include "engine/hash.h"

namespace polypath::target {
namespace {

constexpr std::size_t kPiece = 512;
using Piece = std::array<std::uint64_t, kPiece / 8>;

// A full-period step: no two words repeat soon.
constexpr std::uint64_t kFactor = 0x5851F42D4C957F2DULL, kAddend = 0x14057B7EF767814FULL;
// Eight steps in one: so eight chains of multiplications go on side by side.
constexpr std::size_t kLanes = 8;
constexpr std::uint64_t factor_of_lanes() {
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i < kLanes; ++i) factor *= kFactor;
  return factor;
}
constexpr std::uint64_t addend_of_lanes() {
  std::uint64_t addend = 0;
  for (std::size_t i = 0; i < kLanes; ++i) addend = addend * kFactor + kAddend;
  return addend;
}

Piece make_piece(std::uint64_t tag, std::uint64_t position) {
  Piece piece;
  std::uint64_t word = engine::mix(tag, position);
  for (std::size_t i = 0; i < kLanes; ++i) {
    piece[i] = word;
    word = word * kFactor + kAddend;
  }
  constexpr std::uint64_t factor = factor_of_lanes(), addend = addend_of_lanes();
  for (std::size_t i = kLanes; i < piece.size(); ++i) piece[i] = piece[i - kLanes] * factor + addend;
  return piece;
}

}  // namespace

std::uint64_t tag_number(std::string_view tag) { return engine::hash_bytes(tag.data(), tag.size(), 1); }

void fill_pattern(std::uint64_t tag, std::uint64_t offset, std::span<std::byte> out) {
  for (std::size_t at = 0; at < out.size(); at += kPiece) {
    const Piece piece = make_piece(tag, (offset + at) / kPiece);
    std::memcpy(out.data() + at, piece.data(), std::min(kPiece, out.size() - at));
  }
}

std::size_t first_difference(std::uint64_t tag, std::uint64_t offset, std::span<const std::byte> data) {
  for (std::size_t at = 0; at < data.size(); at += kPiece) {
    const Piece piece = make_piece(tag, (offset + at) / kPiece);
    const std::size_t here = std::min(kPiece, data.size() - at);
    if (std::memcmp(data.data() + at, piece.data(), here) == 0) continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(piece.data());
    for (std::size_t i = 0; i < here; ++i) {
      if (data[at + i] != bytes[i]) return at + i;
    }
  }
  return data.size();
}

}  // namespace polypath::target
