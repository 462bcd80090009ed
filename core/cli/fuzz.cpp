// polypath fuzz: random programs guided by the states that they reach, judged by the reference model.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "device/faults.h"
#include "fuzz/target.h"
#include "fuzz_workers.h"
#include "scenario/scenario.h"
#include "session_run.h"
#include "store/store.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string target, corpus, findings = "polypath-findings", fault, input, latitude;
  double seconds = 0;
  std::uint64_t runs = 0, seed = 1;
  unsigned jobs = 1;
  bool no_model = false, no_counters = false;
};

// A finding as it was kept.
struct Kept {
  fuzz::Found found;
  std::int64_t id = 0;
  std::string file, summary;
  bool known = false;  ///< of an earlier campaign in the same store
};

std::vector<std::uint8_t> read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw program::InputError(path.string(), "cannot be read; name a file of fuzz input bytes");
  std::vector<std::uint8_t> bytes(fuzz::kMostBytes);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

// Whole or not at all: a killed process leaves no half file behind.
void write_file(const fs::path& path, std::string_view text) {
  const fs::path part = path.string() + ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.flush()) throw program::InputError(path.string(), "cannot be written; name another directory");
  }
  fs::rename(part, path);
}

void make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path)) {
    throw program::InputError(path, "cannot be made a directory; name another one");
  }
}

std::string corpus_name(const std::vector<std::uint8_t>& bytes) {
  return fmt::format("{:016x}", engine::hash_bytes(bytes.data(), bytes.size()));
}

std::vector<fuzz::Input> load_corpus(const std::string& directory) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.path().extension() != ".part") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<fuzz::Input> corpus;
  for (const fs::path& path : paths) corpus.push_back(fuzz::read_input(read_bytes(path)));
  return corpus;
}

// Steps that found nothing to do are no part of what a reader should see, unless they mattered after all.
Ran without_idle_steps(Ran ran, const std::string& rule) {
  program::Program tidy = ran.program;
  const auto& findings = ran.runner->findings();
  std::erase_if(tidy.steps, [&](const program::Step& step) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const auto& f) { return f.unable && f.step == step.id; });
  });
  if (tidy.steps.size() == ran.program.steps.size()) return ran;
  tidy = program::canonical(std::move(tidy));
  Ran again = run_program(std::move(tidy), "fuzz");
  const bool same = std::any_of(again.judgement.findings.begin(), again.judgement.findings.end(),
                                [&](const auto& f) { return model::row_of(f.rule).id == rule; });
  return same ? std::move(again) : std::move(ran);
}

// In the store a finding under a planted fault is another than the same without.
std::string stored_shape(const fuzz::Found& found, const Options& options) {
  return options.fault.empty() ? found.shape : found.shape + " with " + options.fault;
}

// Into the store and into a file, at once: whatever happens next, the finding is there.
Kept keep_finding(const fuzz::Found& found, const std::string& shape, const Options& options,
                  const Session& session) {
  Kept kept{found, 0, "", "", false};
  program::Program program = fuzz::to_program(*fuzz::find_target(options.target), found.input, options.fault);
  program.name = shape;
  if (found.rule == "CRASH" || found.rule == "HANG") {
    store::Run row;
    row.name = program.name;
    row.profile = program.profile;
    row.verdict = "violation";
    row.program = scenario::scenario_text(program);
    kept.summary = found.rule == "HANG" ? "a run did not end" : "the simulator crashed";
    store::StoredFinding finding;
    finding.rule = found.rule;
    finding.scope = "simulator";
    finding.summary = kept.summary;
    row.findings.push_back(finding);
    auto store = store::Store::open(session.db);
    kept.id = store.find_finding(store.add_run(row, nullptr), found.rule);
    store.set_shape(kept.id, shape);
  } else {
    Ran ran = without_idle_steps(run_program(program, "fuzz"), found.rule);
    program = ran.program;
    const std::int64_t run = keep(ran, session.db);
    auto store = store::Store::open(session.db);
    kept.id = store.find_finding(run, found.rule);
    if (kept.id != 0) {
      store.set_shape(kept.id, shape);
      kept.summary = store.load_finding(kept.id).second.summary;
    }
  }
  const fs::path path = fs::path(options.findings) / fmt::format("finding-{}.yaml", kept.id);
  kept.file = path.string();
  write_file(path, scenario::scenario_text(program));
  const auto bytes = fuzz::write_input(found.input);
  write_file(fs::path(options.findings) / fmt::format("finding-{}.bin", kept.id),
             {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return kept;
}

void check_options(const Options& options) {
  if (options.fault.empty()) return;
  if (device::find_fault(options.fault) == nullptr) {
    throw program::InputError("--fault " + options.fault,
                              "no such planted fault; see `polypath mutants list`");
  }
  if (!device::faults_compiled_in()) {
    throw program::InputError("--fault",
                              "this build has no planted faults (preset dist); use preset release");
  }
}

std::string json_of(const FuzzTotals& totals, const std::vector<Kept>& findings) {
  auto list = nlohmann::json::array();
  for (const Kept& kept : findings) {
    list.push_back({{"id", kept.id},
                    {"rule", kept.found.rule},
                    {"shape", kept.found.shape},
                    {"summary", kept.summary},
                    {"moves", kept.found.input.moves.size()},
                    {"file", kept.file},
                    {"known", kept.known}});
  }
  return nlohmann::json{{"runs", totals.runs},        {"steps", totals.steps},
                        {"seconds", totals.seconds},  {"states", totals.states},
                        {"corpus", totals.corpus},    {"violations", totals.violations},
                        {"findings", std::move(list)}}
      .dump(2);
}

// A scenario file of an input, on standard output.
void show_input(const Options& options) {
  program::Program program = fuzz::to_program(*fuzz::find_target(options.target),
                                              fuzz::read_input(read_bytes(options.input)), options.fault);
  fmt::print("{}", scenario::scenario_text(program));
}

std::string targets_line() {
  std::string line = "What to fuzz:";
  for (const fuzz::Target* target : fuzz::targets())
    line +=
        fmt::format("{} {} ({})", target == fuzz::targets().front() ? "" : ",", target->name, target->title);
  return line;
}

void fuzz(Session& session, const Options& options) {
  check_options(options);
  if (!options.input.empty()) {
    show_input(options);
    return;
  }
  FuzzWork work;
  work.arena = {fuzz::find_target(options.target), options.fault, !options.no_model, !options.no_counters};
  work.seed = options.seed;
  work.latitude = fuzz::find_latitude(options.latitude);
  work.jobs = options.jobs;
  work.runs = options.runs;
  work.seconds = options.seconds == 0 && options.runs == 0 ? 60 : options.seconds;
  make_directory(options.findings);
  if (!options.corpus.empty()) {
    make_directory(options.corpus);
    work.corpus = load_corpus(options.corpus);
  }
  const auto known = store::Store::open(session.db).shapes();
  std::vector<Kept> findings;
  FuzzTotals totals;
  {
    StatusLine status;
    FuzzCalls calls;
    calls.found = [&](const fuzz::Found& found, const FuzzTotals&) {
      const std::string shape = stored_shape(found, options);
      const auto old =
          std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == shape; });
      findings.push_back(old == known.end() ? keep_finding(found, shape, options, session)
                                            : Kept{found, old->second, "", "found before", true});
      const Kept& kept = findings.back();
      status.clear();
      if (!session.json) {
        fmt::print("finding F{}  {}  {} moves\n  {}\n", kept.id, kept.found.shape,
                   kept.found.input.moves.size(), kept.summary);
        if (!kept.file.empty()) fmt::print("  {}\n", kept.file);
        std::fflush(stdout);
      }
      return false;
    };
    calls.kept = [&](const fuzz::Input& input) {
      if (options.corpus.empty()) return;
      const auto bytes = fuzz::write_input(input);
      write_file(fs::path(options.corpus) / corpus_name(bytes),
                 {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    calls.progress = [&](const FuzzTotals& so_far) {
      status.show(fmt::format("fuzzing  {:.0f} s  {} runs  {:.0f} runs/s  {} states  corpus {}  {} findings",
                              so_far.seconds, so_far.runs, static_cast<double>(so_far.runs) / so_far.seconds,
                              so_far.states, so_far.corpus, findings.size()));
    };
    totals = fuzz_in_workers(work, calls);
  }
  if (session.json) {
    fmt::print("{}\n", json_of(totals, findings));
  } else {
    fmt::print("fuzzed    {} runs, {} steps in {:.1f} s ({:.0f} runs/s), {} states, corpus {}\n", totals.runs,
               totals.steps, totals.seconds,
               static_cast<double>(totals.runs) / std::max(totals.seconds, 0.001), totals.states,
               totals.corpus);
    const auto again = std::count_if(findings.begin(), findings.end(), [](const Kept& k) { return k.known; });
    fmt::print("findings  {}, {} of them known to {}\n", findings.size(), again, session.db);
  }
  session.exit_code = findings.empty() ? kClean : kFinding;
}

}  // namespace

void add_fuzz(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb =
      app.add_subcommand("fuzz", "Run random programs, guided by the states they reach, and judge them");
  verb->add_option("target", options->target, targets_line())
      ->required()
      ->check(CLI::IsMember(fuzz::target_names()));
  verb->add_option("--time", options->seconds, "Seconds to run (default: 60, or no bound with --runs)")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--runs", options->runs, "Runs, of all workers together");
  verb->add_option("--jobs", options->jobs, "Worker processes")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--corpus", options->corpus,
                   "Directory of inputs to begin with; new ones are added to it");
  verb->add_option("--seed", options->seed, "Seed of the fuzzer's dice")->capture_default_str();
  verb->add_option("--latitude", options->latitude, "Of every move (default: each move names its own)")
      ->check(CLI::IsMember({"benign", "random", "adversarial"}));
  verb->add_option("--fault", options->fault, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--findings", options->findings, "Directory of the scenario files of findings")
      ->capture_default_str();
  verb->add_option("--input", options->input, "Print the scenario of one input file, and do nothing else")
      ->check(CLI::ExistingFile);
  verb->add_flag("--no-model", options->no_model, "Judge nothing: only crashes and hangs are found");
  verb->add_flag("--no-counters", options->no_counters, "Keep no corpus: every input is made afresh");
  verb->add_option("--db", session.db, "Store that keeps the findings")->capture_default_str();
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] { fuzz(session, *options); });
}

}  // namespace polypath::cli
