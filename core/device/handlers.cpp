#include <array>

#include "device/act.h"

namespace polypath::device {
namespace {

struct Row {
  std::string_view name;
  Handler handler;
};
constexpr std::array kHandlers{
    Row{"delete_sq", admin::delete_sq},
    Row{"create_sq", admin::create_sq},
    Row{"get_log_page", admin::get_log_page},
    Row{"delete_cq", admin::delete_cq},
    Row{"create_cq", admin::create_cq},
    Row{"identify", admin::identify},
    Row{"abort", admin::abort},
    Row{"set_features", admin::set_features},
    Row{"get_features", admin::get_features},
    Row{"async_event_request", admin::async_event_request},
    Row{"ns_management", admin::ns_management},
    Row{"ns_attachment", admin::ns_attachment},
    Row{"flush", io::flush},
    Row{"write", io::write},
    Row{"read", io::read},
    Row{"compare", io::compare},
    Row{"write_zeroes", io::write_zeroes},
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
