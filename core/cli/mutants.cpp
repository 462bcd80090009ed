// polypath mutants: the planted faults.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "device/faults.h"
#include "fuzz_workers.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

void list(const Session& session) {
  if (session.json) {
    auto rows = nlohmann::json::array();
    for (const auto& row : device::faults()) {
      rows.push_back({{"id", row.id}, {"what", row.what}, {"origin", row.origin}, {"rule", row.rule}});
    }
    fmt::print("{}\n",
               nlohmann::json{{"compiled_in", device::faults_compiled_in()}, {"mutants", rows}}.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : device::faults()) {
    rows.push_back({std::string(row.id), std::string(row.rule), std::string(row.what)});
  }
  fmt::print("{}", table({"fault", "noticed by", "what the device then does"}, rows));
  if (!device::faults_compiled_in())
    fmt::print("This build has no planted faults (preset dist): use preset release.\n");
}

struct ScoreOptions {
  std::string target;
  std::vector<std::string> only;
  double seconds = 60;
  std::uint64_t seed = 1;
  unsigned jobs = 2;
  bool no_model = false, no_counters = false;
};

struct Score {
  const device::FaultRow* row = nullptr;
  bool noticed = false;
  std::string rule;  ///< that was broken first
  std::size_t moves = 0;
  FuzzTotals totals;
};

Score score_one(const device::FaultRow& row, const ScoreOptions& options) {
  Score score;
  score.row = &row;
  FuzzWork work;
  // What is wrong with zones shows where there are some.
  const bool zones = options.target.empty() && row.rule.starts_with("INV-Z-");
  const fuzz::Target* target =
      zones ? &fuzz::zoned_target() : fuzz::find_target(options.target.empty() ? "attach" : options.target);
  work.arena = {target, std::string(row.id), !options.no_model, !options.no_counters};
  work.seed = options.seed;
  work.jobs = options.jobs;
  work.seconds = options.seconds;
  fuzz::Arena without({target, "", true, false});
  FuzzCalls calls;
  calls.found = [&](const fuzz::Found& found, const FuzzTotals& totals) {
    // What breaks a rule without the fault too is not the fault's.
    const fuzz::Result sound = without.run(found.input);
    for (const model::Finding& finding : sound.findings) {
      if (model::row_of(finding.rule).id == found.rule) return false;
    }
    score.noticed = true;
    score.rule = found.rule;
    score.moves = found.input.moves.size();
    score.totals = totals;
    return true;
  };
  calls.kept = [](const fuzz::Input&) {};
  calls.progress = [](const FuzzTotals&) {};
  const FuzzTotals totals = fuzz_in_workers(work, calls);
  if (!score.noticed) score.totals = totals;
  return score;
}

nlohmann::json json_of(const std::vector<Score>& scores, std::size_t noticed) {
  auto rows = nlohmann::json::array();
  for (const Score& s : scores) {
    rows.push_back({{"id", s.row->id},
                    {"noticed", s.noticed},
                    {"rule", s.rule},
                    {"expected_rule", s.row->rule},
                    {"seconds", s.totals.seconds},
                    {"runs", s.totals.runs},
                    {"moves", s.moves}});
  }
  return {{"noticed", noticed}, {"faults", scores.size()}, {"mutants", rows}};
}

void score(Session& session, const ScoreOptions& options) {
  if (!device::faults_compiled_in()) {
    throw program::InputError("mutants score",
                              "this build has no planted faults (preset dist); use preset release");
  }
  for (const std::string& id : options.only) {
    if (device::find_fault(id) == nullptr) {
      throw program::InputError("--fault " + id, "no such planted fault; see `polypath mutants list`");
    }
  }
  std::vector<Score> scores;
  std::size_t noticed = 0;
  {
    StatusLine status;
    for (const auto& row : device::faults()) {
      const auto wanted = std::find(options.only.begin(), options.only.end(), row.id);
      if (!options.only.empty() && wanted == options.only.end()) continue;
      status.show(fmt::format("fault {} of {}, {} noticed: {}", scores.size() + 1, device::faults().size(),
                              noticed, row.id));
      scores.push_back(score_one(row, options));
      noticed += scores.back().noticed ? 1 : 0;
      if (interrupted()) break;
    }
  }
  if (session.json) {
    fmt::print("{}\n", json_of(scores, noticed).dump(2));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const Score& s : scores) {
      rows.push_back({std::string(s.row->id), s.noticed ? s.rule : "-", std::string(s.row->rule),
                      fmt::format("{:.1f}", s.totals.seconds), fmt::format("{}", s.totals.runs),
                      s.noticed ? fmt::format("{}", s.moves) : "-"});
    }
    fmt::print("{}", table({"fault", "broken rule", "expected", "seconds", "runs", "moves"}, rows));
    fmt::print("noticed   {} of {} within {} s each, {} workers, model {}, counters {}\n", noticed,
               scores.size(), options.seconds, options.jobs, options.no_model ? "off" : "on",
               options.no_counters ? "off" : "on");
  }
  session.exit_code = noticed == scores.size() ? kClean : kFinding;
}

}  // namespace

void add_mutants(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("mutants", "Planted faults: deliberate defects that the rules must notice");
  verb->require_subcommand(1);
  auto* listing = verb->add_subcommand("list", "Every planted fault with the rule that notices it");
  listing->add_flag("--json", session.json, "One JSON document on standard output");
  listing->callback([&session] { list(session); });
  auto options = std::make_shared<ScoreOptions>();
  auto* scoring = verb->add_subcommand("score", "Fuzz with each planted fault until a rule is broken");
  scoring->add_option("--time", options->seconds, "Seconds for each fault")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  scoring->add_option("--jobs", options->jobs, "Worker processes")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  scoring
      ->add_option("--target", options->target,
                   "Fuzz target (default: zoned for faults of zones, else attach)")
      ->check(CLI::IsMember(fuzz::target_names()));
  scoring->add_option("--fault", options->only, "Only this fault (more than once: these)");
  scoring->add_option("--seed", options->seed, "Seed of the fuzzer's dice")->capture_default_str();
  scoring->add_flag("--no-model", options->no_model, "Judge nothing: only crashes and hangs are noticed");
  scoring->add_flag("--no-counters", options->no_counters, "Keep no corpus: every input is made afresh");
  scoring->add_flag("--json", session.json, "One JSON document on standard output");
  scoring->callback([&session, options] { score(session, *options); });
}

}  // namespace polypath::cli
