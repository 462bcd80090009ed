#include "fuzz/input.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace polypath::fuzz {

// First byte: bits 1:0 controllers - 1; 4:2 namespaces - 1 (modulo 6); 6:5 hosts; 7 alone.
// Second byte: bits 1:0 pattern; 2 shallow; 3 no events.
Input read_input(std::span<const std::uint8_t> bytes) {
  Input input;
  const unsigned first = bytes.empty() ? 0U : bytes[0];
  const unsigned second = bytes.size() < 2 ? 0U : bytes[1];
  input.shape.controllers = static_cast<std::uint8_t>((first & 3U) + 1U);
  input.shape.namespaces = static_cast<std::uint8_t>((first >> 2U & 7U) % 6U + 1U);
  input.shape.hosts = static_cast<std::uint8_t>(first >> 5U & 3U);
  input.shape.alone = (first & 0x80U) != 0 && input.shape.controllers > 1;
  input.shape.pattern = static_cast<std::uint8_t>(second & 3U);
  input.shape.shallow = (second & 4U) != 0;
  input.shape.events = (second & 8U) == 0;
  for (std::size_t at = 2; at < bytes.size() && input.moves.size() < kMostMoves; at += sizeof(Move)) {
    Move move;
    std::memcpy(&move, bytes.data() + at, std::min(sizeof move, bytes.size() - at));
    input.moves.push_back(move);
  }
  return input;
}

std::vector<std::uint8_t> write_input(const Input& input) {
  const Shape& s = input.shape;
  std::vector<std::uint8_t> bytes(2 + input.moves.size() * sizeof(Move));
  bytes[0] = static_cast<std::uint8_t>((s.controllers - 1U) | (s.namespaces - 1U) << 2U |
                                       static_cast<unsigned>(s.hosts) << 5U | (s.alone ? 0x80U : 0U));
  bytes[1] = static_cast<std::uint8_t>(s.pattern | (s.shallow ? 4U : 0U) | (s.events ? 0U : 8U));
  if (!input.moves.empty()) {
    std::memcpy(bytes.data() + 2, input.moves.data(), input.moves.size() * sizeof(Move));
  }
  return bytes;
}

std::optional<std::uint8_t> find_latitude(std::string_view name) {
  constexpr std::string_view kNames[] = {"benign", "random", "adversarial"};
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<std::uint8_t>(found - std::begin(kNames));
}

void set_latitude(Input& input, std::uint8_t latitude) {
  // Two bits of `who`, which read as benign, benign, random, adversarial (move_steps.cpp).
  const unsigned code = latitude == 0 ? 0U : latitude + 1U;
  for (Move& move : input.moves) move.who = static_cast<std::uint8_t>((move.who & 0x9FU) | code << 5U);
}

}  // namespace polypath::fuzz
