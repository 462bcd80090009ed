// polypath commands: every opcode of the standard, which profiles support it and which conformance cases ask
// it, or what owes it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "conform/coverage.h"
#include "device/profile.h"
#include "spec/commands.h"
#include "spec/owed_commands.h"
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
    case spec::Announced::zoned:
      return "Zoned command set";
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

std::string_view set_name(spec::CommandSet set) { return set == spec::CommandSet::admin ? "admin" : "nvm"; }

bool supports(const device::Profile& profile, const spec::CommandRow& row) {
  return row.implemented && device::announces(profile, row);
}

/// Cases that ask each command, for each profile; empty when there is no folder of cases.
std::vector<conform::Coverage> coverage_of_profiles(const std::string& folder) {
  std::vector<conform::Coverage> out;
  if (!std::filesystem::is_directory(folder)) return out;
  for (const device::Profile& profile : device::profiles()) {
    const conform::Suite suite = conform::load_suite(folder, std::string(profile.name));
    out.push_back(conform::covering_cases(suite, conform::ask_worlds(suite)));
  }
  return out;
}

/// A row of the command table, or an opcode that only the list of what is owed has.
struct Line {
  spec::CommandSet set;
  std::uint8_t opcode;
  const spec::CommandRow* row;
  const spec::OwedCommand* owed;
};

std::vector<Line> all_lines() {
  std::vector<Line> out;
  for (const auto set : {spec::CommandSet::admin, spec::CommandSet::nvm}) {
    for (unsigned code = 0; code < 256; ++code) {
      const auto opcode = static_cast<std::uint8_t>(code);
      const Line line{set, opcode, spec::find_command(set, opcode), spec::find_owed(set, opcode)};
      if (line.row != nullptr || line.owed != nullptr) out.push_back(line);
    }
  }
  return out;
}

std::vector<std::string> checks_of(const Line& line, std::size_t profile,
                                   const std::vector<conform::Coverage>& coverage) {
  if (coverage.empty() || line.row == nullptr || !supports(device::profiles()[profile], *line.row)) return {};
  const auto at = coverage[profile].find({line.set, line.opcode});
  return at == coverage[profile].end() ? std::vector<std::string>{} : at->second;
}

nlohmann::json json_of(const Line& line, const std::vector<conform::Coverage>& coverage) {
  nlohmann::json out{{"set", set_name(line.set)},
                     {"opcode", line.opcode},
                     {"name", nullptr},
                     {"title", line.row != nullptr ? line.row->title : line.owed->title},
                     {"implemented", line.row != nullptr && line.row->implemented}};
  if (line.owed != nullptr) out["owed_by"] = line.owed->owed_by;
  if (line.row == nullptr) return out;
  out["number"] = line.row->number;
  out["name"] = line.row->name;
  out["direction"] = direction(*line.row);
  out["announced"] = announced(*line.row);
  out["effects"] = effects(*line.row);
  out["operands"] = operands(*line.row);
  for (std::size_t i = 0; i < device::profiles().size(); ++i) {
    const device::Profile& profile = device::profiles()[i];
    nlohmann::json support{{"supported", supports(profile, *line.row)}};
    if (!coverage.empty()) support["checks"] = checks_of(line, i, coverage);
    out["profiles"][std::string(profile.name)] = support;
  }
  return out;
}

/// "all", or the names of those that have it.
std::string profiles_text(const spec::CommandRow& row) {
  std::string text;
  std::size_t count = 0;
  for (const device::Profile& profile : device::profiles()) {
    if (!supports(profile, row)) continue;
    ++count;
    text += (text.empty() ? "" : " ") + std::string(profile.name);
  }
  return count == device::profiles().size() ? "all" : text;
}

/// Of the first profile that has the command.
std::string checks_text(const Line& line, const std::vector<conform::Coverage>& coverage) {
  constexpr std::size_t kShown = 2;
  for (std::size_t i = 0; i < device::profiles().size(); ++i) {
    const std::vector<std::string> ids = checks_of(line, i, coverage);
    if (ids.empty()) continue;
    const auto shown = ids.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, ids.size()));
    return fmt::format("{}: {}{}", ids.size(), fmt::join(ids.begin(), shown, " "),
                       ids.size() > kShown ? " .." : "");
  }
  return "-";
}

void print(const Session& session, const std::string& folder) {
  const auto coverage = coverage_of_profiles(folder);
  if (session.json) {
    auto list = nlohmann::json::array();
    for (const Line& line : all_lines()) list.push_back(json_of(line, coverage));
    fmt::print("{}\n", nlohmann::json{{"commands", list}}.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Line& line : all_lines()) {
    const std::string opcode = fmt::format("{:02x}h", line.opcode), set(set_name(line.set));
    if (line.row == nullptr || line.owed != nullptr) {
      rows.push_back({set, opcode, std::string(line.row != nullptr ? line.row->name : line.owed->title),
                      std::string(line.owed != nullptr ? line.owed->owed_by : "not yet"), "", "", "", "",
                      ""});
      continue;
    }
    rows.push_back({set, opcode, std::string(line.row->name), profiles_text(*line.row), direction(*line.row),
                    announced(*line.row), effects(*line.row), checks_text(line, coverage),
                    operands(*line.row)});
  }
  fmt::print("{}", table({"set", "opcode", "name", "profiles, or owed by", "data", "announced by", "effects",
                          "checks", "operands"},
                         rows));
  if (coverage.empty()) fmt::print("checks are not shown: {} is no folder; name it with --cases\n", folder);
}

}  // namespace

void add_commands(CLI::App& app, Session& session) {
  auto folder = std::make_shared<std::string>("conformance");
  auto* verb = app.add_subcommand(
      "commands", "Every opcode: support by profile, effects, operands, conformance cases; or what owes it");
  verb->add_option("--cases", *folder, "Folder of the conformance cases")->capture_default_str();
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, folder] { print(session, *folder); });
}

}  // namespace polypath::cli
