// Something that was given to us (a recording, a stored trace) cannot be read.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace polypath::trace {

/// `where` is a place a person finds ("04.ftrace.txt:12"); the text says what is wrong and what to do. One
/// line.
class ImportError : public std::runtime_error {
 public:
  ImportError(std::string where, const std::string& what)
      : std::runtime_error(where.empty() ? what : where + ": " + what), where_(std::move(where)) {}
  const std::string& where() const { return where_; }

 private:
  std::string where_;
};

}  // namespace polypath::trace
