// polypath minimize: the smallest program that still breaks the same rule.
#include "reduce/minimize.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scenario/scenario.h"
#include "subject.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

struct Options {
  std::string what, out;
  reduce::Options search;
  Overrides overrides;
};

nlohmann::json size_json(const reduce::Size& size) {
  return {{"steps", size.steps},           {"operands", size.operands}, {"controllers", size.controllers},
          {"namespaces", size.namespaces}, {"hosts", size.hosts},       {"free_steps", size.free_steps},
          {"overrides", size.overrides},   {"faults", size.faults}};
}

std::vector<std::string> size_row(const char* name, const reduce::Size& s) {
  return {name,
          fmt::format("{}", s.steps),
          fmt::format("{}", s.operands),
          fmt::format("{}", s.controllers),
          fmt::format("{}", s.namespaces),
          fmt::format("{}", s.hosts),
          fmt::format("{}", s.free_steps)};
}

void run(Session& session, Options options) {
  Subject subject = load_subject(options.what, session.db, options.overrides);
  if (options.search.rule.empty()) options.search.rule = subject.rule;
  reduce::Minimized result;
  {
    Progress progress("minimizing");
    result = reduce::minimize(subject.program, options.search, [&](std::uint64_t trials, std::size_t) {
      if (trials % 16 == 0) progress.show(trials, options.search.trials);
    });
  }
  program::Program& program = result.program;
  program.description = fmt::format("Breaks {}: {}\nMade by `polypath minimize` from: {}", result.broken.rule,
                                    result.broken.summary, subject.program.name);
  program = program::canonical(program);
  if (!options.out.empty()) write_scenario(options.out, program);
  if (session.json) {
    nlohmann::json json{{"rule", result.broken.rule},
                        {"summary", result.broken.summary},
                        {"before", size_json(result.before)},
                        {"after", size_json(result.after)},
                        {"trials", result.trials},
                        {"finished", result.finished},
                        {"scenario", scenario::scenario_text(program)}};
    if (result.broken.step != 0) json["step"] = result.broken.step;
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("keeps     {}: {}\n", result.broken.rule, result.broken.summary);
  fmt::print("{}", table({"", "Steps", "Operands", "Controllers", "Namespaces", "Hosts", "With latitude"},
                         {size_row("before", result.before), size_row("after", result.after)}));
  fmt::print("trials    {}{}\n", result.trials,
             result.finished ? "" : "; stopped there: give more with --trials to go on");
  if (options.out.empty()) {
    fmt::print("\n{}", scenario::scenario_text(program));
  } else {
    fmt::print("written   {}   (polypath explain {})\n", options.out, options.out);
  }
}

}  // namespace

void add_minimize(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("minimize", "The smallest program that still breaks the same rule");
  verb->add_option("finding", options->what,
                   "Scenario file, or of the store: FK, finding K; RUN; or RUN.K, its K-th finding")
      ->required();
  verb->add_option("-o,--output", options->out, "Write the scenario to this file");
  verb->add_option("--rule", options->search.rule, "Rule to keep (default: the first violation's)");
  verb->add_option("--trials", options->search.trials, "Most runs")->capture_default_str();
  verb->add_option("--seed", options->overrides.seed, "Seed of every decision (default: the scenario's)")
      ->each([options](const std::string&) { options->overrides.seed_given = true; });
  verb->add_option("--fault", options->overrides.faults, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--latitude", options->overrides.latitude, "How freely open choices are made")
      ->check(CLI::IsMember({"benign", "random", "adversarial"}));
  verb->add_option("--profile", options->overrides.profile, "Kind of controller (default: the scenario's)");
  verb->add_option("--media", options->overrides.media, "memory[:ns1=128MiB,...]: sizes of namespaces");
  verb->add_option("--db", session.db, "Store that has the run")->capture_default_str();
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  options->overrides.media = "memory";
  verb->callback([&session, options] { run(session, *options); });
}

}  // namespace polypath::cli
