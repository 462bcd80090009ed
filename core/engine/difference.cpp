#include "engine/difference.h"

#include <utility>

namespace polypath::engine {

namespace {

constexpr const char* kAbsent = "absent";

}  // namespace

void FieldTexts::operator()(const char* name, Handle value) {
  add(name,
      value ? '#' + std::to_string(value.index) + " generation " + std::to_string(value.generation) : "none");
}

void FieldTexts::operator()(const char* name, const std::string& value) { add(name, '"' + value + '"'); }

void FieldTexts::add(const char* name, std::string value) {
  fields_.push_back({prefix_ + name, std::move(value)});
}

void FieldTexts::add_size(const char* name, std::size_t size) {
  add((std::string(name) + ".size").c_str(), std::to_string(size));
}

void append_difference(std::vector<Difference>& out, std::uint32_t row, const FieldTexts& left,
                       const FieldTexts& right) {
  // Both sides list their fields in the same order; only the elements of vectors can be there on one side
  // alone. So where the names differ, the side that meets the other's name later on has the extra fields.
  const auto& l = left.fields();
  const auto& r = right.fields();
  std::size_t i = 0, j = 0;
  while (i < l.size() || j < r.size()) {
    if (i < l.size() && j < r.size() && l[i].name == r[j].name) {
      if (l[i].value != r[j].value) out.push_back({row, l[i].name, l[i].value, r[j].value});
      ++i;
      ++j;
      continue;
    }
    const bool left_is_extra =
        i < l.size() &&
        (j == r.size() || std::any_of(
                              l.begin() + static_cast<std::ptrdiff_t>(i), l.end(),
                              [&](const FieldTexts::Field& field) { return field.name == r[j].name; }));
    if (left_is_extra) {
      out.push_back({row, l[i].name, l[i].value, kAbsent});
      ++i;
    } else {
      out.push_back({row, r[j].name, kAbsent, r[j].value});
      ++j;
    }
  }
}

std::string difference_text(std::string_view table, const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& d : differences) {
    text += table;
    text += '[' + std::to_string(d.row) + "]." + d.field + ": " + d.left + " | " + d.right + '\n';
  }
  return text;
}

}  // namespace polypath::engine
