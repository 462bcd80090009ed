// Scenario files: programs as people write, read and review them. docs/scenario-format.md is their manual.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "program/program.h"

namespace polypath::scenario {

struct LoadOptions {
  std::string profile;        ///< instead of the file's own, when not empty
  bool memory_media = false;  ///< ignore drive=: all media in memory
  std::map<std::string, std::uint64_t>
      sizes;  ///< namespace id to bytes, for those that memory_media leaves without size
};

/// A scenario's program, in canonical form: every name resolves, every step can get its turn. YAML; JSON is a
/// subset. Throws program::InputError whose text is one line, "name:line:column: what is wrong; what to do".
program::Program load_scenario_text(std::string_view text, std::string_view name_for_messages,
                                    const LoadOptions& options = {});
/// The same from a file of at most 16 MiB.
program::Program load_scenario_file(const std::string& path, const LoadOptions& options = {});

/// Canonical text of a program: load_scenario_text(scenario_text(p)) == canonical(p).
std::string scenario_text(const program::Program& program);

/// JSON Schema (draft 2020-12) of scenario files, made from the tables that the loader uses.
std::string scenario_schema();

/// Markdown tables of steps, operands, options, device words: the generated part of the reference
/// documentation.
std::string step_reference();
std::string device_reference();

}  // namespace polypath::scenario
