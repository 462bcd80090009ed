#include <array>

#include "device/act.h"

namespace polypath::device {
namespace {

struct Row {
  std::string_view name;
  Handler handler;
};
constexpr std::array kHandlers{
#define HANDLER(family, name) Row{#name, family::name},
#include "device/handlers.def"
#undef HANDLER
};

// By permanent number of the command table, so that dispatch is an index.
std::array<Handler, 256> by_number() {
  std::array<Handler, 256> table{};
  for (const Row& row : kHandlers) {
    const spec::CommandRow* command = spec::find_command(row.name);
    if (command != nullptr) table[command->number & 0xFFU] = row.handler;
  }
  return table;
}

}  // namespace

Handler handler_of(const spec::CommandRow& row) {
  static const std::array<Handler, 256> table = by_number();
  return row.implemented ? table[row.number & 0xFFU] : nullptr;
}

}  // namespace polypath::device
