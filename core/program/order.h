// In which order steps can begin at all.
#pragma once

#include <cstddef>
#include <vector>

#include "program/program.h"

namespace polypath::program {

/// Steps whose `after` would make steps wait for themselves, ascending; of a circle, its first step. A step
/// begins after the one before it of its actor has begun, and after the step that `after` names has ended.
/// Without the `after` of these steps, every step gets its turn.
std::vector<std::size_t> circular_steps(const Program& program);

}  // namespace polypath::program
