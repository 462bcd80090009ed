// Opcodes that the standard has and the simulated device has not: which issue of the project owes each. With
// the rows of the command table that are implemented, every opcode of the standard's tables is accounted for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "spec/commands.h"

namespace polypath::spec {

struct OwedCommand {
  CommandSet set;
  std::uint8_t opcode;
  std::string_view title;
  std::string_view owed_by;
};

/// By set, then by opcode.
std::span<const OwedCommand> owed_commands();
/// Null when nothing is owed.
const OwedCommand* find_owed(CommandSet set, std::uint8_t opcode);

}  // namespace polypath::spec
