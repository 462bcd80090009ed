// What names and "the k-th of the live set" mean at the moment when a step runs.
#include <algorithm>

#include "target/runner.h"

namespace polypath::target {

using program::Form;
using program::Value;

std::string Runner::controller_name(std::uint32_t controller) const {
  return controller < program_.topology.controllers.size() ? program_.topology.controllers[controller].id
                                                           : "?";
}

bool Runner::controller_of(const Value* value, std::uint32_t& out) const {
  const auto& all = program_.topology.controllers;
  if (value == nullptr || all.empty()) return false;
  switch (value->form) {
    case Form::literal:
      out = static_cast<std::uint32_t>(value->number);
      return value->number < all.size();
    case Form::live:
      out = static_cast<std::uint32_t>(value->number % all.size());
      return true;
    case Form::name: {
      const auto at =
          std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.id == value->text; });
      out = static_cast<std::uint32_t>(at - all.begin());
      return at != all.end();
    }
  }
  return false;
}

bool Runner::controllers_of(const Value* value, std::vector<std::uint32_t>& out) const {
  if (value == nullptr) return false;
  for (const Value& element : value->list) {
    std::uint32_t controller = 0;
    if (!controller_of(&element, controller)) return false;
    out.push_back(controller);
  }
  return true;
}

bool Runner::host_of(const program::Step& step, std::uint32_t& out) const {
  const Value* value = step.find(program::Field::host);
  out = 0;
  if (program_.hosts.empty()) return false;
  if (value == nullptr) return true;  // the only host, or the first
  if (value->form == Form::name) {
    const auto at = std::find_if(program_.hosts.begin(), program_.hosts.end(),
                                 [&](const auto& host) { return host.id == value->text; });
    out = static_cast<std::uint32_t>(at - program_.hosts.begin());
    return at != program_.hosts.end();
  }
  out = static_cast<std::uint32_t>(value->number % program_.hosts.size());
  return value->form == Form::live || value->number < program_.hosts.size();
}

bool Runner::ns_of(const Value* value, std::uint32_t controller, std::uint32_t& nsid) const {
  if (value == nullptr) return false;
  switch (value->form) {
    case Form::literal:
      nsid = static_cast<std::uint32_t>(value->number);
      return true;
    case Form::name: {
      const auto bound = names_.find(value->text);
      if (bound != names_.end()) {
        nsid = static_cast<std::uint32_t>(bound->second);
        return true;
      }
      for (const auto& ns : program_.topology.namespaces) {
        if (ns.id != value->text) continue;
        nsid = ns.nsid;
        return true;
      }
      return false;
    }
    case Form::live: {
      // Namespaces that exist in the controller's subsystem, in order of NSID.
      const auto& device = world_.device();
      if (controller >= world_.controllers()) return false;
      const auto& table = device.subsystems[device.controllers[controller].subsystem].ns_of_nsid;
      const auto count = static_cast<std::uint64_t>(
          std::count_if(table.begin(), table.end(), [](std::uint32_t row) { return row != 0; }));
      if (count == 0) return false;
      std::uint64_t before = value->number % count;
      for (nsid = 1; table[nsid] == 0 || before-- != 0; ++nsid) {
      }
      return true;
    }
  }
  return false;
}

std::uint32_t Runner::nsid_number(const Value& value, std::uint32_t controller) const {
  std::uint32_t nsid = 0;
  return ns_of(&value, controller, nsid) ? nsid : static_cast<std::uint32_t>(value.number);
}

}  // namespace polypath::target
