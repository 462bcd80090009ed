// What the store keeps of a run: one place that turns a judged run into a row, for every door that keeps
// runs.
#pragma once

#include <span>
#include <string>

#include "check/judge.h"
#include "program/program.h"
#include "store/store.h"
#include "target/runner.h"

namespace polypath::store {

/// The row of a run of `program`, whose text form is `text`: names, seed, counts, the trace's hash, and every
/// finding, those of steps before those of rules. Left to the caller: target, verdict, state hash and virtual
/// time.
Run row_of(const program::Program& program, std::string text, const trace::Trace& trace,
           std::span<const target::StepFinding> steps, const check::Judgement& judgement);

}  // namespace polypath::store
