// polypath explore: every interleaving of a small scenario, up to a bound.
#include "explore/explore.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "session_run.h"
#include "terminal.h"
#include "trace/text.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

constexpr std::size_t kShown = 12;  ///< outcomes printed as text

struct Options {
  std::string file, choices;
  bool choices_given = false;
  explore::Options bounds;
  Overrides overrides;
};

std::string again(const Options& options, const explore::Choices& choices) {
  std::string out = "polypath explore " + options.file;
  for (const std::string& fault : options.overrides.faults) out += " --fault " + fault;
  if (options.bounds.grain == target::Runner::Grain::events) out += " --fine";
  return out + " --choices " + explore::choices_text(choices);
}

nlohmann::json finding_json(const explore::Found& f) {
  nlohmann::json row{{"rule", f.rule},
                     {"scope", f.rule == "EXPECT" ? "scenario"
                               : f.hazard         ? "hazard"
                                                  : "violation"},
                     {"summary", f.summary},
                     {"choices", f.choices}};
  if (f.step != 0) row["step"] = f.step;
  return row;
}

void print_json(const Options& options, const program::Program& program, const explore::Result& result) {
  auto outcomes = nlohmann::json::array();
  for (const auto& o : result.outcomes)
    outcomes.push_back({{"text", o.text}, {"ends", o.ends}, {"choices", o.choices}});
  auto findings = nlohmann::json::array();
  for (const auto& f : result.findings) findings.push_back(finding_json(f));
  const nlohmann::json json{{"name", program.name},
                            {"file", options.file},
                            {"exhaustive", result.exhaustive},
                            {"stopped_by", result.stopped_by},
                            {"states", result.states},
                            {"transitions", result.transitions},
                            {"merged", result.merged},
                            {"ends", result.ends},
                            {"deepest", result.deepest},
                            {"outcomes", outcomes},
                            {"findings", findings}};
  fmt::print("{}\n", json.dump(2));
}

void print_text(const Options& options, const program::Program& program, const explore::Result& result) {
  fmt::print("scenario  {}\n", paint(Colour::bold, program.name));
  for (const std::string& fault : program.faults) fmt::print("fault     {} is planted\n", fault);
  fmt::print("explored  {} states, {} transitions, {} merged, {} ends, {} choices deep\n", result.states,
             result.transitions, result.merged, result.ends, result.deepest);
  fmt::print("coverage  {}\n", result.exhaustive ? paint(Colour::green, "exhaustive")
                                                 : paint(Colour::yellow, "not exhaustive") + ": stopped by " +
                                                       result.stopped_by + "; give a greater one");
  fmt::print("outcomes  {} distinct\n", result.outcomes.size());
  for (std::size_t i = 0; i < std::min(kShown, result.outcomes.size()); ++i) {
    fmt::print("  {:>6} ends  {}\n", result.outcomes[i].ends, result.outcomes[i].text);
  }
  if (result.outcomes.size() > kShown) {
    fmt::print("  ... and {} more (--json has them all)\n", result.outcomes.size() - kShown);
  }
  fmt::print("findings  {}\n", result.findings.size());
  for (const auto& f : result.findings) {
    const std::string where = f.rule == "EXPECT" ? fmt::format("step {}", f.step) : f.rule;
    fmt::print("\n{} {}: {}\n",
               paint(f.hazard ? Colour::yellow : Colour::red, f.hazard ? "hazard" : "violation"), where,
               f.summary);
    const explore::Run run = explore::follow(program, f.choices, options.bounds);
    constexpr std::size_t kMore = 3;  // turns after the last choice that mattered
    for (std::size_t i = 0; i < std::min(run.turns.size(), f.choices.size() + kMore); ++i) {
      const bool first = i >= f.choices.size() || f.choices[i] == 0;
      fmt::print("  {:>4}  {}{}\n", i, first ? "" : "not the first: ", run.turns[i]);
    }
    fmt::print("  again: {}\n", again(options, f.choices));
  }
}

// One run along given choices, turn by turn, with its verdict.
void follow(Session& session, const Options& options, const program::Program& program) {
  const explore::Run run = explore::follow(program, explore::parse_choices(options.choices), options.bounds);
  const trace::Trace& trace = run.world->trace();
  const bool expected = run.runner->findings().empty();
  if (session.json) {
    nlohmann::json json = judgement_json(trace, run.judgement);
    json["turns"] = run.turns;
    auto unexpected = nlohmann::json::array();
    for (const auto& f : run.runner->findings())
      unexpected.push_back({{"step", f.step}, {"summary", f.summary}});
    json["unexpected"] = unexpected;
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("scenario  {}\n", paint(Colour::bold, program.name));
    for (std::size_t i = 0; i < run.turns.size(); ++i) fmt::print("  {:>4}  {}\n", i, run.turns[i]);
    for (const auto& f : run.runner->findings()) fmt::print("expected  step {}: {}\n", f.step, f.summary);
    fmt::print("{}", judgement_text(trace, run.judgement, false));
  }
  const bool clean = expected && run.judgement.verdict != model::Verdict::violation;
  session.exit_code = clean ? kClean : kFinding;
}

void run(Session& session, const Options& options) {
  const program::Program program = load_program(options.file, options.overrides);
  if (options.choices_given) return follow(session, options, program);
  explore::Result result;
  {
    Progress progress("exploring");
    result = explore::explore(program, options.bounds, [&](std::uint64_t states, std::size_t) {
      progress.show(states, options.bounds.states);
    });
  }
  session.json ? print_json(options, program, result) : print_text(options, program, result);
  const bool found = std::any_of(result.findings.begin(), result.findings.end(),
                                 [](const explore::Found& f) { return !f.hazard; });
  session.exit_code = found ? kFinding : kClean;
}

}  // namespace

void add_explore(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  options->overrides.media = "memory";
  auto* verb = app.add_subcommand("explore", "Every interleaving of a small scenario, up to a bound");
  verb->add_option("scenario", options->file, "Scenario file (docs/exploring.md)")->required();
  verb->add_option("--states", options->bounds.states, "Most states with a choice to visit")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  verb->add_option("--depth", options->bounds.depth, "Most choices in a row")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1'000'000U));
  verb->add_flag_callback(
      "--fine", [options] { options->bounds.grain = target::Runner::Grain::events; },
      "Fetches and interrupts have moments of their own: many more states");
  verb->add_option("--fault", options->overrides.faults, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--profile", options->overrides.profile, "Kind of controller (default: the scenario's)");
  verb->add_option("--media", options->overrides.media, "memory[:ns1=128MiB,...]: sizes of namespaces");
  verb->add_option("--choices", options->choices, "Follow these choices once, instead of all")
      ->each([options](const std::string&) { options->choices_given = true; });
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] { run(session, *options); });
}

}  // namespace polypath::cli
