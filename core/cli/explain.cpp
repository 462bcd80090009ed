// polypath explain: which rule is broken, what was allowed, what was seen, and how it came to that.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "check/story.h"
#include "scenario/scenario.h"
#include "subject.h"
#include "terminal.h"
#include "trace/text.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

struct Options {
  std::string what, out, rule;
  std::size_t events = check::kStoryEvents;
  bool dot = false;
  Overrides overrides;
};

/// The finding to explain: one of the model's, or a step whose expectation did not hold.
struct Chosen {
  const model::Finding* finding = nullptr;
  const target::StepFinding* step = nullptr;
};

Chosen choose(const Ran& ran, const std::string& rule) {
  Chosen chosen;
  for (const model::Finding& f : ran.judgement.findings) {
    if (!rule.empty() && model::row_of(f.rule).id != rule) continue;
    const bool better = chosen.finding == nullptr || (chosen.finding->scope() == model::Scope::hazard &&
                                                      f.scope() != model::Scope::hazard);
    if (better) chosen.finding = &f;
  }
  const bool violation = chosen.finding != nullptr && chosen.finding->scope() != model::Scope::hazard;
  if (violation || (!rule.empty() && rule != "EXPECT") || ran.runner->findings().empty()) return chosen;
  return {nullptr, &ran.runner->findings().front()};
}

std::string when(model::Time time) {
  return time == engine::kForever ? "the end: nothing more could happen" : trace::time_text(time) + " s";
}

nlohmann::json story_json(const trace::Trace& trace, const check::Story& story) {
  auto out = nlohmann::json::array();
  for (const check::Ordered& row : story.events) {
    const bool shows = std::binary_search(story.showing.begin(), story.showing.end(), row.event);
    out.push_back(
        {{"event", row.event},
         {"text", trace::event_text(trace, trace.events()[row.event])},
         {"after", row.after},
         {"shows", shows},
         {"meanwhile", std::binary_search(story.meanwhile.begin(), story.meanwhile.end(), row.event)}});
  }
  return out;
}

void print_text(const Options& options, const Ran& ran, const Chosen& chosen, const check::Story& story) {
  const trace::Trace& trace = ran.world->trace();
  if (chosen.finding != nullptr) {
    const model::RuleRow& rule = model::row_of(chosen.finding->rule);
    const bool hazard = rule.scope == model::Scope::hazard;
    fmt::print("{} {}\n", paint(hazard ? Colour::yellow : Colour::red, std::string(rule.id)),
               chosen.finding->summary);
    fmt::print("rule      {}\nscope     {}\narea      {}\nat        {}\n", rule.title,
               model::scope_name(rule.scope), rule.area, when(chosen.finding->time));
    fmt::print("allowed   {}\nseen      {}\n", chosen.finding->allowed, chosen.finding->seen);
  } else {
    fmt::print("{} step {}: {}\nat        {} s\n", paint(Colour::red, "EXPECT"), chosen.step->step,
               chosen.step->summary, trace::time_text(chosen.step->time));
  }
  for (const std::string& fault : ran.program.faults) fmt::print("fault     {} is planted\n", fault);
  fmt::print("story     {} of {} events, each after those that it came from; * shows it{}\n",
             story.events.size(), trace.events().size(),
             story.meanwhile.empty() ? "" : ", ~ happened meanwhile");
  fmt::print("{}", check::story_text(trace, story));
  if (options.out.empty()) {
    fmt::print("\n{}", scenario::scenario_text(ran.program));
  } else {
    fmt::print("again     polypath run {}\n", options.out);
  }
}

void print_json(const Ran& ran, const Chosen& chosen, const check::Story& story) {
  nlohmann::json json{{"story", story_json(ran.world->trace(), story)},
                      {"scenario", scenario::scenario_text(ran.program)}};
  if (chosen.finding != nullptr) {
    const model::RuleRow& rule = model::row_of(chosen.finding->rule);
    json["rule"] = rule.id;
    json["title"] = rule.title;
    json["scope"] = model::scope_name(rule.scope);
    json["area"] = rule.area;
    json["time_ns"] = chosen.finding->time;
    json["summary"] = chosen.finding->summary;
    json["allowed"] = chosen.finding->allowed;
    json["seen"] = chosen.finding->seen;
  } else {
    json["rule"] = "EXPECT";
    json["step"] = chosen.step->step;
    json["time_ns"] = chosen.step->time;
    json["summary"] = chosen.step->summary;
  }
  fmt::print("{}\n", json.dump(2));
}

void run(Session& session, const Options& options) {
  const Subject subject = load_subject(options.what, session.db, options.overrides);
  const Ran ran = run_program(subject.program, options.what);
  const std::string rule = options.rule.empty() ? subject.rule : options.rule;
  const Chosen chosen = choose(ran, rule);
  if (chosen.finding == nullptr && chosen.step == nullptr) {
    const std::string broken = rule.empty() ? "no rule" : "not " + rule;
    throw program::InputError(
        options.what,
        fmt::format("breaks {} when it runs; give the seed, latitude and faults it broke one with", broken));
  }
  const trace::Trace& trace = ran.world->trace();
  const check::Story story = chosen.finding != nullptr
                                 ? check::story_of(trace, *chosen.finding, options.events)
                                 : check::story_of_step(trace, chosen.step->step, options.events);
  if (!options.out.empty()) write_scenario(options.out, ran.program);
  if (options.dot) {
    fmt::print("{}", check::story_dot(trace, story));
  } else if (session.json) {
    print_json(ran, chosen, story);
  } else {
    print_text(options, ran, chosen, story);
  }
}

}  // namespace

void add_explain(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  options->overrides.media = "memory";
  auto* verb = app.add_subcommand("explain", "Which rule is broken, and the few events that led to it");
  verb->add_option("finding", options->what,
                   "Scenario file, or of the store: FK, finding K; RUN; or RUN.K, its K-th finding")
      ->required();
  verb->add_option("-o,--output", options->out, "Write the scenario that reproduces it to this file");
  verb->add_option("--rule", options->rule, "Rule to explain (default: the first violation's)");
  verb->add_option("--events", options->events, "Most events to show")->capture_default_str();
  verb->add_option("--seed", options->overrides.seed, "Seed of every decision (default: the scenario's)")
      ->each([options](const std::string&) { options->overrides.seed_given = true; });
  verb->add_option("--fault", options->overrides.faults, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--latitude", options->overrides.latitude, "How freely open choices are made")
      ->check(CLI::IsMember({"benign", "random", "adversarial"}));
  verb->add_option("--profile", options->overrides.profile, "Kind of controller (default: the scenario's)");
  verb->add_option("--media", options->overrides.media, "memory[:ns1=128MiB,...]: sizes of namespaces");
  verb->add_option("--db", session.db, "Store that has the run")->capture_default_str();
  verb->add_flag("--dot", options->dot, "Print the events and what they came from for Graphviz");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] { run(session, *options); });
}

}  // namespace polypath::cli
