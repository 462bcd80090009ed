// The fuzz target `attach`: inputs become programs over 1 to 4 controllers and 1 to 6 namespaces that attach,
// detach, create, delete, reset, shut down, make and delete queues, and read and write meanwhile.
#pragma once

#include <string>
#include <vector>

#include "fuzz/input.h"
#include "program/program.h"

namespace polypath::fuzz {

/// The world of a shape with the steps that set it up: every raw controller enabled, identified, with queues
/// 1 and 2. The last step has the label kReady. In canonical form.
program::Program prepared_program(const Shape& shape, const std::string& fault,
                                  Target target = Target::attach);
inline constexpr const char* kReady = "ready";

/// Puts the steps of an input behind those of prepared_program.
void append_steps(const Input& input, std::vector<program::Step>& steps, Target target = Target::attach);

/// The whole program of an input, canonical: what `polypath run` of its scenario file runs.
program::Program to_program(const Input& input, const std::string& fault = {},
                            Target target = Target::attach);

/// Number of kinds of moves in the table that Move::what names, for generators that want to weigh them.
std::size_t kinds_of_moves();

}  // namespace polypath::fuzz
