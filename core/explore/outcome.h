// What a run came to, as far as one who gave the program can tell: how each step ended, what was read, which
// controller lists what, the verdict.
#pragma once

#include <cstdint>
#include <string>

#include "model/findings.h"
#include "program/program.h"
#include "target/runner.h"
#include "target/world.h"

namespace polypath::explore {

/// One line: "write ok; read A; nvme0 [1] nvme1 []; pass". Runs of the same outcome give the same text.
std::string outcome_text(const program::Program& program, const target::World& world,
                         const target::Runner& runner, model::Verdict verdict);

}  // namespace polypath::explore
