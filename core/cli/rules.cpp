// polypath rules: what the reference model judges.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "model/rules.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

void print(const Session& session) {
  if (session.json) {
    auto list = nlohmann::json::array();
    for (const auto& rule : model::rules()) {
      auto waivers = nlohmann::json::array();
      for (const auto& waiver : rule.waivers)
        waivers.push_back({{"profile", waiver.profile}, {"reason", waiver.reason}});
      list.push_back({{"id", rule.id},
                      {"scope", model::scope_name(rule.scope)},
                      {"area", rule.area},
                      {"title", rule.title},
                      {"waivers", waivers}});
    }
    fmt::print("{}\n", nlohmann::json{{"rules", list}}.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& rule : model::rules()) {
    std::string title(rule.title);
    for (const auto& waiver : rule.waivers)
      title += fmt::format(" [waived for {}: {}]", waiver.profile, waiver.reason);
    rows.push_back(
        {std::string(rule.id), std::string(model::scope_name(rule.scope)), std::string(rule.area), title});
  }
  fmt::print("{}", table({"rule", "scope", "area of the standard", "what must hold"}, rows));
}

}  // namespace

void add_rules(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("rules", "The rules of the reference model, with scope, area and waivers");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session] { print(session); });
}

}  // namespace polypath::cli
