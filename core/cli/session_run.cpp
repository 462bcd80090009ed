#include "session_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/list.h"
#include "scenario/scenario.h"
#include "store/row.h"
#include "store/store.h"
#include "terminal.h"
#include "trace/text.h"

namespace polypath::cli {
namespace {

constexpr std::size_t kLongestArguments = 1U << 20U;

Colour colour_of(std::string_view verdict) {
  return verdict == "pass" ? Colour::green : verdict == "violation" ? Colour::red : Colour::yellow;
}

// "memory" or "memory:ns1=128MiB,ns2=1GiB". True when all media are in memory.
bool parse_media(const std::string& media, std::map<std::string, std::uint64_t>& sizes) {
  if (media.empty()) return false;
  constexpr std::string_view kMemory = "memory";
  if (!media.starts_with(kMemory) || (media.size() > kMemory.size() && media[kMemory.size()] != ':')) {
    throw program::InputError("--media", "must be memory or memory:ID=SIZE,...");
  }
  std::istringstream rest(media.size() > kMemory.size() ? media.substr(kMemory.size() + 1) : "");
  for (std::string item; std::getline(rest, item, ',');) {
    const auto equals = item.find('=');
    const auto size =
        equals == std::string::npos ? std::nullopt : program::parse_size(item.substr(equals + 1));
    if (!size)
      throw program::InputError("--media", fmt::format("'{}' is no ID=SIZE such as ns1=128MiB", item));
    sizes[item.substr(0, equals)] = *size;
  }
  return true;
}

}  // namespace

program::Program load_program(const std::string& file, const Overrides& overrides) {
  scenario::LoadOptions options;
  options.profile = overrides.profile;
  options.memory_media = parse_media(overrides.media, options.sizes);
  program::Program program = scenario::load_scenario_file(file, options);
  if (overrides.seed_given) program.seed = overrides.seed;
  for (const std::string& fault : overrides.faults) program.faults.push_back(fault);
  const std::uint8_t latitude = overrides.latitude == "random"        ? 1
                                : overrides.latitude == "adversarial" ? 2
                                                                      : 0;
  for (program::Step& step : program.steps) {
    if (step.latitude == 0) step.latitude = latitude;
  }
  return program;
}

program::Topology topology_from_qemu_args(const std::string& args, const std::string& media,
                                          const std::string& profile) {
  program::TopologyOptions options;
  options.serial_per_controller = program::profile_allows_serials(profile);
  options.zoned = program::profile_has_zones(profile);
  options.memory_media = parse_media(media, options.sizes);
  if (options.memory_media) options.default_bytes = 128U << 20U;  // where neither the words nor --media say
  std::string text = args;
  if (args.starts_with('@')) {
    std::ifstream file(args.substr(1), std::ios::binary);
    if (!file)
      throw program::InputError(args.substr(1), "cannot be read; name a file that holds a QEMU command line");
    text.resize(kLongestArguments);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  std::vector<std::string> ignored;
  try {
    return program::parse_qemu_args(text, options, &ignored);
  } catch (const program::InputError& error) {
    if (!args.starts_with('@')) throw;
    throw program::InputError(args.substr(1), error.what());
  }
}

Ran run_program(program::Program program, const std::string& where,
                std::unique_ptr<target::Machine> machine) {
  const std::string problem = target::find_problem(program);
  if (!problem.empty()) throw program::InputError(where, problem);
  Ran ran;
  ran.program = std::move(program);
  ran.world = std::make_unique<target::World>(ran.program, std::move(machine));
  ran.runner = std::make_unique<target::Runner>(*ran.world, ran.program);
  {
    Progress progress("running");
    std::uint64_t turns = 0;
    while (ran.runner->advance()) {
      if (++turns % 4096 == 0) progress.show(ran.runner->steps_done(), ran.program.steps.size());
    }
  }
  // A run that came to rest was observed for ever: what has not happened by now never will.
  const model::Time until = ran.runner->limit_reached() ? 0 : engine::kForever;
  ran.judgement = check::judge(ran.world->trace(), {}, until);
  ran.trace_hash = ran.world->trace().hash();
  ran.state_hash = ran.world->hash(engine::HashKind::exact);
  for (const auto& event : ran.world->trace().events()) {
    if (event.kind == trace::Boundary::submitted) ++ran.commands;
  }
  if (ran.world->machine() != nullptr) return ran;  // it writes its drives itself
  std::string error;
  if (!device::commit_drives(ran.world->device(), error)) throw program::InputError(where, error);
  return ran;
}

std::string Ran::verdict() const {
  if (!runner->findings().empty()) return "violation";
  std::string judged(model::verdict_name(judgement.verdict));
  return judged == "pass" && runner->limit_reached() ? "inconclusive" : judged;
}

bool Ran::clean() const { return verdict() != "violation"; }

std::int64_t keep(const Ran& ran, const std::string& db) {
  store::Run row = store::row_of(ran.program, scenario::scenario_text(ran.program), ran.world->trace(),
                                 ran.runner->findings(), ran.judgement);
  if (ran.world->machine() != nullptr) row.target = "qemu";
  row.verdict = ran.verdict();
  row.state_hash = ran.state_hash;
  row.virtual_ns = ran.world->engine().now();
  return store::Store::open(db).add_run(row, &ran.world->trace());
}

std::int64_t keep_replay(const std::string& file, const replay::Replay& done,
                         const check::Judgement& judgement, const std::string& db) {
  store::Run row =
      store::row_of(done.program, scenario::scenario_text(done.program), done.trace, {}, judgement);
  row.name = "replay of " + file;
  row.verdict = model::verdict_name(judgement.verdict);
  row.state_hash = done.state_hash;
  row.virtual_ns = done.virtual_ns;
  return store::Store::open(db).add_run(row, &done.trace);
}

std::string judgement_text(const trace::Trace& trace, const check::Judgement& judgement, bool brief) {
  const std::string verdict(model::verdict_name(judgement.verdict));
  std::size_t exercised = 0, hazards = 0;
  std::uint64_t inconclusive = 0, judged = 0;
  for (const auto& rule : judgement.statistics) {
    exercised += rule.exercised != 0 ? 1 : 0;
    judged += rule.exercised;
    inconclusive += rule.inconclusive;
  }
  for (const auto& finding : judgement.findings) hazards += finding.scope() == model::Scope::hazard ? 1 : 0;
  std::string out = fmt::format("judged    {} of {} rules exercised, {} judgements, {} inconclusive\n",
                                exercised, judgement.statistics.size(), judged, inconclusive);
  out += fmt::format("verdict   {}: {} violations, {} hazards\n", paint(colour_of(verdict), verdict),
                     judgement.findings.size() - hazards, hazards);
  constexpr std::size_t kShown = 3;
  std::size_t shown = 0;
  for (const auto& finding : judgement.findings) {
    if (++shown > kShown) {
      out += fmt::format("  ... and {} more\n", judgement.findings.size() - kShown);
      break;
    }
    const bool hazard = finding.scope() == model::Scope::hazard;
    out += fmt::format("\n{} {} ({}) at {} s\n  {}\n",
                       paint(hazard ? Colour::yellow : Colour::red, hazard ? "hazard" : "violation"),
                       model::row_of(finding.rule).id, model::row_of(finding.rule).area,
                       trace::time_text(finding.time), finding.summary);
    if (brief) continue;
    out += fmt::format("  allowed   {}\n  seen      {}\n", finding.allowed, finding.seen);
    for (const auto index : finding.events) {
      out += fmt::format("  {:>7} {}\n", index, trace::event_text(trace, trace.events()[index]));
    }
  }
  return out;
}

nlohmann::json judgement_json(const trace::Trace& trace, const check::Judgement& judgement) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : judgement.findings) {
    auto events = nlohmann::json::array();
    for (const auto index : finding.events) events.push_back(trace::event_text(trace, trace.events()[index]));
    const model::RuleRow& rule = model::row_of(finding.rule);
    findings.push_back({{"rule", rule.id},
                        {"scope", model::scope_name(rule.scope)},
                        {"area", rule.area},
                        {"time_ns", finding.time},
                        {"summary", finding.summary},
                        {"allowed", finding.allowed},
                        {"seen", finding.seen},
                        {"events", events}});
  }
  auto rules = nlohmann::json::array();
  for (std::size_t i = 0; i < judgement.statistics.size(); ++i) {
    const auto& rule = judgement.statistics[i];
    rules.push_back({{"rule", model::rules()[i].id},
                     {"exercised", rule.exercised},
                     {"violations", rule.violations},
                     {"inconclusive", rule.inconclusive},
                     {"waived", rule.waived},
                     {"mean_allowed", rule.mean_allowed()}});
  }
  return {{"verdict", model::verdict_name(judgement.verdict)}, {"findings", findings}, {"rules", rules}};
}

std::string summary(const Ran& ran, bool brief) {
  const auto& world = *ran.world;
  const auto& topology = ran.program.topology;
  const std::string target =
      world.machine() == nullptr ? "" : fmt::format("on {}, ", world.machine()->name());
  std::string out =
      fmt::format("scenario  {}   {}profile {}, seed {}\n", paint(Colour::bold, ran.program.name), target,
                  ran.program.profile, ran.program.seed);
  out += fmt::format("world     {} subsystems, {} controllers, {} namespaces, {} hosts\n",
                     topology.subsystems.size(), topology.controllers.size(), topology.namespaces.size(),
                     ran.program.hosts.size());
  out +=
      fmt::format("ran       {} of {} steps, {} s virtual, {} commands, {} events\n",
                  ran.runner->steps_done(), ran.program.steps.size(),
                  trace::time_text(ran.world->engine().now()), ran.commands, world.trace().events().size());
  for (const std::string& fault : ran.program.faults) out += fmt::format("fault     {} is planted\n", fault);
  for (const auto& finding : ran.runner->findings()) {
    const std::string kind = paint(Colour::red, finding.machine ? "machine  " : "expected ");
    out += fmt::format("{} step {} at {} s: {}\n", kind, finding.step, trace::time_text(finding.time),
                       finding.summary);
  }
  if (ran.runner->limit_reached())
    out += "limit     the run was cut at its limit of events or virtual time\n";
  out += fmt::format("hashes    trace {:016x}   state {:016x}\n", ran.trace_hash, ran.state_hash);
  return out + judgement_text(world.trace(), ran.judgement, brief);
}

std::string summary_json(const Ran& ran) {
  nlohmann::json json = judgement_json(ran.world->trace(), ran.judgement);
  json["verdict"] = ran.verdict();
  for (const auto& finding : ran.runner->findings()) {
    json["findings"].push_back({{"rule", finding.rule()},
                                {"scope", "scenario"},
                                {"area", fmt::format("step {}", finding.step)},
                                {"time_ns", finding.time},
                                {"summary", finding.summary}});
  }
  json["name"] = ran.program.name;
  json["target"] = ran.world->trace().header.source;
  json["profile"] = ran.program.profile;
  json["seed"] = ran.program.seed;
  json["trace_hash"] = fmt::format("{:016x}", ran.trace_hash);
  json["state_hash"] = fmt::format("{:016x}", ran.state_hash);
  json["events"] = ran.world->trace().events().size();
  json["commands"] = ran.commands;
  json["virtual_ns"] = ran.world->engine().now();
  json["run"] = ran.stored == 0 ? nlohmann::json(nullptr) : nlohmann::json(ran.stored);
  return json.dump(2);
}

std::string list_text(const Ran& ran, bool verbose) {
  std::string out;
  for (std::uint32_t host = 0; host < ran.program.hosts.size(); ++host) {
    const host::Listing listing = host::list(ran.world->hosts(), host);
    if (ran.program.hosts.size() > 1) out += fmt::format("{}:\n", ran.program.hosts[host].id);
    if (verbose) {
      out += host::print_verbose(listing);
      continue;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& ns : listing.namespaces) {
      rows.push_back({ns.name, fmt::format("{}", ns.nsid), program::format_size(ns.blocks * ns.block_bytes),
                      fmt::format("{}", fmt::join(ns.controllers, ", "))});
    }
    out += table({"Node", "NSID", "Size", "Controllers"}, rows);
  }
  if (ran.program.hosts.empty())
    out += "no host is in this scenario; add `hosts:` to see what one would list\n";
  return out;
}

std::string list_json(const Ran& ran) {
  auto hosts = nlohmann::json::array();
  for (std::uint32_t host = 0; host < ran.program.hosts.size(); ++host) {
    const host::Listing listing = host::list(ran.world->hosts(), host);
    nlohmann::json row{{"host", ran.program.hosts[host].id},
                       {"subsystems", nlohmann::json::array()},
                       {"controllers", nlohmann::json::array()},
                       {"namespaces", nlohmann::json::array()}};
    for (const auto& s : listing.subsystems) {
      row["subsystems"].push_back({{"name", s.name}, {"nqn", s.nqn}, {"controllers", s.controllers}});
    }
    for (const auto& c : listing.controllers) {
      row["controllers"].push_back({{"name", c.name},
                                    {"serial", c.serial},
                                    {"model", c.model},
                                    {"firmware", c.firmware},
                                    {"transport", c.transport},
                                    {"address", c.address},
                                    {"subsystem", c.subsystem},
                                    {"namespaces", c.namespaces}});
    }
    for (const auto& n : listing.namespaces) {
      row["namespaces"].push_back({{"name", n.name},
                                   {"nsid", n.nsid},
                                   {"used_bytes", n.used_blocks * n.block_bytes},
                                   {"bytes", n.blocks * n.block_bytes},
                                   {"block_bytes", n.block_bytes},
                                   {"metadata_bytes", n.metadata_bytes},
                                   {"controllers", n.controllers}});
    }
    hosts.push_back(std::move(row));
  }
  return nlohmann::json{{"hosts", hosts}}.dump(2);
}

}  // namespace polypath::cli
