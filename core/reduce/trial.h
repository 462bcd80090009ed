// One run of a candidate: which rules it breaks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/findings.h"
#include "program/program.h"
#include "target/runner.h"

namespace polypath::reduce {

/// A rule that a run breaks, as a program can break it again.
struct Broken {
  std::string rule;        ///< id of a rule of the model, or "EXPECT"
  std::uint32_t step = 0;  ///< of EXPECT: the step whose expectation did not hold
  bool hazard = false;
  engine::Time time = 0;
  std::string summary;
  bool same(const Broken& other) const { return rule == other.rule && step == other.step; }
};

struct Trial {
  std::vector<Broken> broken;  ///< by time
  std::uint64_t turns = 0;
  std::string problem;  ///< why the simulator cannot run it, empty: it ran
};

/// Runs and judges. Drives are not written.
Trial run_trial(const program::Program& program, const target::RunLimits& limits = {});

/// When each step began, by index; kForever: it did not.
std::vector<engine::Time> begin_times(const program::Program& program, const target::RunLimits& limits = {});

/// The finding to keep: the first violation, else the first hazard; `rule` (when not empty) chooses.
/// Null when there is none.
const Broken* choose(const Trial& trial, const std::string& rule);

}  // namespace polypath::reduce
