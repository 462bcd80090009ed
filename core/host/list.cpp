#include "host/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace polypath::host {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void add_line(std::string& text, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + '\n';
}

/// "134.22  MB": decimal units, two digits.
std::string decimal(double bytes) {
  static constexpr std::array<std::pair<double, const char*>, 6> kUnits{
      {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}}};
  for (const auto& [unit, suffix] : kUnits) {
    if (bytes >= unit) return fmt::format("{:6.2f} {:>2}B", bytes / unit, suffix);
  }
  return fmt::format("{:6.2f} {:>2}B", bytes, "");
}

/// "512   B", "  4 KiB": block sizes are powers of two.
std::string binary(std::uint32_t bytes) {
  const bool kibi = bytes >= 1024;
  return fmt::format("{:3} {:>2}B", kibi ? bytes / 1024 : bytes, kibi ? "Ki" : "");
}

bool shown(const Driver& d) {
  return d.state != ControllerState::unbound && d.state != ControllerState::dead;
}

}  // namespace

Listing list(const Hosts& hosts, std::uint32_t host) {
  const State& s = hosts.state();
  const auto by_controller = [&](std::vector<std::uint32_t> drivers) {
    std::erase_if(drivers, [&](std::uint32_t driver) { return !shown(s.drivers[driver]); });
    std::sort(drivers.begin(), drivers.end(), [&](std::uint32_t a, std::uint32_t b) {
      return s.drivers[a].controller < s.drivers[b].controller;
    });
    return drivers;
  };
  const auto names = [&](const std::vector<std::uint32_t>& drivers) {
    std::vector<std::string> result;
    for (const std::uint32_t driver : drivers) result.push_back(s.drivers[driver].name);
    return result;
  };
  Listing listing;
  std::vector<Handle> subsystems = s.hosts[host].subsystems;
  std::sort(subsystems.begin(), subsystems.end(), [&](Handle a, Handle b) {
    return s.subsystems[a.index].instance < s.subsystems[b.index].instance;
  });
  const auto subsystem_name = [&](Handle subsystem) {
    const Subsystem* found = s.subsystems.get(subsystem);
    return found == nullptr ? std::string() : fmt::format("nvme-subsys{}", found->instance);
  };
  for (const Handle handle : subsystems) {
    const Subsystem& subsystem = s.subsystems[handle.index];
    listing.subsystems.push_back(
        {subsystem_name(handle), subsystem.nqn, names(by_controller(subsystem.drivers))});
    std::vector<Handle> heads = subsystem.heads;
    std::sort(heads.begin(), heads.end(),
              [&](Handle a, Handle b) { return s.heads[a.index].number < s.heads[b.index].number; });
    for (const Handle at : heads) {
      const Head& head = s.heads[at.index];
      ListedNamespace row;
      row.name = hosts.head_name(head);
      row.nsid = head.nsid;
      row.blocks = head.blocks;
      row.block_bytes = head.block_bytes;
      row.metadata_bytes = head.metadata.bytes;
      std::vector<std::uint32_t> drivers;
      for (const Handle path : head.paths) drivers.push_back(s.paths[path.index].driver);
      row.controllers = names(by_controller(drivers));
      if (!head.paths.empty()) row.used_blocks = s.paths[head.paths.front().index].used_blocks;
      listing.namespaces.push_back(std::move(row));
    }
  }
  for (const std::uint32_t driver : by_controller(s.hosts[host].drivers)) {
    const Driver& d = s.drivers[driver];
    std::vector<std::uint32_t> numbers;
    ListedController row{d.name,
                         d.facts.serial,
                         d.facts.model,
                         d.facts.firmware,
                         "pcie",
                         d.address,
                         subsystem_name(d.subsystem),
                         {}};
    std::vector<Handle> paths = d.paths;
    std::sort(paths.begin(), paths.end(), [&](Handle a, Handle b) {
      return s.heads[s.paths[a.index].head.index].number < s.heads[s.paths[b.index].head.index].number;
    });
    for (const Handle path : paths)
      row.namespaces.push_back(hosts.head_name(s.heads[s.paths[path.index].head.index]));
    listing.controllers.push_back(std::move(row));
  }
  return listing;
}

std::string print_verbose(const Listing& listing) {
  const auto dashes = [](std::size_t count) { return std::string(count, '-'); };
  std::string text = "NVM Express Subsystems\n\n";
  add_line(text, fmt::format("{:<16} {:<96} {:<16}", "Subsystem", "Subsystem-NQN", "Controllers"));
  add_line(text, fmt::format("{} {} {}", dashes(16), dashes(96), dashes(16)));
  for (const ListedSubsystem& row : listing.subsystems) {
    add_line(text, fmt::format("{:<16} {:<96} {}", row.name, row.nqn, joined(row.controllers)));
  }
  text += "\nNVM Express Controllers\n\n";
  constexpr const char* kController = "{:<8} {:<20} {:<40} {:<8} {:<6} {:<14} {:<12} {:<16}";
  add_line(text, fmt::format(fmt::runtime(kController), "Device", "SN", "MN", "FR", "TxPort", "Address",
                             "Subsystem", "Namespaces"));
  add_line(text, fmt::format("{} {} {} {} {} {} {} {}", dashes(8), dashes(20), dashes(40), dashes(8),
                             dashes(6), dashes(14), dashes(12), dashes(16)));
  for (const ListedController& row : listing.controllers) {
    add_line(text, fmt::format(fmt::runtime(kController), row.name, row.serial, row.model, row.firmware,
                               row.transport, row.address, row.subsystem, joined(row.namespaces)));
  }
  text += "\nNVM Express Namespaces\n\n";
  add_line(text, fmt::format("{:<12} {:<8} {:<26} {:<16} {:<16}", "Device", "NSID", "Usage", "Format",
                             "Controllers"));
  add_line(text, fmt::format("{} {} {} {} {}", dashes(12), dashes(8), dashes(26), dashes(16), dashes(16)));
  for (const ListedNamespace& row : listing.namespaces) {
    const double block = row.block_bytes;
    const std::string usage = fmt::format("{} / {}", decimal(static_cast<double>(row.used_blocks) * block),
                                          decimal(static_cast<double>(row.blocks) * block));
    const std::string format = fmt::format("{} + {:2} B", binary(row.block_bytes), row.metadata_bytes);
    add_line(text, fmt::format("{:<12} {:<8x} {:<26} {:<16} {}", row.name, row.nsid, usage, format,
                               joined(row.controllers)));
  }
  return text;
}

}  // namespace polypath::host
