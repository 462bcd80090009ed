#include "fuzz/target.h"

#include <utility>

namespace polypath::fuzz {

std::span<const Target* const> targets() {
  static const Target* const kTargets[] = {&attach_target(), &controller_target(), &zoned_target()};
  return kTargets;
}

const Target* find_target(std::string_view name) {
  for (const Target* target : targets()) {
    if (target->name == name) return target;
  }
  return nullptr;
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const Target* target : targets()) names.emplace_back(target->name);
  return names;
}

program::Program to_program(const Target& target, const Input& input, const std::string& fault) {
  program::Program program = target.prepared(input.shape, fault);
  target.append(input, program.steps);
  return program::canonical(std::move(program));
}

}  // namespace polypath::fuzz
