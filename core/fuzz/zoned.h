// The fuzz target `zoned`: the moves of `attach`, and half of the time moves on namespaces with zones, which
// several controllers open, write, append to, reset and report at the same time.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "program/program.h"

namespace polypath::fuzz {

/// What a program is likely to have written of each zone, so that many writes begin where the zone goes on.
struct ZoneProgress {
  static constexpr unsigned kZones = 8, kBlocks = 32, kCapacity = 24;
  std::array<std::uint8_t, kZones> written{};
};

/// Adds an `io` step for an opcode on a controller: with its namespace and queue, and nothing else.
using AddIo = std::function<program::Step&(unsigned controller, std::uint64_t opcode)>;

/// Adds a step that makes media of a zone wear out, with its controller and namespace.
using AddWear = std::function<program::Step&(bool offline)>;

/// Steps of a move on zones.
void write_zone_move(const Move& move, unsigned controller, unsigned peer, ZoneProgress& progress,
                     const AddIo& add, const AddWear& wear);

/// What makes namespace `number` of a shape a zoned one, in words of the topology; empty: it has no zones.
std::string zone_words(const Shape& shape, unsigned number);
/// Properties of its controllers.
std::string zone_controller_words(const Shape& shape);

}  // namespace polypath::fuzz
