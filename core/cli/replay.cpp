// polypath replay: a recording of a real host, sent again to simulated controllers and compared.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "replay/replay.h"
#include "session_run.h"
#include "subject.h"
#include "terminal.h"
#include "trace/ftrace.h"
#include "verbs.h"

namespace polypath::cli {
namespace {

struct Options {
  std::string file, topology, qemu_args, media, profile;
  std::vector<std::string> faults;
  bool no_store = false;
};

replay::ReplayOptions replay_options(const Options& options) {
  replay::ReplayOptions out;
  if (!options.profile.empty()) out.profile = options.profile;
  out.faults = options.faults;
  if (!options.topology.empty() && !options.qemu_args.empty()) {
    throw program::InputError("replay", "give --topology or --qemu-args, not both");
  }
  if (!options.topology.empty()) out.topology = load_program(options.topology, {}).topology;
  if (!options.qemu_args.empty()) {
    out.topology = topology_from_qemu_args(options.qemu_args, options.media, out.profile);
  }
  return out;
}

void replay_recording(Session& session, const Options& options) {
  const trace::Recording recording = trace::read_ftrace(options.file);
  const replay::ReplayOptions how = replay_options(options);
  const replay::Replay done = replay::run(recording, how);
  const check::Judgement simulated = check::judge(done.trace);
  const trace::Trace observed = replay::observed_trace(recording, how);
  const check::Judgement recorded = check::judge(observed);
  const bool violated =
      simulated.verdict == model::Verdict::violation || recorded.verdict == model::Verdict::violation;
  std::int64_t number = 0;
  if (!options.no_store) number = keep_replay(options.file, done, simulated, session.db);
  if (session.json) {
    auto json = nlohmann::json::parse(replay::summary_json(recording, done.result));
    json["recording"] = judgement_json(observed, recorded);
    json["replayed"] = judgement_json(done.trace, simulated);
    json["run"] = number;
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("{}\n", replay::summary_text(recording, done.result));
    fmt::print("{}\n{}\n", paint(Colour::bold, "The recording itself, judged without replay"),
               judgement_text(observed, recorded, true));
    fmt::print("{}\n{}", paint(Colour::bold, "The replayed run"),
               judgement_text(done.trace, simulated, true));
    if (number != 0) fmt::print("stored    run {} in {}\n", number, session.db);
  }
  session.exit_code = violated || !done.result.clean() ? kFinding : kClean;
}

// A run that the store kept, again: a run is a function of its program, so nothing may differ.
void replay_run(Session& session, const Options& options) {
  if (!options.topology.empty() || !options.qemu_args.empty() || !options.media.empty() ||
      !options.profile.empty() || !options.faults.empty()) {
    throw program::InputError(
        options.file,
        "a kept run is replayed as it was; leave out --topology, --qemu-args, --media, --profile "
        "and --fault, or give a recording");
  }
  const Subject subject = load_subject(options.file, session.db, {});
  const store::Run& kept = *subject.kept;
  const Ran ran = run_program(subject.program, options.file);
  // Another device than the simulator takes its own time, and a run that died has no hashes.
  const bool comparable = kept.target == "sim" && kept.trace_hash != 0;
  const bool same = comparable && kept.trace_hash == ran.trace_hash && kept.state_hash == ran.state_hash;
  if (session.json) {
    auto json = nlohmann::json::parse(summary_json(ran));
    json["run"] = kept.id;
    json["comparable"] = comparable;
    json["same"] = same;
    json["kept"] = {{"verdict", kept.verdict},
                    {"trace_hash", fmt::format("{:016x}", kept.trace_hash)},
                    {"state_hash", fmt::format("{:016x}", kept.state_hash)}};
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("{}", summary(ran, true));
    fmt::print("kept      run {} of {}: trace {:016x}   state {:016x}   {}\n", kept.id, kept.created,
               kept.trace_hash, kept.state_hash, kept.verdict);
    fmt::print("compared  {}\n",
               same         ? paint(Colour::green, "the same, event by event")
               : comparable ? paint(Colour::red, "it differs: the simulator is not the one that kept it")
                            : fmt::format("not: run {} has no hashes of a simulated run", kept.id));
  }
  session.exit_code = !ran.clean() || (comparable && !same) ? kFinding : kClean;
}

}  // namespace

void add_replay(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("replay", "Replay a recording of Linux, or a kept run, and compare");
  verb->add_option("recording", options->file,
                   "What /sys/kernel/tracing/trace printed (.gz too), or of the store: RUN, or FK: the run "
                   "of finding K")
      ->required();
  verb->add_option("--topology", options->topology, "Scenario file whose topology to replay on");
  verb->add_option("--qemu-args", options->qemu_args, "QEMU command line, or @FILE that holds one");
  verb->add_option("--media", options->media, "memory[:ns1=128MiB,...]: no drive files are read");
  verb->add_option("--profile", options->profile, "Kind of controller (default: qemu-2021)");
  verb->add_option("--fault", options->faults, "Switch a planted fault on (polypath mutants list)");
  verb->add_option("--db", session.db, "Store that keeps the run")->capture_default_str();
  verb->add_flag("--no-store", options->no_store, "Keep nothing");
  verb->add_flag("--json", session.json, "One JSON document on standard output");
  verb->callback([&session, options] {
    if (names_kept_run(options->file)) {
      replay_run(session, *options);
    } else {
      replay_recording(session, *options);
    }
  });
}

}  // namespace polypath::cli
