// Operands from nodes: the text forms of every operand type, with messages that name the place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "program/program.h"
#include "scenario/yaml_tree.h"
#include "spec/commands.h"

namespace polypath::scenario {

/// A name that must resolve once the whole file is read.
struct Reference {
  program::FieldType type = program::FieldType::ns;  ///< host, ns or controller
  Place place;
  std::string name;
};

/// Where messages say they come from, and what is to be checked at the end.
struct Source {
  std::string name;
  std::vector<Reference> references;

  [[noreturn]] void fail(Place place, const std::string& what) const {
    throw program::InputError(place_text(name, place), what);
  }
};

/// `key` is the name that messages use. They throw program::InputError.
std::string read_text(const Source& source, const Node& node, const std::string& key, std::size_t longest,
                      bool lines = false);
std::string read_name(const Source& source, const Node& node, const std::string& key);
std::uint64_t read_number(const Source& source, const Node& node, const std::string& key, std::uint64_t least,
                          std::uint64_t most);
bool read_flag(const Source& source, const Node& node, const std::string& key);
engine::Time read_duration(const Source& source, const Node& node, const std::string& key,
                           engine::Time least = 0);

/// Value of an operand. `set` says which commands an opcode's name may name.
program::Value read_value(Source& source, const Node& node, const program::FieldRow& row,
                          spec::CommandSet set);

/// The name in {name: x}, which need not resolve; null when the node is no such map.
const Node* free_name(const Source& source, const Node& node, const std::string& key);

}  // namespace polypath::scenario
