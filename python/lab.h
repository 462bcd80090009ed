// A laboratory that a script works in: a program that grows step by step while it runs. Whatever the script
// does becomes a step, so a Lab is its program and seed: run from its start, the program gives the same trace
// and the same state. No Python here; module.cpp shows this to Python.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "check/judge.h"
#include "program/program.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::python {

/// What was asked for cannot come to its end: nothing that is pending will complete it.
class StuckError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Virtual time ran out before the outcome came. The step goes on; the Lab stays usable.
class TimeLimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The emulator that a Lab runs on has ended: the Lab can be looked at, judged and kept, and does nothing
/// more.
class TargetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The `interrupted` function said yes. The Lab stays usable.
class Interrupted : public std::exception {};

struct Settings {
  std::uint64_t seed = 0;
  std::string profile;  ///< empty: "spec", or "qemu-2021" where controllers of a subsystem differ in serial
  std::string name = "lab";
  std::uint8_t latitude = 0;
  std::vector<std::string> faults;
  std::uint64_t max_events = 8'000'000;  ///< boundary events that the trace may hold
  std::string target = "sim";            ///< or "qemu"
  bool operator==(const Settings&) const = default;
};

/// Where a Lab stands in its program.
enum class Position : std::uint8_t {
  declaring,  ///< nothing has run; devices and hosts may still be declared
  between,    ///< all that the script asked for has begun, and what it waited for has ended
  ended,      ///< run to its end and rested: only a new step can make anything happen
};

class Lab {
 public:
  explicit Lab(Settings settings);
  /// A whole program, of which nothing has run.
  Lab(program::Program program, Settings settings);
  /// Runs a program to the place where another Lab stood.
  static std::unique_ptr<Lab> restored(const program::Program& program, const Settings& settings,
                                       Position position);

  /// Asked every few thousand turns; true ends what runs with Interrupted.
  std::function<bool()> interrupted = [] { return false; };

  // --- devices and hosts, before the first step
  void add_device(const std::string& word, const std::string& place);
  /// After the first step: the host starts when `give` steps hand it its controllers.
  void add_host(program::HostSpec host);
  const program::Topology& topology();
  const Settings& settings() const { return settings_; }
  const std::string& profile();
  /// "simulator", "qemu 7.2.22".
  const std::string& target();
  /// A device or host has this name.
  bool declares(const std::string& name);
  bool started() const { return runner_ != nullptr; }

  // --- steps; each begins here, and ends here unless it is `nowait`. The index names it from then on.
  std::size_t carry_out(program::Step step, engine::Time timeout);
  /// Until that step has ended.
  void run_until(std::size_t index, engine::Time timeout);
  /// Until everything asked for has ended and the world has had a moment (one virtual second) to come to
  /// rest. False when `limit` of virtual time passed before.
  bool run_to_end(engine::Time limit);

  // --- what is to be seen
  program::Program program();
  Position position() const;
  const target::StepOutcome& outcome(std::size_t index) const;
  std::vector<std::byte> take_data(std::size_t index);
  std::size_t steps();
  std::uint32_t step_id(std::size_t index) const { return outcome(index).step; }
  engine::Time now() const { return started() ? world_->engine().now() : 0; }
  const trace::Trace& trace();
  std::uint64_t state_hash();
  /// The raw driver has this controller, not its host.
  bool raw(std::uint32_t controller);
  bool has_queue(std::uint32_t controller, std::uint16_t qid);
  /// A raw step has named this controller, or a host's driver has it: its queues are the script's own affair.
  bool touched(std::uint32_t controller) const;
  std::uint32_t block_bytes(const program::Value& ns, std::uint32_t controller);
  std::string list_text(std::uint32_t host);

  // --- judging and keeping
  check::Judgement judge();
  const std::vector<target::StepFinding>& step_findings();
  /// pass, violation or inconclusive, expectations of steps included.
  std::string verdict(const check::Judgement& judgement);
  std::int64_t save(const std::string& db);

  // --- snapshots of this very Lab: cheap, and void once the Lab has gone back before them
  struct Snapshot {
    Snapshot(const target::Runner& r, std::vector<std::uint8_t> t, bool e, std::uint64_t g, std::uint64_t n)
        : runner(r), touched(std::move(t)), ended(e), generation(g), number(n) {}
    target::World::Snapshot world;
    target::Runner runner;
    std::vector<std::uint8_t> touched;
    bool ended;
    std::uint64_t generation;  ///< of the run that it belongs to
    std::uint64_t number;
  };
  std::shared_ptr<Snapshot> snapshot();
  void restore(const Snapshot& snapshot);

 private:
  enum class Stop : std::uint8_t { reached, quiet, time, events, interrupted };

  void start();
  void start(const program::Program& program);
  template <class Reached>
  Stop drive(const Reached& reached, engine::Time until);
  [[noreturn]] void raise(Stop stop, const std::string& what);
  void check_target();
  void pause();
  void resume();
  void note_touched(const program::Step& step);
  std::size_t append_for_actor(program::Step step);
  void raise_unable(std::size_t index, std::size_t findings_before);

  Settings settings_;
  std::vector<std::string> words_, places_;
  bool topology_stale_ = false;
  program::Program declared_;  ///< until the first step
  std::unique_ptr<target::World> world_;
  std::unique_ptr<target::Runner> runner_;
  std::vector<std::uint8_t> touched_;  ///< by controller
  bool ended_ = false;
  std::uint64_t generation_ = 1, snapshots_ = 0;
  std::vector<std::uint64_t> valid_;  ///< numbers of snapshots that can be gone back to, ascending
};

}  // namespace polypath::python
