// polypath conform: the conformance suite on a target.
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "conform/known.h"
#include "conform/report.h"
#include "conform/run.h"
#include "device/faults.h"
#include "device/profile.h"
#include "program/wording.h"
#include "qemu/qemu.h"
#include "store/store.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

using conform::Result;

struct Options {
  std::string cases = "conformance", target = "sim", profile = "spec", junit, html, baseline, waivers;
  std::vector<std::string> families, only;
  unsigned jobs = 2;
  bool faults = false, list = false, no_store = false, verbose = false;
};

struct Target {
  std::string name, version;
  conform::MakeMachine make;
};

Target find_target(const Options& options) {
  if (options.target == "sim") return {"sim", "0.1.0", nullptr};
  Target out{"qemu", qemu::version(), nullptr};
  if (out.version.empty()) {
    throw program::InputError("--target qemu", fmt::format("{} is not here; install qemu-system-x86, or name "
                                                           "it with POLYPATH_QEMU",
                                                           qemu::command()));
  }
  out.make = [](const program::Topology& topology) { return qemu::start(topology); };
  return out;
}

std::vector<const conform::Case*> chosen(const conform::Suite& suite, const Options& options) {
  std::set<std::string> families, ids;
  for (const auto& one : suite.cases) families.insert(one.family), ids.insert(one.id);
  const auto check = [](const std::vector<std::string>& words, const std::set<std::string>& known,
                        const char* option) {
    for (const std::string& word : words) {
      if (known.contains(word)) continue;
      throw program::InputError(option, "there is no " + program::in_quotes(word) +
                                            program::remedy(word, {known.begin(), known.end()}));
    }
  };
  check(options.families, families, "--family");
  check(options.only, ids, "--case");
  const auto named = [](const std::vector<std::string>& words, const std::string& word) {
    return words.empty() || std::find(words.begin(), words.end(), word) != words.end();
  };
  std::vector<const conform::Case*> out;
  for (const auto& one : suite.cases) {
    if (named(options.families, one.family) && named(options.only, one.id)) out.push_back(&one);
  }
  if (out.empty()) throw program::InputError("--case", "no case is of that family; leave out --family");
  return out;
}

/// Calls `work` with every number below `count`, on several threads: each case is a world of its own.
template <class Work>
void in_parallel(std::size_t count, unsigned jobs, Work&& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto loop = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs; ++i) threads.emplace_back(loop);
  loop();
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}

using ByWorld = std::map<std::string, conform::Announced>;

ByWorld ask_worlds(const std::vector<const conform::Case*>& cases, const Target& target) {
  ByWorld out;
  for (const auto* one : cases) {
    if (!out.contains(one->world)) out[one->world] = conform::ask_announced(*one, target.make);
  }
  return out;
}

conform::Report run_all(const std::vector<const conform::Case*>& cases, const Target& target,
                        const Options& options) {
  conform::Report report{target.name, target.version, options.profile, cases, {}, {}};
  report.verdicts.resize(cases.size());
  const ByWorld worlds = ask_worlds(cases, target);
  Progress progress("conform");
  std::mutex mutex;
  std::size_t done = 0;
  in_parallel(cases.size(), options.jobs, [&](std::size_t i) {
    report.verdicts[i] = conform::run_case(*cases[i], worlds.at(cases[i]->world), target.make);
    const std::lock_guard lock(mutex);
    progress.show(++done, cases.size());
  });
  return report;
}

void argue(conform::Report& report, const Options& options) {
  std::vector<conform::Known> lists;
  if (report.target != "sim") {
    const std::string version = report.version.substr(0, report.version.rfind('.'));
    const auto file =
        std::filesystem::path(options.cases) / "known" / fmt::format("{}-{}.yaml", report.target, version);
    if (std::filesystem::exists(file))
      lists.push_back(conform::load_known(file.string(), report.target, report.version));
  }
  if (!options.waivers.empty())
    lists.push_back(conform::load_known(options.waivers, report.target, report.version));
  for (conform::Known& known : lists) {
    for (conform::Verdict& verdict : report.verdicts) conform::apply(known, verdict);
    for (std::string& line : conform::idle(known, report.verdicts)) report.idle.push_back(std::move(line));
  }
}

std::string first_line(const conform::Verdict& verdict) {
  if (!verdict.reason.empty()) return verdict.reason;
  return fmt::format("{}", fmt::join(verdict.problems, "\n"));
}

std::int64_t keep(const conform::Report& report, const std::string& db) {
  store::ConformanceRun run{report.target, report.version, report.profile, {}};
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const auto& one = *report.cases[i];
    const auto& verdict = report.verdicts[i];
    run.cases.push_back({one.id, one.family, one.title, std::string(conform::result_name(verdict.result)),
                         first_line(verdict)});
  }
  return store::Store::open(db).add_conformance(run);
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  if (!(out << text).flush())
    throw program::InputError(file, "cannot be written; name a file in a folder that is there");
}

std::map<std::string, std::string> load_baseline(const std::string& baseline, const std::string& db) {
  std::map<std::string, std::string> out;
  std::int64_t number = 0;
  const char* last = baseline.data() + baseline.size();
  if (const auto [end, error] = std::from_chars(baseline.data(), last, number);
      error == std::errc{} && end == last) {
    for (const auto& one : store::Store::open_existing(db).load_conformance(number).cases)
      out[one.id] = one.result;
    return out;
  }
  std::ifstream in(baseline, std::ios::binary);
  if (!in) throw program::InputError(baseline, "cannot be read; name a file of `conform --json`, or a run");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const auto& [id, result] : conform::results_of_json(text, baseline)) out[id] = result;
  return out;
}

struct Difference {
  std::vector<std::string> worse, better, fresh;
};

Difference compare(const conform::Report& report, const std::map<std::string, std::string>& baseline) {
  Difference out;
  for (const auto& verdict : report.verdicts) {
    const auto before = baseline.find(verdict.id);
    const bool fails = verdict.result == Result::failed;
    if (before == baseline.end()) {
      if (fails) out.fresh.push_back(verdict.id);
    } else if (fails && before->second != "failed") {
      out.worse.push_back(verdict.id);
    } else if (before->second == "failed" && verdict.result == Result::passed) {
      out.better.push_back(verdict.id);
    }
  }
  return out;
}

void print_report(const conform::Report& report, bool verbose) {
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    const auto& verdict = report.verdicts[i];
    if (verdict.result == Result::passed || (!verbose && verdict.result != Result::failed)) continue;
    const auto colour = verdict.result == Result::failed ? Colour::red : Colour::yellow;
    fmt::print("{} {}  {}\n", paint(colour, fmt::format("{:8}", conform::result_name(verdict.result))),
               verdict.id, report.cases[i]->title);
    if (!verdict.reason.empty()) fmt::print("    {}\n", verdict.reason);
    for (const std::string& problem : verdict.problems) fmt::print("    {}\n", problem);
  }
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const std::string& name, const conform::Counts& c) {
    rows.push_back({name, fmt::format("{}", c.passed), fmt::format("{}", c.failed),
                    fmt::format("{}", c.known), fmt::format("{}", c.skipped)});
  };
  for (const std::string& family : conform::families(report)) row(family, conform::count(report, family));
  row("all", conform::count(report));
  fmt::print("{}", table({"family", "passed", "failed", "known", "skipped"}, rows));
  for (const std::string& line : report.idle) fmt::print("{}\n", line);
  fmt::print("target    {} {}, profile {}\n", report.target, report.version, report.profile);
}

/// Every planted fault against the cases that pass without it: a Markdown table.
void fault_table(Session& session, const std::vector<const conform::Case*>& all, const Options& options) {
  if (!device::faults_compiled_in())
    throw program::InputError("--faults",
                              "this build has no planted faults (preset dist); use preset release");
  const Target target{"sim", "", nullptr};
  const conform::Report sound = run_all(all, target, options);
  std::vector<const conform::Case*> cases;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (sound.verdicts[i].result == Result::passed) cases.push_back(all[i]);
  }
  const ByWorld worlds = ask_worlds(cases, target);
  const auto faults = device::faults();
  std::vector<std::vector<char>> red(faults.size(), std::vector<char>(cases.size()));
  Progress progress("conform --faults");
  std::mutex mutex;
  std::size_t done = 0;
  in_parallel(faults.size() * cases.size(), options.jobs, [&](std::size_t i) {
    const std::size_t fault = i / cases.size(), at = i % cases.size();
    const auto verdict =
        conform::run_case(*cases[at], worlds.at(cases[at]->world), nullptr, {std::string(faults[fault].id)});
    red[fault][at] = verdict.result == Result::failed ? 1 : 0;
    const std::lock_guard lock(mutex);
    progress.show(++done, faults.size() * cases.size());
  });
  constexpr std::size_t kShown = 6;
  std::size_t noticed = 0;
  std::string rows;
  for (std::size_t f = 0; f < faults.size(); ++f) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (red[f][i] != 0) ids.push_back(cases[i]->id);
    }
    noticed += ids.empty() ? 0 : 1;
    const std::size_t count = ids.size();
    if (ids.size() > kShown) ids.resize(kShown);
    rows += fmt::format("| `{}` | {} | {}{} |\n", faults[f].id, count,
                        count == 0 ? "none" : fmt::format("{}", fmt::join(ids, ", ")),
                        count > kShown ? ", ..." : "");
  }
  fmt::print("| planted fault | red checks | which |\n|---|---|---|\n{}\n", rows);
  fmt::print("{} of {} planted faults turn a check of {} red (profile {}).\n", noticed, faults.size(),
             cases.size(), options.profile);
  session.exit_code = noticed == faults.size() ? kClean : kFinding;
}

void list_cases(const std::vector<const conform::Case*>& cases) {
  std::vector<std::vector<std::string>> rows;
  for (const auto* one : cases) {
    rows.push_back({one->id, fmt::format("{}", fmt::join(one->origin, ", ")),
                    fmt::format("{}", fmt::join(one->needs, ", ")), one->title});
  }
  fmt::print("{}", table({"case", "check", "needs", "title"}, rows));
}

/// What a fault can break no single profile has: each family is asked of the one that announces it.
constexpr std::string_view kWidest = "spec-zoned or spec-pi";

void conform_verb(Session& session, const Options& options) {
  const bool widest = options.profile == kWidest;
  if (!widest && device::find_profile(options.profile) == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& profile : device::profiles()) names.push_back(profile.name);
    throw program::InputError("--profile", "there is no " + program::in_quotes(options.profile) +
                                               program::remedy(options.profile, names));
  }
  if (!std::filesystem::is_directory(options.cases)) {
    throw program::InputError(options.cases, "is no folder; name that of the cases with --cases");
  }
  conform::Suite suite = widest ? conform::load_widest_suite(options.cases)
                                : conform::load_suite(options.cases, options.profile);
  // A device that others made has what it has, whatever the profile says.
  if (options.target != "sim") suite = conform::with_protection(std::move(suite), options.cases, false);
  const auto cases = chosen(suite, options);
  if (options.list) return list_cases(cases);
  if (options.faults) return fault_table(session, cases, options);
  const auto baseline = options.baseline.empty() ? std::map<std::string, std::string>{}
                                                 : load_baseline(options.baseline, session.db);
  conform::Report report = run_all(cases, find_target(options), options);
  argue(report, options);
  if (!options.junit.empty()) write_file(options.junit, conform::to_junit(report));
  if (!options.html.empty()) write_file(options.html, conform::to_html(report));
  const std::int64_t stored = options.no_store ? 0 : keep(report, session.db);
  if (session.json) {
    fmt::print("{}\n", conform::to_json(report));
  } else {
    print_report(report, options.verbose || !options.only.empty());
    if (stored != 0) fmt::print("stored    conformance run {} in {}\n", stored, session.db);
  }
  if (options.baseline.empty()) {
    session.exit_code = conform::count(report).failed == 0 && report.idle.empty() ? kClean : kFinding;
    return;
  }
  const Difference difference = compare(report, baseline);
  if (!session.json) {
    fmt::print("baseline  {} fail now, {} fail no more, {} fail and are new\n", difference.worse.size(),
               difference.better.size(), difference.fresh.size());
    for (const auto& id : difference.worse) fmt::print("  {} fails now\n", id);
    for (const auto& id : difference.fresh) fmt::print("  {} fails and is new\n", id);
    for (const auto& id : difference.better) fmt::print("  {} fails no more\n", id);
  }
  session.exit_code = difference.worse.empty() && difference.fresh.empty() ? kClean : kFinding;
}

}  // namespace

void add_conform(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("conform", "Ask a controller every case of the conformance suite");
  verb->add_option("--target", options->target, "What is asked")->check(CLI::IsMember({"sim", "qemu"}));
  verb->add_option("--profile", options->profile, "Kind of simulated controller")->capture_default_str();
  verb->add_option("--family", options->families, "Only cases of this family (more than once: these)");
  verb->add_option("--case", options->only, "Only this case (more than once: these)");
  verb->add_option("--cases", options->cases, "Folder of the cases")->capture_default_str();
  verb->add_option("--junit", options->junit, "Write a JUnit report");
  verb->add_option("--html", options->html, "Write a page for a browser, complete in itself");
  verb->add_option("--baseline", options->baseline,
                   "An earlier --json, or the number of an earlier run: only what fails since counts");
  verb->add_option("--waivers", options->waivers, "Failures that are accepted, with reasons");
  verb->add_option("--jobs", options->jobs, "Cases at the same time")->check(CLI::Range(1, 256));
  verb->add_option("--db", session.db, "Store that keeps the results")->capture_default_str();
  verb->add_flag("--no-store", options->no_store, "Keep nothing");
  verb->add_flag("--faults", options->faults, "Plant every fault in turn; print which cases notice");
  verb->add_flag("--list", options->list, "Print the cases and ask nothing");
  verb->add_flag("--verbose", options->verbose, "Print skipped and known cases too");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options, verb] {
    if (options->faults && verb->count("--profile") == 0) options->profile = kWidest;
    conform_verb(session, *options);
  });
}

}  // namespace polypath::cli
