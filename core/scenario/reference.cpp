// The tables of the reference documentation, from the tables of the code.
#include <fmt/format.h>

#include "program/wording.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"

namespace polypath::scenario {
namespace {

std::string_view type_name(program::FieldType type) {
  switch (type) {
    case program::FieldType::number:
      return "number";
    case program::FieldType::flag:
      return "true or false";
    case program::FieldType::duration:
      return "duration";
    case program::FieldType::size:
      return "size";
    case program::FieldType::host:
      return "host";
    case program::FieldType::ns:
      return "namespace";
    case program::FieldType::controller:
      return "controller";
    case program::FieldType::controllers:
      return "list of controllers";
    case program::FieldType::opcode:
      return "command name or number";
    case program::FieldType::status:
      return "status";
    case program::FieldType::text:
      return "text";
    case program::FieldType::bytes:
      return "hexadecimal digits";
    case program::FieldType::list_map:
      return "map of lists";
    case program::FieldType::queue:
      return "number or {live: k}";
    case program::FieldType::error:
      return "errno";
    case program::FieldType::policy:
      return "policy";
  }
  return "";
}

void add_keys(std::string& out, std::span<const KeyRow> rows, std::string_view heading) {
  out += fmt::format("\n### {}\n\n| Key | Must be given | What it is |\n|---|---|---|\n", heading);
  for (const KeyRow& row : rows)
    out += fmt::format("| `{}` | {} | {} |\n", row.name, row.required ? "yes" : "", row.title);
}

std::string_view use_name(program::PropertyUse use) {
  switch (use) {
    case program::PropertyUse::understood:
      return "understood";
    case program::PropertyUse::accepted:
      return "accepted";
    case program::PropertyUse::refused:
      return "refused";
  }
  return "";
}

}  // namespace

std::string step_reference() {
  std::string out =
      "### Steps\n\n| Number | Step | What it does | Operands (bold: must be given) | Can expect |\n"
      "|---|---|---|---|---|\n";
  for (const program::StepRow& row : program::step_rows()) {
    std::string operands, expected;
    for (const auto& f : row.fields) {
      const std::string_view name = program::find_field(f.field)->name;
      std::string& list = program::is_expectation(f.field) ? expected : operands;
      if (!list.empty()) list += ", ";
      list += f.required ? fmt::format("**{}**", name) : std::string(name);
    }
    out += fmt::format("| {} | `{}` | {} | {} | {} |\n", static_cast<unsigned>(row.kind), row.name, row.title,
                       operands, expected);
  }
  out += "\n### Operands\n\n| Number | Operand | Type | Bounds | What it is |\n|---|---|---|---|---|\n";
  for (const program::FieldRow& row : program::field_rows()) {
    const bool bounded = row.type == program::FieldType::number && row.most != ~std::uint64_t{0};
    out += fmt::format("| {} | `{}` | {} | {} | {} |\n", static_cast<unsigned>(row.field), row.name,
                       type_name(row.type), bounded ? fmt::format("{} to {}", row.least, row.most) : "",
                       row.title);
  }
  add_keys(out, step_keys(), "Keys of any step");
  add_keys(out, file_keys(), "Keys of the file");
  add_keys(out, host_keys(), "Keys of a host");
  add_keys(out, override_keys(), "Keys of an override");
  return out;
}

std::string device_reference() {
  std::string out;
  for (const program::DriverRow& driver : program::driver_rows()) {
    out += fmt::format("### {}\n\n{}.\n\n| Property | Values | Use | What it says |\n|---|---|---|---|\n",
                       driver.name, driver.title);
    for (const program::PropertyRow& row : driver.properties) {
      out +=
          fmt::format("| `{}`{} | {} | {} | {} |\n", row.name, row.ours ? " (ours)" : "",
                      row.values.find('|') == std::string_view::npos ? std::string(row.values) : "on or off",
                      use_name(row.use), row.title);
    }
    out += "\n";
  }
  out.pop_back();
  return out;
}

}  // namespace polypath::scenario
