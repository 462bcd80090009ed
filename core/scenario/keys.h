// The keys of a scenario file that are no operands. Loader, emitter, JSON Schema and reference share these
// tables.
#pragma once

#include <span>
#include <string_view>

#include "program/program.h"

namespace polypath::scenario {

enum class KeyType { text, name, number, byte, flag, duration, names, label_reference, map, list };

struct KeyRow {
  std::string_view name;
  KeyType type;
  bool required;
  std::string_view title;
};

/// Of the file.
std::span<const KeyRow> file_keys();
/// Of an element of `hosts:`.
std::span<const KeyRow> host_keys();
/// Of any step, beside its operands.
std::span<const KeyRow> step_keys();
/// Of an element of `overrides:`.
std::span<const KeyRow> override_keys();

/// The operand that stands for the whole map in `- reset: nvme0`: the only required one, hosts aside. Null
/// when there is no such one.
const program::FieldRow* shorthand(const program::StepRow& row);

}  // namespace polypath::scenario
