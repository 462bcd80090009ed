#include "program/program.h"

#include <algorithm>

namespace polypath::program {

const Value* Step::find(Field field) const {
  for (const Operand& operand : operands) {
    if (operand.field == field) return &operand.value;
  }
  return nullptr;
}

std::uint64_t Step::number(Field field, std::uint64_t otherwise) const {
  const Value* value = find(field);
  return value == nullptr ? otherwise : value->number;
}

bool profile_allows_serials(std::string_view profile) { return profile == "qemu-2021"; }
bool profile_has_zones(std::string_view profile) { return profile == "spec-zoned"; }
bool profile_has_metadata(std::string_view profile) { return profile == "spec-pi" || profile == "qemu-7.2"; }
bool profile_has_storage_tags(std::string_view profile) { return profile == "spec-pi"; }

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kLongestName && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), inner);
}

}  // namespace polypath::program
