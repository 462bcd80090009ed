// Asks a target one case.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conform/needs.h"
#include "conform/suite.h"
#include "model/statistics.h"
#include "target/machine.h"

namespace polypath::conform {

enum class Result : std::uint8_t { passed, failed, known, skipped };
std::string_view result_name(Result result);

struct Verdict {
  std::string id;
  Result result = Result::passed;
  std::string reason;                 ///< of skipping, or why a failure is known
  std::vector<std::string> problems;  ///< one line each: what did not hold
  std::vector<std::string> rules;     ///< of the standard that the reference model saw broken, each once
  model::Statistics statistics{};     ///< how much each rule had to do
};

/// Makes the target's controllers for a topology; empty: the simulator.
using MakeMachine = std::function<std::unique_ptr<target::Machine>(const program::Topology&)>;

/// What the first controller of the case's world announces.
Announced ask_announced(const Case& one, const MakeMachine& make);

/// `faults`: planted for the run.
Verdict run_case(const Case& one, const Announced& announced, const MakeMachine& make,
                 const std::vector<std::string>& faults = {});

}  // namespace polypath::conform
