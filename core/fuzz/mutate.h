// Makes inputs and changes them, a whole move at a time.
#pragma once

#include "engine/random.h"
#include "fuzz/input.h"

namespace polypath::fuzz {

/// A new input of up to `most` moves. What it does depends on the dice only.
Input generate(engine::Random& dice, std::size_t most = 30);
/// Inserts, deletes, doubles, swaps, moves or alters moves and operands, or changes the world, a few times.
void mutate(Input& input, engine::Random& dice);
/// The begin of one and the end of the other, in the world of one of them.
Input cross(const Input& one, const Input& other, engine::Random& dice);

}  // namespace polypath::fuzz
