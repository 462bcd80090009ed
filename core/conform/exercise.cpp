#include "conform/exercise.h"

#include <array>

#include "conform/coverage.h"
#include "conform/run.h"

namespace polypath::conform {

model::Statistics exercise(const Suite& suite) {
  model::Statistics sum{};
  const ByWorld worlds = ask_worlds(suite);
  for (const Case& one : suite.cases)
    model::add(sum, run_case(one, worlds.at(one.world), nullptr).statistics);
  return sum;
}

std::span<const IdleRule> idle_rules() {
  // A test takes care that no rule is here that the suite does exercise.
  static constexpr std::array<IdleRule, 5> kIdle{{
      {"INV-Q-32", "no profile announces retry delays (CRDT), so none is given"},
      {"INV-NS-12", "no profile announces a limit of attachments (MAXCNA)"},
      {"INV-NS-15",
       "a detach has to end between fetch and effect of a write, which cases do not time; fuzzing does"},
      {"INV-NS-19", "every profile is an I/O controller"},
      {"LIV-06",
       "a command has to be submitted before slots of a full queue are freed, and end after; fuzzing does"},
  }};
  return kIdle;
}

}  // namespace polypath::conform
