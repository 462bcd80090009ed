// Prints what a fixed list of programs does from engine to model, event by event with hashes, so that two
// builds can be compared line by line and the first event that differs is seen. docs/determinism.md says what
// is promised.
//   polypath_digest OUT                       writes the digest; runs everything twice and fails when that
//   differs polypath_digest --planted-difference OUT  one step of one program writes other data; prints that
//   step
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "check/judge.h"
#include "engine/hash.h"
#include "engine/random.h"
#include "model/rules.h"
#include "program/program.h"
#include "scenario/scenario.h"
#include "target/runner.h"
#include "target/world.h"
#include "trace/text.h"

namespace {

using namespace polypath;

constexpr std::uint64_t kRandomPrograms = 48;
constexpr std::uint64_t kStateHashEvery = 128;  // engine events between two state hashes

struct Case {
  std::string name;
  program::Program program;
  std::uint64_t events_max =
      20'000;  ///< engine events; a random program may ask for a load that lasts for hours
};

// Each scenario as it stands, and with another seed and latitude in every step, so that decisions are taken
// too.
void add_scenarios(std::vector<Case>& cases) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(POLYPATH_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());  // a directory has no order of its own
  for (const auto& file : files) {
    const std::string name = file.stem().string();
    cases.push_back({name, scenario::load_scenario_file(file.string())});
    Case stretched = cases.back();
    stretched.name = name + ", latitude 3, seed 7";
    stretched.program.seed = 7;
    for (auto& step : stretched.program.steps) step.latitude = 3;
    cases.push_back(std::move(stretched));
  }
}

// Decoding is total, so random bytes are programs; most of their steps fail, and every way to fail is
// reached.
void add_random_programs(std::vector<Case>& cases) {
  for (std::uint64_t number = 0; number < kRandomPrograms; ++number) {
    engine::Random random(number, "determinism digest");
    std::vector<std::byte> bytes(256 + random.below(768));
    std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random.next()); });
    cases.push_back({fmt::format("random bytes {}", number), program::decode(bytes), 2'000});
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_scenarios(cases);
  add_random_programs(cases);
  return cases;
}

void print_events(const trace::Trace& trace, std::size_t& printed, std::string& out) {
  const auto& events = trace.events();
  for (; printed < events.size(); ++printed) {
    const auto& event = events[printed];
    const auto payload = trace.payload(event);
    const auto hash =
        engine::hash_bytes(payload.data(), payload.size(), engine::hash_bytes(&event, sizeof event));
    fmt::format_to(std::back_inserter(out), "event {} step {} {:016x} {}\n", printed, event.cause, hash,
                   trace::event_text(trace, event));
  }
}

void run(const Case& what, std::string& out) {
  fmt::format_to(std::back_inserter(out), "program {}\n", what.name);
  if (const auto problem = target::find_problem(what.program); !problem.empty()) {
    fmt::format_to(std::back_inserter(out), "refused {}\n", problem);
    return;
  }
  target::World world(what.program);
  target::RunLimits limits;
  limits.events = what.events_max;
  target::Runner runner(world, what.program, limits);
  std::size_t printed = 0;
  std::uint64_t handled = 0;
  while (runner.advance()) {
    print_events(world.trace(), printed, out);
    if (++handled % kStateHashEvery == 0) {
      fmt::format_to(std::back_inserter(out), "state {} {:016x}\n", handled,
                     world.hash(engine::HashKind::exact));
    }
  }
  print_events(world.trace(), printed, out);
  for (const auto& finding : runner.findings()) {
    fmt::format_to(std::back_inserter(out), "step {} {}\n", finding.step, finding.summary);
  }
  const auto judgement = check::judge(world.trace());
  for (const auto& finding : judgement.findings) {
    fmt::format_to(std::back_inserter(out), "finding {} at {} {}\n", model::row_of(finding.rule).id,
                   finding.time, finding.summary);
  }
  const auto encoded = program::encode(what.program);
  fmt::format_to(std::back_inserter(out), "encoded {:016x}\n",
                 engine::hash_bytes(encoded.data(), encoded.size()));
  std::uint64_t exercised = 0;
  for (const auto& rule : judgement.statistics) exercised += rule.exercised;
  fmt::format_to(std::back_inserter(out), "model {} rules exercised {} knows {:016x}\n",
                 model::verdict_name(judgement.verdict), exercised, judgement.hash);
  fmt::format_to(std::back_inserter(out), "end events {} trace {:016x} state {:016x} canonical {:016x}\n",
                 printed, world.trace().hash(), world.hash(engine::HashKind::exact),
                 world.hash(engine::HashKind::canonical));
}

std::string digest(const std::vector<Case>& cases) {
  std::string out;
  for (const auto& what : cases) run(what, out);
  fmt::format_to(std::back_inserter(out), "digest {:016x}\n", engine::hash_bytes(out.data(), out.size()));
  return out;
}

// Another tag for the data of the first write in the first program that has one. Returns the step's id.
std::uint32_t plant_difference(std::vector<Case>& cases) {
  for (auto& what : cases) {
    for (auto& step : what.program.steps) {
      if (step.kind != program::StepKind::write) continue;
      for (auto& operand : step.operands) {
        if (operand.field != program::Field::tag) continue;
        operand.value.text += " planted";
        return step.id;
      }
    }
  }
  return 0;
}

bool write_file(const char* path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return file.flush().good();
}

}  // namespace

int main(int argc, char** argv) {
  const bool planted = argc == 3 && std::string_view(argv[1]) == "--planted-difference";
  if ((argc != 2 && !planted) || argv[argc - 1][0] == '-') {
    fmt::print(stderr, "usage: polypath_digest [--planted-difference] OUT\n");
    return 2;
  }
  const char* out = argv[argc - 1];
  std::vector<Case> cases = all_cases();
  if (planted) {
    fmt::print("step {}\n", plant_difference(cases));
    return write_file(out, digest(cases)) ? 0 : 2;
  }
  const std::string first = digest(cases);
  const std::string second = digest(cases);
  if (!write_file(out, first)) return 2;
  if (first != second) {
    const auto at =
        std::mismatch(first.begin(), first.end(), second.begin(), second.end()).first - first.begin();
    const auto line = first.rfind('\n', static_cast<std::size_t>(at)) + 1;
    fmt::print("two runs in one process differ at: {}\n", first.substr(line, first.find('\n', line) - line));
    return 1;
  }
  return 0;
}
