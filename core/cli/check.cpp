// polypath check: is this scenario, recording, trace or store well formed?
#include <fmt/format.h>

#include <filesystem>

#include "replay/replay.h"
#include "scenario/scenario.h"
#include "session_run.h"
#include "store/store.h"
#include "terminal.h"
#include "trace/ftrace.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

bool ends_with(const std::string& text, std::string_view end) { return text.ends_with(end); }

void check_file(Session& session, const std::string& file, bool schema, bool judge) {
  if (schema) {
    fmt::print("{}\n", scenario::scenario_schema());
    return;
  }
  if (file.empty()) throw program::InputError("check", "name a file, or give --schema");
  if (ends_with(file, ".yaml") || ends_with(file, ".yml") || ends_with(file, ".json")) {
    const program::Program program = load_program(file, {});
    const std::string problem = target::find_problem(program);
    if (!problem.empty()) throw program::InputError(file, problem);
    fmt::print("{}: a scenario of {} steps on {} controllers, {} namespaces, {} hosts\n", file,
               program.steps.size(), program.topology.controllers.size(), program.topology.namespaces.size(),
               program.hosts.size());
    return;
  }
  if (ends_with(file, ".db")) {
    const auto runs = store::Store::open_existing(file).list_runs(1'000'000);
    fmt::print("{}: a store of {} runs\n", file, runs.size());
    return;
  }
  const trace::Recording recording = trace::read_ftrace(file);
  fmt::print("{}: a recording of {} commands on {} controllers\n", file, recording.commands.size(),
             recording.controllers.size());
  if (!judge) return;
  const trace::Trace observed = replay::observed_trace(recording, {});
  const check::Judgement judgement = check::judge(observed);
  fmt::print("{}", judgement_text(observed, judgement, false));
  session.exit_code = judgement.verdict == model::Verdict::violation ? kFinding : kClean;
}

}  // namespace

void add_check(CLI::App& app, Session& session) {
  struct Options {
    std::string file;
    bool schema = false, judge = false;
  };
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("check", "Is this scenario, recording or store well formed?");
  verb->add_option("file", options->file, "A .yaml scenario, a .txt or .txt.gz recording, a .db store");
  verb->add_flag("--schema", options->schema, "Print the JSON Schema of scenario files, for editors");
  verb->add_flag("--judge", options->judge, "Judge a recording as it is, without replaying it");
  verb->callback(
      [&session, options] { check_file(session, options->file, options->schema, options->judge); });
}

}  // namespace polypath::cli
