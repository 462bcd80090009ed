// One simulated run from program to verdict: what `run`, `replay` and `list` share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "check/judge.h"
#include "program/program.h"
#include "replay/replay.h"
#include "target/runner.h"
#include "target/world.h"
#include "verbs.h"

namespace polypath::cli {

/// What the options of a verb change in a program.
struct Overrides {
  std::string profile;  ///< empty: the program's
  std::string media;    ///< text of --media
  bool seed_given = false;
  std::uint64_t seed = 0;
  std::vector<std::string> faults;  ///< added
  std::string latitude = "benign";  ///< of steps that say nothing: benign, random, adversarial
};

/// Loads a scenario file and applies the options. Throws InputError.
program::Program load_program(const std::string& file, const Overrides& overrides);

/// A finished run. The world stays, for lists and tables.
struct Ran {
  program::Program program;
  std::unique_ptr<target::World> world;
  std::unique_ptr<target::Runner> runner;
  check::Judgement judgement;
  std::uint64_t trace_hash = 0, state_hash = 0, commands = 0;
  std::int64_t stored = 0;  ///< run number in the store, 0: not kept

  bool clean() const;
  std::string verdict() const;  ///< pass, violation, inconclusive
};

/// Runs and judges. Throws InputError when this target cannot run the program.
Ran run_program(program::Program program, const std::string& where,
                std::unique_ptr<target::Machine> machine = nullptr);
/// Keeps the run in the store and returns its number.
std::int64_t keep(const Ran& ran, const std::string& db);

/// The same for the simulated side of a replay.
std::int64_t keep_replay(const std::string& file, const replay::Replay& done,
                         const check::Judgement& judgement, const std::string& db);

/// Topology of a QEMU command line, or of the file behind "@FILE"; `media` is the text of --media.
program::Topology topology_from_qemu_args(const std::string& args, const std::string& media,
                                          const std::string& profile);

/// Verdict, counts, and each finding with the events that show it.
std::string judgement_text(const trace::Trace& trace, const check::Judgement& judgement, bool brief);
nlohmann::json judgement_json(const trace::Trace& trace, const check::Judgement& judgement);

/// Text for people: what ran, the hashes, the verdict, each finding with the events that show it.
std::string summary(const Ran& ran, bool brief);
/// The documented JSON form.
std::string summary_json(const Ran& ran);
/// The tables of `nvme list -v`, for every host of the world.
std::string list_text(const Ran& ran, bool verbose);
std::string list_json(const Ran& ran);

}  // namespace polypath::cli
