// `expect`: what a person wants to hold at this point.
#include <fmt/format.h>

#include <algorithm>

#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Value;

namespace {

std::string join(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return "[" + text + "]";
}

}  // namespace

// Names of namespaces: the topology's id, a name bound by `as`, else "nsid N".
std::string Runner::ns_name(std::uint32_t subsystem, std::uint32_t nsid) const {
  for (const auto& ns : program_.topology.namespaces) {
    if (ns.subsystem == subsystem && ns.nsid == nsid) return ns.id;
  }
  for (const auto& [name, value] : names_) {
    if (value == nsid) return name;
  }
  return fmt::format("nsid {}", nsid);
}

void Runner::check_expect(std::size_t index) {
  const program::Step& step = program_.steps[index];
  if (const Value* lists = step.find(Field::list)) {
    for (const Value& row : lists->list) {
      std::uint32_t controller = 0;
      Value name;
      name.form = program::Form::name;
      name.text = row.text;
      if (!controller_of(&name, controller)) {
        unable(index, fmt::format("names no controller: {}", row.text));
        return;
      }
      std::vector<std::string> wanted, seen;
      const auto& c = world_.device().controllers[controller];
      for (const Value& ns : row.list) {
        std::uint32_t nsid = 0;
        wanted.push_back(ns_of(&ns, controller, nsid) ? ns_name(c.subsystem, nsid) : ns.text);
      }
      for (const auto& active : c.active) seen.push_back(ns_name(c.subsystem, active.nsid));
      if (join(wanted) != join(seen)) {
        fail(index, fmt::format("{} should list {} but lists {}", row.text, join(wanted), join(seen)));
      }
    }
  }
  if (const Value* heads = step.find(Field::heads)) check_heads(index, *heads);
}

}  // namespace polypath::target
