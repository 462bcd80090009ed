// The same small programs on the simulator and on QEMU's device, side by side: what each step answered, which
// events came, and what the reference model says of both. Differences that are known, with rule and argument,
// are in a file; the program fails when another one shows, or when a known one is gone.
//   polypath_differential PROBES KNOWN [--only ID] [--markdown FILE]
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check/judge.h"
#include "engine/hash.h"
#include "model/rules.h"
#include "program/program.h"
#include "qemu/qemu.h"
#include "scenario/scenario.h"
#include "spec/status.h"
#include "target/runner.h"
#include "target/world.h"
#include "trace/text.h"

namespace {

using namespace polypath;

struct Probe {
  std::string id, title;
  program::Program program;
  std::size_t setup = 0;           ///< steps before those of the probe
  std::vector<std::string> words;  ///< the steps as they are written
};

/// What one target answered.
struct Answer {
  std::vector<std::string> steps;
  std::vector<std::string> broken;  ///< rules of the standard that the model saw broken, each once
  std::string ended;                ///< how the emulator ended, if it did
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\\\"") : std::string(1, c);
  return out + "\"";
}

/// YAML of a node on one line.
std::string flow(const YAML::Node& node) {
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    return node.Tag() == "!" ? quoted(text) : text;
  }
  std::string out = node.IsMap() ? "{" : "[";
  for (const auto& item : node) {
    if (out.size() > 1) out += ", ";
    out += node.IsMap() ? item.first.Scalar() + ": " + flow(item.second) : flow(item);
  }
  return out + (node.IsMap() ? "}" : "]");
}

std::vector<Probe> load(const std::string& file) {
  const YAML::Node root = YAML::LoadFile(file);
  std::vector<Probe> probes;
  for (const auto& node : root["probes"]) {
    Probe probe;
    probe.id = node["id"].Scalar();
    probe.title = node["title"].Scalar();
    std::string text = "name: " + quoted(probe.title) + "\ntopology:\n";
    for (const auto& word : root["topology"]) text += "  - " + word.Scalar() + "\n";
    text += "steps:\n";
    for (const auto& step : root["setup"]) text += "  - " + flow(step) + "\n";
    probe.setup = root["setup"].size();
    for (const auto& step : node["steps"]) {
      probe.words.push_back(flow(step));
      text += "  - " + probe.words.back() + "\n";
    }
    probe.program = scenario::load_scenario_text(text, file + ": " + probe.id);
    probes.push_back(std::move(probe));
  }
  return probes;
}

/// Data that must be equal: lists, the log of changed namespaces, what a read returned. Other pages tell who
/// made the controller.
bool data_counts(const program::Step& step) {
  const std::uint64_t opcode = step.number(program::Field::opcode, 0xFF);
  if (step.kind == program::StepKind::io) return opcode == 0x02;
  if (step.kind != program::StepKind::admin) return false;
  const std::uint64_t low = step.number(program::Field::cdw10) & 0xFF;
  if (opcode == 0x06) return low == 0x02 || low == 0x10 || low == 0x12 || low == 0x13;
  return opcode == 0x02 && low == 0x04;
}

bool result_counts(const program::Step& step) {
  const std::uint64_t opcode = step.number(program::Field::opcode, 0xFF);
  if (step.kind != program::StepKind::admin) return false;
  return opcode == 0x0C || opcode == 0x08 || opcode == 0x0A || opcode == 0x09 || opcode == 0x0D;
}

std::string text_of(const program::Step& step, const target::StepOutcome& outcome) {
  if (outcome.lost) return "no completion";
  if (!outcome.done || !outcome.started) return "waits";
  // Whether there is an entry in the error log is the controller's affair.
  constexpr std::uint16_t kMore = 0x2000;
  std::string out = trace::status_text(static_cast<std::uint16_t>(outcome.status & ~kMore));
  if (outcome.status == 0 && result_counts(step)) out += fmt::format(" {:#x}", outcome.dw0);
  if (outcome.status == 0 && data_counts(step)) {
    std::string list;
    for (std::size_t i = 0; i + 4 <= outcome.data.size() && i < 16; i += 4) {
      std::uint32_t word = 0;
      for (std::size_t b = 0; b < 4; ++b)
        word |= std::to_integer<std::uint32_t>(outcome.data[i + b]) << 8 * b;
      list += fmt::format("{}{:x}", i == 0 ? "" : " ", word);
    }
    out += fmt::format(" [{}] {:08x}", list,
                       engine::hash_bytes(outcome.data.data(), outcome.data.size()) & 0xFFFFFFFFU);
  }
  return out;
}

Answer ask(const Probe& probe, bool qemu) {
  Answer answer;
  target::World world(probe.program, qemu ? qemu::start(probe.program.topology) : nullptr);
  target::RunLimits limits;
  limits.keep_data = true;
  target::Runner runner(world, probe.program, limits);
  runner.run();
  for (std::size_t i = probe.setup; i < probe.program.steps.size(); ++i) {
    answer.steps.push_back(text_of(probe.program.steps[i], runner.outcomes()[i]));
  }
  if (world.machine() != nullptr) answer.ended = world.machine()->obituary();
  for (const auto& finding : check::judge(world.trace(), {}, engine::kForever).findings) {
    if (finding.scope() == model::Scope::hazard) continue;
    const std::string rule(model::row_of(finding.rule).id);
    if (std::find(answer.broken.begin(), answer.broken.end(), rule) == answer.broken.end())
      answer.broken.push_back(rule);
  }
  return answer;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

struct Known {
  std::string verdict, rule, argument;
  bool seen = false;
};

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\|");
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::string only, markdown;
  for (int i = 3; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--only") only = argv[i + 1];
    if (std::string_view(argv[i]) == "--markdown") markdown = argv[i + 1];
  }
  if (argc < 3) {
    fmt::print(stderr, "usage: polypath_differential PROBES KNOWN [--only ID] [--markdown FILE]\n");
    return 2;
  }
  try {
    if (qemu::version().empty()) {
      fmt::print("skipped: {} is not here (install qemu-system-x86)\n", qemu::command());
      return 77;
    }
    std::map<std::string, Known> known;
    const YAML::Node list = YAML::LoadFile(argv[2]);
    for (const auto& node : list["differences"]) {
      known[node["probe"].Scalar()] = {node["verdict"].Scalar(), node["rule"].Scalar(),
                                       node["argument"].Scalar()};
    }
    std::size_t agree = 0, differ = 0, steps = 0, bad = 0;
    std::string rows;
    for (const Probe& probe : load(argv[1])) {
      if (!only.empty() && probe.id != only) continue;
      const Answer ours = ask(probe, false), theirs = ask(probe, true);
      steps += ours.steps.size();
      std::string differences;
      for (std::size_t i = 0; i < ours.steps.size(); ++i) {
        if (ours.steps[i] == theirs.steps[i]) continue;
        differences += fmt::format("    {}\n      simulator  {}\n      qemu       {}\n", probe.words[i],
                                   ours.steps[i], theirs.steps[i]);
        rows += fmt::format("| {} | {} | {} | {} |", probe.id, cell(probe.words[i]), cell(ours.steps[i]),
                            cell(theirs.steps[i]));
        const auto at = known.find(probe.id);
        rows += at == known.end() ? " undecided |\n"
                                  : fmt::format(" {}: {} |\n", at->second.verdict, at->second.rule);
      }
      if (!ours.broken.empty())
        differences += fmt::format("    the simulator breaks {}\n", joined(ours.broken));
      if (!theirs.broken.empty()) differences += fmt::format("    qemu breaks {}\n", joined(theirs.broken));
      if (!theirs.ended.empty()) differences += fmt::format("    qemu ended: {}\n", theirs.ended);
      if (differences.empty()) {
        ++agree;
        continue;
      }
      ++differ;
      const auto at = known.find(probe.id);
      if (at != known.end()) at->second.seen = true;
      const bool expected = at != known.end() && ours.broken.empty();
      if (!expected) ++bad;
      if (!expected || !only.empty()) {
        fmt::print("{}  {}: {}\n{}", expected ? "known " : "DIFFER", probe.id, probe.title, differences);
      }
    }
    for (const auto& [id, entry] : known) {
      if (entry.seen || !only.empty()) continue;
      fmt::print("GONE    {}: differs no more; take it out of {}\n", id, argv[2]);
      ++bad;
    }
    fmt::print(
        "{} probes, {} steps on the simulator and on qemu {}: {} agree, {} differ, {} not accounted for\n",
        agree + differ, steps, qemu::version(), agree, differ, bad);
    if (!markdown.empty()) {
      std::ofstream file(markdown);
      file << "| probe | step | simulator | QEMU " << qemu::version()
           << " | verdict |\n|---|---|---|---|---|\n"
           << rows;
    }
    return bad == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "polypath_differential: {}\n", error.what());
    return 2;
  }
}
