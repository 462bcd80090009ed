// Every interleaving of a small program, up to a bound. Depth first over what may happen next, with a set of
// the states that were seen; the reference model rides along each branch. docs/exploring.md says what is
// chosen, what counts as the same state, and what is not covered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check/judge.h"
#include "program/program.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::explore {

/// Which alternative was taken at each point that had more than one; 0 from the end of the list on.
using Choices = std::vector<std::uint32_t>;
/// "0,0,3,1"; zeros at the end left out.
std::string choices_text(const Choices& choices);
/// The inverse. Throws program::InputError.
Choices parse_choices(std::string_view text);

struct Options {
  std::uint64_t states = 1'000'000;  ///< branching points to visit
  std::uint32_t depth = 10'000;      ///< choices in a row
  bool merge = true;                 ///< false: follow every interleaving to its end, however alike
  target::Runner::Grain grain = target::Runner::Grain::commands;
  target::RunLimits limits{600 * engine::kSecond, 1'000'000, 200'000, true};
};

struct Outcome {
  std::string text;
  std::uint64_t ends = 0;  ///< ends of runs with it; what merged before its end is counted once
  Choices choices;         ///< that lead to it first
};

struct Found {
  std::string rule;  ///< id of a rule of the model, or "EXPECT" for a step of the program
  bool hazard = false;
  std::uint32_t step = 0;  ///< of EXPECT
  std::string summary;
  Choices choices;  ///< that lead to it, with as few that differ from the first alternative as was found
};

struct Result {
  std::uint64_t states = 0;       ///< distinct states in which there was a choice
  std::uint64_t transitions = 0;  ///< alternatives taken
  std::uint64_t merged = 0;       ///< of them, how many led to a state seen before
  std::uint64_t ends = 0;         ///< runs that came to their end
  std::uint32_t deepest = 0;      ///< most choices in a row
  std::vector<Outcome> outcomes;  ///< in order of discovery
  std::vector<Found> findings;    ///< each rule once, in order of discovery
  bool exhaustive = false;
  std::string stopped_by;  ///< which bound, when it is not exhaustive
};

/// Called now and then with states visited and points waiting.
using Progress = std::function<void(std::uint64_t states, std::size_t depth)>;

/// The program must run on the simulator (target::find_problem) and have no workload: InputError otherwise.
Result explore(const program::Program& program, const Options& options = {}, const Progress& progress = {});

/// One run along given choices.
struct Run {
  std::unique_ptr<target::World> world;
  std::unique_ptr<target::Runner> runner;
  check::Judgement judgement;
  std::vector<std::string> turns;  ///< what was chosen, a line each, where there was a choice
};
Run follow(const program::Program& program, const Choices& choices, const Options& options = {});

}  // namespace polypath::explore
