// What differs between two states, field by field, for people: the same walk over the same fields as the
// hash.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/table.h"

namespace polypath::engine {

/// One field of one row that is not the same on both sides. A side that does not have it says "absent".
struct Difference {
  std::uint32_t row = 0;
  std::string field;
  std::string left, right;
  bool operator==(const Difference&) const = default;
};

/// One line for each difference: "controllers[3].csts: 1 | 0".
std::string difference_text(std::string_view table, const std::vector<Difference>& differences);

/// The fields of a row as text: nested ones as "queue.head", elements as "pending[2]".
class FieldTexts {
 public:
  struct Field {
    std::string name, value;
  };

  template <Word T>
  void operator()(const char* name, T value) {
    if constexpr (std::is_enum_v<T>) {
      (*this)(name, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      add(name, value ? "true" : "false");
    } else {
      add(name, std::to_string(value));
    }
  }
  void operator()(const char* name, Handle value);
  void operator()(const char* name, const std::string& value);
  template <class T>
  void operator()(const char* name, const std::vector<T>& values) {
    add_size(name, values.size());
    each(name, values);
  }
  template <class T, std::size_t N>
  void operator()(const char* name, const std::array<T, N>& values) {
    each(name, values);
  }
  template <class T>
    requires requires(const T& t, FieldTexts& v) { t.fields(v); }
  void operator()(const char* name, const T& value) {
    const std::size_t outer = prefix_.size();
    prefix_ += name;
    prefix_ += '.';
    value.fields(*this);
    prefix_.resize(outer);
  }

  const std::vector<Field>& fields() const { return fields_; }

 private:
  template <class Range>
  void each(const char* name, const Range& values) {
    std::size_t index = 0;
    for (const auto& value : values) {
      const std::string element = std::string(name) + '[' + std::to_string(index++) + ']';
      (*this)(element.c_str(), value);
    }
  }
  void add(const char* name, std::string value);
  void add_size(const char* name, std::size_t size);

  std::string prefix_;
  std::vector<Field> fields_;
};

/// Appends the fields of one row that differ. Fields keep their order; those that only one side has are
/// "absent".
void append_difference(std::vector<Difference>& out, std::uint32_t row, const FieldTexts& left,
                       const FieldTexts& right);

/// Every difference between two tables, by row, then in the order of the row's fields.
template <class Row>
std::vector<Difference> difference(const Table<Row>& left, const Table<Row>& right) {
  std::vector<Difference> out;
  const std::uint32_t end = std::max(left.end_index(), right.end_index());
  for (std::uint32_t row = 0; row < end; ++row) {
    const auto texts = [row](const Table<Row>& table) {
      FieldTexts fields;
      if (table.live(row)) {
        fields("(generation)", table.handle_at(row).generation);
        table[row].fields(fields);
      }
      return fields;
    };
    append_difference(out, row, texts(left), texts(right));
  }
  return out;
}

}  // namespace polypath::engine
