#include "reduce/minimize.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reduce/repair.h"

namespace polypath::reduce {
namespace {

using program::Field;
using program::Form;
using program::Operand;
using program::Program;
using program::Step;
using program::Value;

bool is_required(program::StepKind kind, Field field) {
  const program::StepRow* row = program::find_step(kind);
  return row != nullptr && std::any_of(row->fields.begin(), row->fields.end(),
                                       [&](const auto& f) { return f.field == field && f.required; });
}

struct Search {
  Program best;
  Broken broken;
  target::RunLimits limits;
  std::uint64_t most = 0, trials = 0;
  const Progress& progress;

  bool exhausted() const { return trials >= most; }

  /// Keeps the candidate when it breaks the same rule.
  bool accept(Program candidate) {
    if (exhausted()) return false;
    candidate = program::canonical(std::move(candidate));
    if (candidate == best) return false;
    ++trials;
    if (progress) progress(trials, best.steps.size());
    const Trial trial = run_trial(candidate, limits);
    const auto found = std::find_if(trial.broken.begin(), trial.broken.end(),
                                    [&](const Broken& b) { return b.same(broken); });
    if (found == trial.broken.end() || !is_a_scenario(candidate)) return false;
    best = std::move(candidate);
    broken = *found;
    return true;
  }

  bool without_steps(std::size_t first, std::size_t count) {
    Program candidate = best;
    const auto from = candidate.steps.begin() + static_cast<std::ptrdiff_t>(first);
    candidate.steps.erase(from, from + static_cast<std::ptrdiff_t>(count));
    return accept(repaired(std::move(candidate)));
  }

  // ddmin: pieces from halves down to single steps, from the end, where what came after the finding lies.
  bool drop_steps() {
    bool any = false;
    for (std::size_t piece = std::max<std::size_t>(best.steps.size() / 2, 1); !exhausted();) {
      bool dropped = false;
      for (std::size_t end = best.steps.size(); end > 0 && !exhausted();) {
        const std::size_t first = end > piece ? end - piece : 0;
        if (without_steps(first, end - first)) {
          dropped = any = true;
          end = std::min(first, best.steps.size());
        } else {
          end = first;
        }
      }
      if (piece == 1 && !dropped) break;
      if (piece > 1) piece = (piece + 1) / 2;
    }
    return any;
  }

  // What a step left behind is often only the time that it took. With the others pinned to the moments at
  // which they began, it can go.
  bool drop_steps_at_their_times() {
    const Program before = best;
    const Broken as_before = broken;
    Program candidate = best;
    const std::vector<engine::Time> begun = begin_times(candidate, limits);
    for (std::size_t i = 0; i < candidate.steps.size(); ++i) {
      if (begun[i] != engine::kForever) candidate.steps[i].at = begun[i];
    }
    if (!accept(std::move(candidate))) return false;
    drop_steps();
    if (best.steps.size() < before.steps.size()) return true;
    best = before;
    broken = as_before;
    return false;
  }

  bool drop_devices() {
    bool any = false;
    for (std::size_t word = best.topology.words.size(); word-- != 0;) {
      Program candidate;
      if (word < best.topology.words.size() && without_word(best, word, candidate)) any |= accept(candidate);
    }
    for (std::size_t host = best.hosts.size(); host-- != 0;) {
      Program candidate = best;
      if (host >= candidate.hosts.size()) continue;
      candidate.hosts.erase(candidate.hosts.begin() + static_cast<std::ptrdiff_t>(host));
      any |= accept(repaired(std::move(candidate)));
    }
    for (std::size_t host = 0; host < best.hosts.size(); ++host) any |= simplify_host(host);
    return any;
  }

  bool simplify_host(std::size_t index) {
    bool any = false;
    for (std::size_t path = best.hosts[index].paths.size();
         path-- != 0 && best.hosts[index].paths.size() > 1;) {
      Program candidate = best;
      auto& paths = candidate.hosts[index].paths;
      paths.erase(paths.begin() + static_cast<std::ptrdiff_t>(path));
      any |= accept(std::move(candidate));
    }
    program::HostSpec plain;
    plain.id = best.hosts[index].id;
    plain.paths = best.hosts[index].paths;
    if (plain == best.hosts[index]) return any;
    Program candidate = best;
    candidate.hosts[index] = plain;
    return accept(std::move(candidate)) || any;
  }

  bool drop_freedom() {
    bool any = false;
    Program candidate = best;
    for (Step& step : candidate.steps) step.latitude = 0;
    candidate.overrides.clear();
    any |= accept(candidate);
    if (!best.overrides.empty()) {
      candidate = best;
      candidate.overrides.clear();
      any |= accept(candidate);
    }
    for (std::size_t i = 0; i < best.steps.size(); ++i) {
      if (best.steps[i].latitude == 0) continue;
      candidate = best;
      candidate.steps[i].latitude = 0;
      any |= accept(candidate);
    }
    for (std::size_t i = best.faults.size(); i-- != 0;) {
      candidate = best;
      candidate.faults.erase(candidate.faults.begin() + static_cast<std::ptrdiff_t>(i));
      any |= accept(candidate);
    }
    for (std::size_t i = best.overrides.size(); i-- != 0 && !exhausted();) {
      candidate = best;
      candidate.overrides.erase(candidate.overrides.begin() + static_cast<std::ptrdiff_t>(i));
      any |= accept(candidate);
    }
    return any;
  }

  /// Tries one change of one step.
  template <class Change>
  bool change(std::size_t step, Change&& apply) {
    Program candidate = best;
    if (step >= candidate.steps.size()) return false;
    apply(candidate.steps[step]);
    return accept(repaired(std::move(candidate)));
  }

  bool simplify_step(std::size_t i) {
    bool any = change(i, [](Step& s) {
      s.at = engine::kForever;
      s.actor.clear();
      s.label.clear();
      s.after.clear();
    });
    any |= change(i, [](Step& s) { s.at = engine::kForever; });
    any |= change(i, [](Step& s) { s.nowait = false; });
    any |= change(i, [](Step& s) { s.after.clear(); });
    any |= change(i, [](Step& s) { s.actor.clear(); });
    any |= change(i, [](Step& s) { s.label.clear(); });
    any |= change(i, [](Step& s) { s.as.clear(); });
    for (std::size_t k = best.steps.size() > i ? best.steps[i].operands.size() : 0; k-- != 0;) {
      if (i < best.steps.size() && k < best.steps[i].operands.size()) any |= simplify_operand(i, k);
    }
    return any;
  }

  bool simplify_operand(std::size_t i, std::size_t k) {
    const bool optional = !is_required(best.steps[i].kind, best.steps[i].operands[k].field);
    const auto erase = [&](Step& s) {
      s.operands.erase(s.operands.begin() + static_cast<std::ptrdiff_t>(k));
    };
    if (optional && change(i, erase)) return true;
    bool any = false;
    const auto value = [&]() -> const Value& { return best.steps[i].operands[k].value; };
    const auto set = [&](auto&& apply) {
      return change(i, [&](Step& s) {
        if (k < s.operands.size()) apply(s.operands[k].value);
      });
    };
    const std::size_t operands = best.steps[i].operands.size();
    const auto unchanged = [&] { return i < best.steps.size() && best.steps[i].operands.size() == operands; };
    for (std::size_t item = value().list.size(); unchanged() && item-- != 0 && value().list.size() > 1;) {
      any |= set([&](Value& v) { v.list.erase(v.list.begin() + static_cast<std::ptrdiff_t>(item)); });
    }
    const program::FieldRow* row =
        unchanged() ? program::find_field(best.steps[i].operands[k].field) : nullptr;
    if (row == nullptr || value().form == Form::name || !value().list.empty()) return any;
    if (!value().text.empty()) {
      any |= set([](Value& v) { v.text.resize(1); });
      return any;
    }
    for (const std::uint64_t simple : {row->least, std::max<std::uint64_t>(row->least, 1)}) {
      if (!unchanged() || value().number <= simple) break;
      if (set([&](Value& v) { v.number = simple; })) return true;
    }
    while (unchanged() && value().number > 1 && !exhausted() && set([](Value& v) { v.number /= 2; })) {
      any = true;
    }
    return any;
  }

  bool simplify() {
    bool any = false;
    for (std::size_t i = best.steps.size(); i-- != 0 && !exhausted();) {
      if (i < best.steps.size()) any |= simplify_step(i);
    }
    if (best.seed != 0) {
      Program candidate = best;
      candidate.seed = 0;
      any |= accept(candidate);
    }
    return any;
  }
};

}  // namespace

Size size_of(const Program& program) {
  Size size;
  size.steps = program.steps.size();
  size.controllers = program.topology.controllers.size();
  size.namespaces = program.topology.namespaces.size();
  size.hosts = program.hosts.size();
  size.overrides = program.overrides.size();
  size.faults = program.faults.size();
  for (const Step& step : program.steps) {
    size.operands += step.operands.size();
    size.free_steps += step.latitude != 0 ? 1 : 0;
  }
  return size;
}

Minimized minimize(const Program& program, const Options& options, const Progress& progress) {
  Search search{program::canonical(program), {}, {}, options.trials, 0, progress};
  const Trial first = run_trial(search.best);
  if (!first.problem.empty()) throw program::InputError(program.name, first.problem);
  const Broken* broken = choose(first, options.rule);
  if (broken == nullptr) {
    const std::string what = options.rule.empty() ? "no rule" : "not " + options.rule;
    throw program::InputError(
        program.name,
        fmt::format("breaks {} when it runs; give the seed, latitude and faults it broke one with", what));
  }
  search.broken = *broken;
  search.limits.events = first.turns * 2 + 10'000;  // a smaller program needs no longer run
  Minimized out;
  out.before = size_of(search.best);
  search.drop_freedom();
  for (bool again = true; again && !search.exhausted();) {
    again = search.drop_steps();
    again |= search.drop_devices();
    again |= search.drop_freedom();
    again |= search.simplify();
    if (!again) again = search.drop_steps_at_their_times();
  }
  out.finished = !search.exhausted();
  out.trials = search.trials;
  out.program = std::move(search.best);
  out.broken = search.broken;
  out.after = size_of(out.program);
  return out;
}

}  // namespace polypath::reduce
