#include "reduce/repair.h"

#include <algorithm>
#include <set>
#include <string>

#include "scenario/scenario.h"

namespace polypath::reduce {
namespace {

using program::Form;
using program::Program;
using program::Step;
using program::Value;

std::set<std::string> names_of(const Program& program) {
  std::set<std::string> names;
  for (const auto& controller : program.topology.controllers) names.insert(controller.id);
  for (const auto& ns : program.topology.namespaces) names.insert(ns.id);
  for (const auto& host : program.hosts) names.insert(host.id);
  for (const Step& step : program.steps) {
    if (!step.as.empty()) names.insert(step.as);
  }
  return names;
}

bool resolves(const Value& value, const std::set<std::string>& names) {
  if (value.form == Form::name && !value.text.empty() && !names.contains(value.text)) return false;
  return std::all_of(value.list.begin(), value.list.end(),
                     [&](const Value& item) { return resolves(item, names); });
}

bool resolves(const Step& step, const std::set<std::string>& names) {
  return std::all_of(step.operands.begin(), step.operands.end(),
                     [&](const auto& operand) { return resolves(operand.value, names); });
}

}  // namespace

Program repaired(Program program) {
  for (auto& host : program.hosts) {
    std::erase_if(host.paths, [&](const std::string& path) {
      return std::none_of(program.topology.controllers.begin(), program.topology.controllers.end(),
                          [&](const auto& controller) { return controller.id == path; });
    });
  }
  std::erase_if(program.hosts, [](const auto& host) { return host.paths.empty(); });
  for (bool again = true; again;) {
    const auto names = names_of(program);
    again = std::erase_if(program.steps, [&](const Step& step) { return !resolves(step, names); }) != 0;
  }
  std::set<std::string> labels;
  for (const Step& step : program.steps) labels.insert(step.label);
  for (Step& step : program.steps) {
    if (!labels.contains(step.after)) step.after.clear();
  }
  return program;
}

bool without_word(const Program& program, std::size_t word, Program& out) {
  out = program;
  std::vector<std::string> words = program.topology.words;
  if (word >= words.size()) return false;
  // What names the device goes with it: a subsystem's controllers, a controller's own namespaces.
  const std::string& gone = words[word];
  const std::size_t at = gone.find(",id=");
  const std::string id =
      at == std::string::npos ? "" : gone.substr(at + 4, gone.find(',', at + 4) - (at + 4));
  const auto hangs = [&](const std::string& other) {
    for (const char* key : {",bus=", ",subsys="}) {
      const std::size_t place = other.find(key + id);
      if (id.empty() || place == std::string::npos) continue;
      const std::size_t end = place + std::string(key).size() + id.size();
      if (end == other.size() || other[end] == ',') return true;
    }
    return false;
  };
  words.erase(words.begin() + static_cast<std::ptrdiff_t>(word));
  std::erase_if(words, hangs);
  program::TopologyOptions options;
  options.serial_per_controller = program::profile_allows_serials(program.profile);
  options.zoned = program::profile_has_zones(program.profile);
  options.check_drives = false;
  try {
    out.topology = program::parse_topology(words, {}, options);
  } catch (const program::InputError&) {
    return false;
  }
  if (out.topology.controllers.empty()) return false;
  out = repaired(std::move(out));
  return true;
}

bool is_a_scenario(const Program& program) {
  try {
    scenario::LoadOptions options;
    return scenario::load_scenario_text(scenario::scenario_text(program), "candidate", options) ==
           program::canonical(program);
  } catch (const program::InputError&) {
    return false;
  }
}

}  // namespace polypath::reduce
