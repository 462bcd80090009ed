// polypath rules: what the reference model judges, and how much each rule has to do.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "conform/exercise.h"
#include "device/profile.h"
#include "fuzz/loop.h"
#include "model/rules.h"
#include "program/topology.h"
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

struct Options {
  bool statistics = false;
  std::string cases = "conformance";
  std::uint64_t runs = 20'000, seed = 1;
};

model::Statistics fuzz_statistics(const fuzz::Target& target, const Options& options) {
  fuzz::ArenaOptions arena;
  arena.target = &target;
  arena.rules = true;
  fuzz::Loop loop(arena, options.seed);
  fuzz::Found found;
  while (loop.runs() < options.runs) loop.step(found);
  return loop.statistics();
}

double share(const model::RuleStatistics& rule) {
  const auto all = static_cast<double>(rule.exercised + rule.inconclusive);
  return all == 0 ? 0 : 100.0 * static_cast<double>(rule.inconclusive) / all;
}

std::string total_line(std::string_view of, const model::Statistics& statistics) {
  model::RuleStatistics sum;
  std::size_t used = 0;
  for (const auto& rule : statistics) {
    sum.exercised += rule.exercised;
    sum.inconclusive += rule.inconclusive;
    sum.violations += rule.violations;
    used += rule.exercised != 0 ? 1 : 0;
  }
  return fmt::format("- {}: {} of {} rules exercised, {} judgements, {:.3f} % inconclusive, {} violations\n",
                     of, used, statistics.size(), sum.exercised, share(sum), sum.violations);
}

/// A document: docs/rules.md.
void print_statistics(const Session& session, const Options& options) {
  if (!std::filesystem::is_directory(options.cases))
    throw program::InputError(options.cases, "is no folder; name that of the cases with --cases");
  model::Statistics suite{};
  for (const device::Profile& profile : device::profiles())
    model::add(suite, conform::exercise(conform::load_suite(options.cases, std::string(profile.name))));
  model::Statistics fuzzed{};
  std::vector<model::Statistics> by_target;
  std::string fuzz_lines;
  for (const fuzz::Target* target : fuzz::targets()) {
    const model::Statistics one = fuzz_statistics(*target, options);
    fuzz_lines += total_line(fmt::format("fuzz target {}", target->name), one);
    model::add(fuzzed, one);
    by_target.push_back(one);
  }
  if (session.json) {
    auto list = nlohmann::json::array();
    const auto json_of = [](const model::RuleStatistics& rule) {
      return nlohmann::json{{"exercised", rule.exercised},
                            {"inconclusive", rule.inconclusive},
                            {"violations", rule.violations},
                            {"waived", rule.waived}};
    };
    for (std::size_t i = 0; i < suite.size(); ++i) {
      auto targets = nlohmann::json::object();
      for (std::size_t k = 0; k < by_target.size(); ++k)
        targets[std::string(fuzz::targets()[k]->name)] = json_of(by_target[k][i]);
      list.push_back({{"id", model::rules()[i].id},
                      {"conformance", json_of(suite[i])},
                      {"fuzz", json_of(fuzzed[i])},
                      {"targets", std::move(targets)}});
    }
    fmt::print("{}\n", nlohmann::json{{"rules", list}}.dump(2));
    return;
  }
  fmt::print(
      "# How much each rule has to do\n\n"
      "Made by `polypath rules --statistics --runs {} --seed {}`: the conformance suite on every profile of "
      "the simulator,\n"
      "and a run of each fuzz target, which the table adds up. *Exercised*: how often what the rule is about "
      "came up and was\n"
      "judged; *inconclusive*: it came up and the facts were not known; *violated*: on the sound device, so "
      "0 "
      "but for hazards,\n"
      "which are lawful, and for cases in which a raw driver breaks a duty of hosts on purpose.\n\n{}{}\n"
      "| rule | conformance: exercised | inconclusive | violated | fuzz: exercised | inconclusive | violated "
      "|\n"
      "|---|---|---|---|---|---|---|\n",
      options.runs, options.seed, total_line("conformance", suite), fuzz_lines);
  for (std::size_t i = 0; i < suite.size(); ++i) {
    fmt::print("| {} | {} | {} | {} | {} | {} | {} |\n", model::rules()[i].id, suite[i].exercised,
               suite[i].inconclusive, suite[i].violations, fuzzed[i].exercised, fuzzed[i].inconclusive,
               fuzzed[i].violations);
  }
  std::string idle;
  for (const conform::IdleRule& rule : conform::idle_rules())
    idle += fmt::format("| {} | {} |\n", rule.id, rule.reason);
  if (!idle.empty())
    fmt::print("\n## Not exercised by the conformance suite, and why\n\n| rule | why |\n|---|---|\n{}", idle);
}

}  // namespace

void add_rules(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("rules", "The rules of the reference model, with scope, area and waivers");
  verb->add_flag("--statistics", options->statistics,
                 "How often the conformance suite and a fuzz run exercise each rule (a document)");
  verb->add_option("--cases", options->cases, "Folder of the conformance cases")->capture_default_str();
  verb->add_option("--runs", options->runs, "Runs of each fuzz target")->capture_default_str();
  verb->add_option("--seed", options->seed, "Seed of the fuzzer's dice")->capture_default_str();
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] {
    if (options->statistics) return print_statistics(session, *options);
    print(session);
  });
}

}  // namespace polypath::cli
