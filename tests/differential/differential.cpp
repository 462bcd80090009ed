// The same small programs on the simulator and on QEMU's device, side by side: what each step answered, which
// events came, and what the reference model says of both. Differences that are known, with rule and argument,
// are in a file; the program fails when another one shows, or when a known one is gone, or when the table of
// all of them in a document is not what was seen.
//   polypath_differential PROBES KNOWN [--only ID] [--ahead N] [--document FILE [--write]]
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
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

constexpr int kSkipped = 77;  // what ctest takes for skipped

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
  std::vector<std::string> unmet;   ///< expectations that did not hold; how the emulator ended
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
    if (node["hosts"]) text += "hosts: " + flow(node["hosts"]) + "\n";
    text += "steps:\n";
    if (!node["hosts"]) {  // hosts set their controllers up themselves
      for (const auto& step : root["setup"]) text += "  - " + flow(step) + "\n";
      probe.setup = root["setup"].size();
    }
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
  if (step.kind == program::StepKind::read) return true;
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
  if (outcome.error != 0 && outcome.status == 0) out = fmt::format("errno {}", outcome.error);
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

Answer ask(const Probe& probe, std::unique_ptr<target::Machine> machine) {
  Answer answer;
  target::World world(probe.program, std::move(machine));
  target::RunLimits limits;
  limits.keep_data = true;
  target::Runner runner(world, probe.program, limits);
  runner.run();
  for (std::size_t i = probe.setup; i < probe.program.steps.size(); ++i) {
    answer.steps.push_back(text_of(probe.program.steps[i], runner.outcomes()[i]));
  }
  for (const auto& finding : runner.findings()) answer.unmet.push_back(finding.summary);
  for (const auto& finding :
       check::judge(world.trace(), {}, runner.limit_reached() ? 0 : engine::kForever).findings) {
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

/// What was decided before.
struct Decisions {
  std::string version;                       ///< of the emulator that it was decided for: "7.2"
  std::map<std::string, Known> differences;  ///< by probe
  std::map<std::string, Known> everywhere;   ///< by rule: what the emulator breaks whatever is asked of it
};

Decisions load_decisions(const std::string& file) {
  const YAML::Node root = YAML::LoadFile(file);
  const auto known = [](const YAML::Node& node) {
    return Known{node["verdict"].Scalar(), node["rule"].Scalar(), node["argument"].Scalar()};
  };
  Decisions out;
  out.version = root["qemu"].Scalar();
  for (const auto& node : root["differences"]) out.differences[node["probe"].Scalar()] = known(node);
  for (const auto& node : root["everywhere"]) out.everywhere[node["rule"].Scalar()] = known(node);
  return out;
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\|");
  return text;
}

constexpr std::string_view kBegin = "<!-- generated from the probes -->\n";
constexpr std::string_view kEnd = "<!-- end of the generated part -->\n";

/// Puts the generated part into a document, or says whether it is there already.
bool in_document(const std::string& file, const std::string& generated, bool write) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos) {
    fmt::print("{}: has no generated part; put the two lines {}{}there\n", file, kBegin, kEnd);
    return false;
  }
  const std::size_t first = begin + kBegin.size();
  if (text.substr(first, end - first) == generated) return true;
  if (!write) {
    fmt::print("{}: its table is not what was seen; run this with --write and look at the difference\n",
               file);
    return false;
  }
  std::ofstream(file, std::ios::binary) << text.substr(0, first) << generated << text.substr(end);
  return true;
}

/// What is to be counted and shown of all probes.
struct Report {
  std::size_t agree = 0, differ = 0, steps = 0, bad = 0;
  std::map<std::string, std::size_t> verdicts;  ///< of the probes that differ
  std::string rows;
};

std::string verdict_of(const Decisions& decisions, const Probe& probe) {
  const auto at = decisions.differences.find(probe.id);
  return at == decisions.differences.end() ? "undecided"
                                           : fmt::format("{}: {}", at->second.verdict, at->second.rule);
}

void compare(const Probe& probe, const Answer& ours, const Answer& theirs, Decisions& decisions,
             Report& report, bool verbose) {
  report.steps += ours.steps.size();
  std::string text;
  const std::string verdict = verdict_of(decisions, probe);
  std::string seen = joined(theirs.broken);
  if (seen.empty()) seen = "silent";
  for (std::size_t i = 0; i < ours.steps.size(); ++i) {
    if (ours.steps[i] == theirs.steps[i]) continue;
    text += fmt::format("    {}\n      simulator  {}\n      qemu       {}\n", probe.words[i], ours.steps[i],
                        theirs.steps[i]);
    report.rows += fmt::format("| {} | {} | {} | {} | {} | {} |\n", probe.id, cell(probe.words[i]),
                               cell(ours.steps[i]), cell(theirs.steps[i]), seen, verdict);
  }
  if (!ours.broken.empty()) text += fmt::format("    the simulator breaks {}\n", joined(ours.broken));
  if (!theirs.broken.empty()) text += fmt::format("    qemu breaks {}\n", joined(theirs.broken));
  if (!ours.unmet.empty()) text += fmt::format("    on the simulator: {}\n", joined(ours.unmet));
  if (!theirs.unmet.empty()) text += fmt::format("    on qemu: {}\n", joined(theirs.unmet));
  if (text.empty()) {
    ++report.agree;
    return;
  }
  ++report.differ;
  const auto at = decisions.differences.find(probe.id);
  if (at != decisions.differences.end()) at->second.seen = true;
  ++report.verdicts[at == decisions.differences.end() ? "undecided" : at->second.verdict];
  const bool expected = at != decisions.differences.end() && ours.broken.empty() && ours.unmet.empty();
  if (!expected) ++report.bad;
  if (!expected || verbose) {
    fmt::print("{}  {}: {}\n{}", expected ? "known " : "DIFFER", probe.id, probe.title, text);
  }
}

/// Rules that are broken everywhere say nothing of one probe.
void take_out_everywhere(Answer& answer, Decisions& decisions) {
  std::erase_if(answer.broken, [&](const std::string& rule) {
    const auto at = decisions.everywhere.find(rule);
    if (at != decisions.everywhere.end()) at->second.seen = true;
    return at != decisions.everywhere.end();
  });
}

struct Options {
  std::string probes, known, only, document;
  bool write = false;
  std::size_t ahead = 2;  ///< emulators started before they are needed
};

int run(const Options& options) {
  if (qemu::version().empty()) {
    fmt::print("skipped: {} is not here (install qemu-system-x86)\n", qemu::command());
    return kSkipped;
  }
  Decisions decisions = load_decisions(options.known);
  if (!qemu::version().starts_with(decisions.version + ".")) {
    fmt::print("skipped: {} was decided for qemu {}, and this is {}\n", options.known, decisions.version,
               qemu::version());
    return kSkipped;
  }
  Report report;
  const std::vector<Probe> probes = load(options.probes);
  qemu::Pool pool(probes.front().program.topology, options.ahead);
  for (const Probe& probe : probes) {
    if (!options.only.empty() && probe.id != options.only) continue;
    const Answer ours = ask(probe, nullptr);
    Answer theirs = ask(probe, pool.take());
    take_out_everywhere(theirs, decisions);
    compare(probe, ours, theirs, decisions, report, !options.only.empty());
  }
  if (options.only.empty()) {
    for (const auto* all : {&decisions.differences, &decisions.everywhere}) {
      for (const auto& [id, entry] : *all) {
        if (entry.seen) continue;
        fmt::print("GONE    {}: differs no more; take it out of {}\n", id, options.known);
        ++report.bad;
      }
    }
  }
  const std::string counts =
      fmt::format("{} probes, {} steps on the simulator and on QEMU {}: {} agree, {} differ",
                  report.agree + report.differ, report.steps, decisions.version, report.agree, report.differ);
  fmt::print("{}, {} not accounted for\n", counts, report.bad);
  if (options.only.empty() && !options.document.empty()) {
    std::string verdicts;
    for (const auto& [verdict, count] : report.verdicts) {
      verdicts += fmt::format("{}{} {}", verdicts.empty() ? "" : ", ", count, verdict);
    }
    std::string generated = fmt::format(
        "{}: {}.\n\n| probe | step | simulator | QEMU {} | the model on QEMU | verdict "
        "|\n|---|---|---|---|---|---|\n",
        counts, verdicts, decisions.version);
    generated += report.rows;
    if (!in_document(options.document, generated, options.write)) ++report.bad;
  }
  return report.bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--write") {
      options.write = true;
    } else if (word == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (word == "--ahead" && i + 1 < argc) {
      options.ahead = static_cast<std::size_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (word == "--document" && i + 1 < argc) {
      options.document = argv[++i];
    } else {
      files.emplace_back(word);
    }
  }
  if (files.size() != 2) {
    fmt::print(
        stderr,
        "usage: polypath_differential PROBES KNOWN [--only ID] [--ahead N] [--document FILE [--write]]\n");
    return 2;
  }
  options.probes = files[0];
  options.known = files[1];
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "polypath_differential: {}\n", error.what());
    return 2;
  }
}
