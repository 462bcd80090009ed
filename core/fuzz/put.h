// How the writers of fuzz targets put operands into steps.
#pragma once

#include <iterator>
#include <utility>

#include "program/program.h"

namespace polypath::fuzz {

inline program::Value literal(std::uint64_t number) { return {program::Form::literal, number, {}, {}}; }
inline program::Value named(const char* text) { return {program::Form::name, 0, text, {}}; }
inline program::Value live(std::uint64_t k) { return {program::Form::live, k, {}, {}}; }

/// A new operand in its place.
inline program::Value& put(program::Step& step, program::Field field) {
  auto at = step.operands.end();
  while (at != step.operands.begin() && std::prev(at)->field > field) --at;
  program::Operand& operand = *step.operands.emplace(at);
  operand.field = field;
  return operand.value;
}
inline void put(program::Step& step, program::Field field, program::Value&& value) {
  put(step, field) = std::move(value);
}
inline void put(program::Step& step, program::Field field, std::uint64_t number) {
  put(step, field).number = number;
}
/// The same with a name.
inline void put_name(program::Step& step, program::Field field, const char* text) {
  program::Value& value = put(step, field);
  value.form = program::Form::name;
  value.text = text;
}

}  // namespace polypath::fuzz
