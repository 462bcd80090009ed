// Where two traces begin to differ.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "trace/trace.h"

namespace polypath::trace {

struct Difference {
  bool in_header = false;
  std::size_t event = 0;  ///< number of the first boundary event that differs; when in_header: 0
  std::string text;       ///< some lines: what they last agreed on, then each side
};

/// Empty when headers, boundary events and payloads are equal. Annotations are not compared.
std::optional<Difference> first_difference(const Trace& left, const Trace& right);

}  // namespace polypath::trace
