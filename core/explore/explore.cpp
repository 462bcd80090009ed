#include "explore/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "explore/history.h"
#include "explore/outcome.h"
#include "model/monitor.h"

namespace polypath::explore {
namespace {

using target::Runner;
using target::World;
using Choice = Runner::Choice;

// A point with alternatives, to come back to.
struct Point {
  Point(model::Monitor m, History h, std::vector<Choice> a)
      : monitor(std::move(m)), history(std::move(h)), alternatives(std::move(a)) {}
  World::Snapshot world;
  Runner::Snapshot runner;
  model::Monitor monitor;
  History history;
  std::vector<Choice> alternatives;
  std::uint32_t next = 0;   ///< the first that was not tried
  std::uint32_t taken = 0;  ///< the one that is being followed
};

struct Search {
  const program::Program& program;
  const Options& options;
  const Progress& progress;
  World world;
  Runner runner;
  model::Monitor monitor;
  History history;
  std::vector<Point> path;
  std::unordered_set<std::uint64_t> seen;
  std::unordered_map<std::string, std::size_t> outcome_of;  ///< text to place in result.outcomes
  Result result;
  bool cut = false;

  Search(const program::Program& p, const Options& o, const Progress& g)
      : program(p),
        options(o),
        progress(g),
        world(p),
        runner(world, p, o.limits),
        monitor(world.trace()),
        history(world.trace().header) {
    world.trace().keep_inside(false);
  }

  Choices choices() const {
    Choices out;
    for (const Point& point : path) out.push_back(point.taken);
    return out;
  }

  void report(const std::string& rule, bool hazard, std::uint32_t step, const std::string& summary) {
    for (const Found& f : result.findings) {
      if (f.rule == rule && f.step == step) return;
    }
    result.findings.push_back({rule, hazard, step, summary, choices()});
  }

  /// Reports what the model has found. True when a rule is broken: what follows is judged from facts that are
  /// wrong already.
  bool judge(const model::Monitor& judge_of) {
    bool broken = false;
    for (const model::Finding& f : judge_of.findings()) {
      const bool hazard = f.scope() == model::Scope::hazard;
      report(std::string(model::row_of(f.rule).id), hazard, 0, f.summary);
      broken |= !hazard;
    }
    return broken;
  }

  void end() {
    ++result.ends;
    model::Monitor whole = monitor;
    whole.finish(runner.limit_reached() ? 0 : engine::kForever);
    judge(whole);
    for (const target::StepFinding& f : runner.findings()) report("EXPECT", false, f.step, f.summary);
    const std::string text = outcome_text(program, world, runner, whole.verdict());
    const auto [place, fresh] = outcome_of.emplace(text, result.outcomes.size());
    if (fresh) result.outcomes.push_back({text, 0, choices()});
    ++result.outcomes[place->second].ends;
  }

  std::uint64_t key() const {
    engine::Hasher hasher;
    runner.hash_canonical(hasher);
    world.hash_canonical(hasher);
    history.hash(hasher);
    return hasher.value();
  }

  /// Goes on to the next point with alternatives. False at the end of a branch.
  bool forward(std::vector<Choice>& alternatives) {
    for (;;) {
      runner.choices(alternatives, options.grain);
      if (alternatives.size() > 1) break;
      if (alternatives.empty() || !runner.take(alternatives.front())) {
        monitor.advance();
        end();
        return false;
      }
    }
    monitor.advance();
    if (judge(monitor)) {
      ++result.ends;
      return false;
    }
    history.advance(world.trace());
    if (options.merge && !seen.insert(key()).second) {
      ++result.merged;
      return false;
    }
    if (path.size() >= options.depth || result.states >= options.states) {
      cut = true;
      result.stopped_by = path.size() >= options.depth ? fmt::format("--depth {}", options.depth)
                                                       : fmt::format("--states {}", options.states);
      return false;
    }
    ++result.states;
    if (progress && result.states % 256 == 0) progress(result.states, path.size());
    return true;
  }

  void push(std::vector<Choice>& alternatives) {
    path.emplace_back(monitor, history, std::move(alternatives));
    world.snapshot(path.back().world);
    runner.snapshot(path.back().runner);
    alternatives.clear();
  }

  void run() {
    std::vector<Choice> alternatives;
    if (forward(alternatives)) push(alternatives);
    while (!path.empty() && result.states < options.states) {
      Point& point = path.back();
      if (point.next == point.alternatives.size()) {
        path.pop_back();
        continue;
      }
      point.taken = point.next++;
      world.restore(point.world);
      runner.restore(point.runner);
      monitor = point.monitor;
      history = point.history;
      ++result.transitions;
      result.deepest = std::max(result.deepest, static_cast<std::uint32_t>(path.size()));
      if (!runner.take(point.alternatives[point.taken])) {
        monitor.advance();
        end();
      } else if (forward(alternatives)) {
        push(alternatives);
      }
    }
    if (!path.empty()) result.stopped_by = fmt::format("--states {}", options.states);
    result.exhaustive = result.stopped_by.empty();
  }
};

bool shows(const Run& run, const Found& wanted) {
  if (wanted.rule == "EXPECT") {
    return std::ranges::any_of(run.runner->findings(), [&](const auto& f) { return f.step == wanted.step; });
  }
  return std::ranges::any_of(run.judgement.findings,
                             [&](const auto& f) { return model::row_of(f.rule).id == wanted.rule; });
}

// Takes the first alternative wherever that leads to the same finding: what is left is what matters.
void shorten(const program::Program& program, const Options& options, Found& found) {
  for (std::size_t i = found.choices.size(); i-- != 0;) {
    if (found.choices[i] == 0) continue;
    Choices without = found.choices;
    without[i] = 0;
    if (shows(follow(program, without, options), found)) found.choices = std::move(without);
  }
  while (!found.choices.empty() && found.choices.back() == 0) found.choices.pop_back();
}

void check(const program::Program& program) {
  const std::string problem = target::find_problem(program);
  if (!problem.empty()) throw program::InputError(program.name, problem);
  for (const program::Step& step : program.steps) {
    if (step.kind != program::StepKind::workload) continue;
    throw program::InputError(
        program.name,
        fmt::format("step {} is a workload, which has no end of orders; write a few reads and writes",
                    step.id));
  }
}

}  // namespace

Result explore(const program::Program& program, const Options& options, const Progress& progress) {
  check(program);
  program::Program own = program;
  program::use_memory_media(own.topology);
  Search search(own, options, progress);
  search.run();
  for (Found& found : search.result.findings) shorten(own, options, found);
  return std::move(search.result);
}

Run follow(const program::Program& program, const Choices& choices, const Options& options) {
  check(program);
  Run run;
  run.world = std::make_unique<World>(program);
  run.runner = std::make_unique<Runner>(*run.world, program, options.limits);
  std::vector<Choice> alternatives;
  std::size_t at = 0;
  for (;;) {
    run.runner->choices(alternatives, options.grain);
    if (alternatives.empty()) break;
    std::size_t taken = 0;
    if (alternatives.size() > 1) {
      if (at < choices.size()) taken = std::min<std::size_t>(choices[at], alternatives.size() - 1);
      ++at;
      run.turns.push_back(run.runner->text_of(alternatives[taken]));
    }
    if (!run.runner->take(alternatives[taken])) break;
  }
  run.judgement = check::judge(run.world->trace(), {}, run.runner->limit_reached() ? 0 : engine::kForever);
  return run;
}

std::string choices_text(const Choices& choices) { return fmt::format("{}", fmt::join(choices, ",")); }

Choices parse_choices(std::string_view text) {
  Choices out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + comma, value);
    if (error != std::errc{} || end != text.data() + comma) {
      throw program::InputError("--choices",
                                fmt::format("'{}' is no number; give what `explore` printed, such as 0,2,1",
                                            text.substr(0, comma)));
    }
    out.push_back(value);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace polypath::explore
