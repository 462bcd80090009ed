// The bytes of the fuzz target `attach`: two bytes of world, then moves of eight bytes. Any bytes are an
// input and every byte string has exactly one reading, so mutators and crossover work on whole moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace polypath::fuzz {

/// One move: what an actor does next. attach.cpp says what the operands x, y, z mean to each kind.
struct Move {
  std::uint8_t what = 0;  ///< place in the table of kinds, modulo its length
  std::uint8_t who =
      0;  ///< bits 1:0 controller, 3:2 actor, 4 goes on without its outcome, 6:5 latitude, 7 peer
  std::uint8_t ns = 0;  ///< 00h-7Fh of the topology, 80h-DFh the k-th that exists, E0h-FFh odd NSIDs
  std::uint8_t x = 0, y = 0, z = 0, w = 0;
  std::uint8_t salt = 0;  ///< part of the step's id, which keys the open decisions of the device
  bool operator==(const Move&) const = default;
};
static_assert(sizeof(Move) == 8);

/// What the world is made of. Each shape is prepared once and restored before every run.
struct Shape {
  std::uint8_t controllers = 1;  ///< 1..4
  std::uint8_t namespaces = 1;   ///< 1..6
  std::uint8_t hosts =
      0;  ///< 0 raw drivers only, 1 a host has the first controller, 2 two hosts, 3 one has all
  std::uint8_t pattern = 0;  ///< 0..3: which namespaces are shared, private, detached
  bool alone = false;        ///< the last controller is a subsystem of its own
  bool shallow = false;      ///< queues of 3 and 4 entries instead of 8 and 16
  bool events = false;       ///< namespace events on, and an event request open on every raw controller
  bool operator==(const Shape&) const = default;
  auto operator<=>(const Shape&) const = default;
};

inline constexpr std::size_t kMostMoves = 48;
inline constexpr std::size_t kMostBytes = 2 + kMostMoves * sizeof(Move);

struct Input {
  Shape shape;
  std::vector<Move> moves;
  bool operator==(const Input&) const = default;
};

/// Total: missing bytes are zeros, what is beyond kMostMoves is ignored.
Input read_input(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> write_input(const Input& input);
/// Gives every move this latitude (0 benign, 1 random, 2 adversarial), in place of the one that it names.
void set_latitude(Input& input, std::uint8_t latitude);
/// By its name; none when there is no such latitude.
std::optional<std::uint8_t> find_latitude(std::string_view name);

}  // namespace polypath::fuzz
