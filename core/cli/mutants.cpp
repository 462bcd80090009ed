// polypath mutants: the planted faults.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "device/faults.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

void list(const Session& session) {
  if (session.json) {
    auto rows = nlohmann::json::array();
    for (const auto& row : device::faults()) {
      rows.push_back({{"id", row.id}, {"what", row.what}, {"origin", row.origin}, {"rule", row.rule}});
    }
    fmt::print("{}\n",
               nlohmann::json{{"compiled_in", device::faults_compiled_in()}, {"mutants", rows}}.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : device::faults()) {
    rows.push_back({std::string(row.id), std::string(row.rule), std::string(row.what)});
  }
  fmt::print("{}", table({"fault", "noticed by", "what the device then does"}, rows));
  if (!device::faults_compiled_in())
    fmt::print("This build has no planted faults (preset dist): use preset release.\n");
}

}  // namespace

void add_mutants(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("mutants", "Planted faults: deliberate defects that the rules must notice");
  verb->require_subcommand(1);
  auto* listing = verb->add_subcommand("list", "Every planted fault with the rule that notices it");
  listing->add_flag("--json", session.json, "One JSON document on standard output");
  listing->callback([&session] { list(session); });
}

}  // namespace polypath::cli
