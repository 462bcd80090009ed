// Makes a program whole again from which something was taken.
#pragma once

#include <cstddef>

#include "program/program.h"

namespace polypath::reduce {

/// Takes out what refers to nothing any more: paths of hosts, steps that name what is gone, `after` of labels
/// that are gone. Ids of steps stay.
program::Program repaired(program::Program program);

/// Without one device word, and what hangs on it. False when the rest is no topology.
bool without_word(const program::Program& program, std::size_t word, program::Program& out);

/// True when the program reads back from its text as it is: whoever gets it can run it.
bool is_a_scenario(const program::Program& program);

}  // namespace polypath::reduce
