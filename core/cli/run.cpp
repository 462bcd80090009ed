// polypath run: a scenario on the simulator or on QEMU, judged by the reference model.
#include <fmt/format.h>

#include "qemu/qemu.h"
#include "session_run.h"
#include "store/store.h"
#include "terminal.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

// Where the run is, and the numbers that its findings have there, for the verbs that take them.
std::string stored_text(std::int64_t run, const std::string& db) {
  const auto numbers = store::Store::open_existing(db).finding_numbers(run);
  if (numbers.empty())
    return fmt::format("stored    run {} in {}   (polypath trace show {} --db {})\n", run, db, run, db);
  const std::string first = fmt::format("F{}", numbers.front());
  return fmt::format(
      "stored    run {} in {}, {}   (polypath explain {} --db {})\n", run, db,
      numbers.size() == 1 ? "finding " + first : fmt::format("findings {} to F{}", first, numbers.back()),
      first, db);
}

struct Options {
  std::string file, target = "sim";
  Overrides overrides;
  bool no_store = false, list = false, brief = false;
};

void run(Session& session, const Options& options) {
  program::Program program = load_program(options.file, options.overrides);
  std::unique_ptr<target::Machine> machine;
  if (options.target == "qemu") {
    const std::string problem = target::find_machine_problem(program);
    if (!problem.empty()) throw program::InputError(options.file, problem);
    machine = qemu::start(program.topology);
  }
  Ran ran = run_program(std::move(program), options.file, std::move(machine));
  if (!options.no_store) ran.stored = keep(ran, session.db);
  if (session.json) {
    fmt::print("{}\n", summary_json(ran));
  } else {
    if (options.list) fmt::print("{}\n", list_text(ran, true));
    fmt::print("{}", summary(ran, options.brief));
    if (ran.stored != 0) fmt::print("{}", stored_text(ran.stored, session.db));
  }
  session.exit_code = ran.clean() ? kClean : kFinding;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("run", "Run a scenario and judge what happened");
  verb->add_option("scenario", options->file, "Scenario file (docs/scenario-format.md)")->required();
  verb->add_option("--seed", options->overrides.seed, "Seed of every decision (default: the scenario's)")
      ->each([options](const std::string&) { options->overrides.seed_given = true; });
  verb->add_option("--target", options->target, "What the program runs on")
      ->check(CLI::IsMember({"sim", "qemu"}));
  verb->add_option("--profile", options->overrides.profile, "Kind of controller (default: the scenario's)");
  verb->add_option("--media", options->overrides.media,
                   "memory[:ns1=128MiB,...]: no drive files are read or written");
  verb->add_option("--fault", options->overrides.faults, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--latitude", options->overrides.latitude, "How freely open choices are made")
      ->check(CLI::IsMember({"benign", "random", "adversarial"}));
  verb->add_option("--db", session.db, "Store that keeps the run")->capture_default_str();
  verb->add_flag("--no-store", options->no_store, "Keep nothing");
  verb->add_flag("--list", options->list, "Print the tables of `nvme list -v` as they are at the end");
  verb->add_flag("--brief", options->brief, "One line for each finding");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] { run(session, *options); });
}

}  // namespace polypath::cli
