// polypath commands: the command table, as the simulated device supports it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "spec/commands.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

std::string announced(const spec::CommandRow& row) {
  switch (row.announced) {
    case spec::Announced::mandatory:
      return "always";
    case spec::Announced::oacs:
      return fmt::format("OACS bit {}", row.bit);
    case spec::Announced::oncs:
      return fmt::format("ONCS bit {}", row.bit);
    case spec::Announced::kas:
      return "KAS";
    case spec::Announced::sanicap:
      return "SANICAP";
  }
  return "";
}

std::string direction(const spec::CommandRow& row) {
  switch (row.direction) {
    case spec::Direction::none:
      return "-";
    case spec::Direction::to_controller:
      return "to controller";
    case spec::Direction::to_host:
      return "to host";
  }
  return "";
}

std::string effects(const spec::CommandRow& row) {
  std::string text;
  const auto add = [&](std::uint32_t bit, const char* name) {
    if ((row.effects & bit) != 0) text += (text.empty() ? "" : " ") + std::string(name);
  };
  add(spec::effect::block_content, "LBCC");
  add(spec::effect::ns_capability, "NCC");
  add(spec::effect::ns_inventory, "NIC");
  add(spec::effect::controller_capability, "CCC");
  return text.empty() ? "-" : text;
}

std::string operands(const spec::CommandRow& row) {
  std::string text;
  for (const auto& field : row.fields) text += (text.empty() ? "" : " ") + std::string(field.name);
  return text.empty() ? "-" : text;
}

void print(const Session& session) {
  if (session.json) {
    auto list = nlohmann::json::array();
    for (const auto& row : spec::commands()) {
      list.push_back({{"number", row.number},
                      {"set", row.set == spec::CommandSet::admin ? "admin" : "nvm"},
                      {"opcode", row.opcode},
                      {"name", row.name},
                      {"title", row.title},
                      {"direction", direction(row)},
                      {"announced", announced(row)},
                      {"effects", effects(row)},
                      {"operands", operands(row)},
                      {"implemented", row.implemented}});
    }
    fmt::print("{}\n", nlohmann::json{{"commands", list}}.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : spec::commands()) {
    rows.push_back({row.set == spec::CommandSet::admin ? "admin" : "nvm", fmt::format("{:02x}h", row.opcode),
                    std::string(row.name), row.implemented ? "yes" : "not yet", direction(row),
                    announced(row), effects(row), operands(row)});
  }
  fmt::print(
      "{}",
      table({"set", "opcode", "name", "simulated", "data", "announced by", "effects", "operands"}, rows));
}

}  // namespace

void add_commands(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("commands",
                                  "The command table: opcodes, operands, what the simulated device supports");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session] { print(session); });
}

}  // namespace polypath::cli
