// Values that Python gives, as operands of steps: numbers, names, sizes and times in words, bytes of any
// buffer.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "program/program.h"

namespace polypath::python {

/// One step from keyword arguments (field names of docs/scenario-format.md). None is "not given". Throws
/// InputError that names the argument and the remedy.
program::Step step_of(const std::string& kind, const pybind11::dict& operands);

/// 5'000'000 or "5ms" to nanoseconds; 134217728 or "128MiB" to bytes. Throws InputError; `place` names the
/// argument.
engine::Time duration_of(const pybind11::handle& value, const std::string& place);
std::uint64_t size_of(const pybind11::handle& value, const std::string& place);

/// The bytes of any buffer, in C order (bytes, bytearray, memoryview, NumPy array).
std::string bytes_of(const pybind11::handle& value, const std::string& place);

}  // namespace polypath::python
