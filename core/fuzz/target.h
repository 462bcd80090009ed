// THE table of fuzz targets. A target says what the bytes of an input mean: the world of a shape and the
// steps of moves. Everything else (arena, loop, mutator, libFuzzer entry, command line) is the same for all.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/input.h"
#include "program/program.h"

namespace polypath::fuzz {

struct Target {
  std::string_view name, title;
  /// The world of a shape and the steps that bring it up, in canonical form. A finding in them counts for no
  /// input.
  program::Program (*prepared)(const Shape& shape, const std::string& fault);
  /// Puts the steps of an input's moves behind those of `prepared`.
  void (*append)(const Input& input, std::vector<program::Step>& steps);
  std::size_t kinds;  ///< of moves: what Move::what counts modulo
};

const Target& attach_target();
const Target& controller_target();
const Target& zoned_target();
std::span<const Target* const> targets();
/// Null when there is none of this name.
const Target* find_target(std::string_view name);
std::vector<std::string> target_names();

/// The whole program of an input, canonical: what `polypath run` of its scenario file runs.
program::Program to_program(const Target& target, const Input& input, const std::string& fault = {});

}  // namespace polypath::fuzz
