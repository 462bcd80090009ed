// A YAML document as a small tree with places, under limits that keep hostile files cheap.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "program/topology.h"

namespace polypath::scenario {

struct Place {
  int line = 1, column = 1;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;         ///< of a scalar
  bool plain = false;       ///< a scalar without quotation marks
  std::vector<Node> items;  ///< of a list; of a map: key, value, key, value ...

  const Node* find(std::string_view key) const;
};

/// "a list", "a map" ... for messages.
std::string_view kind_name(const Node& node);

inline constexpr std::size_t kLongestFile = 16U << 20U;

/// Reads one document. Errors for: more than 16 MiB, no UTF-8, NUL bytes, no or several documents, anchors,
/// aliases, tags, keys that are no text or are given twice, nesting beyond 32, and for what is no YAML.
Node read_yaml(std::string_view text, const std::string& name);

/// "name:line:column".
std::string place_text(const std::string& name, Place place);

}  // namespace polypath::scenario
