// What `nvme list -v` shows of a host: from what the host has read, not from the device. The text is that of
// the nvme-cli of 2021 (QEMU's example), which sorts nothing; here rows are sorted by number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/host.h"

namespace polypath::host {

struct ListedSubsystem {
  std::string name, nqn;
  std::vector<std::string> controllers;
};

struct ListedController {
  std::string name, serial, model, firmware, transport, address, subsystem;
  std::vector<std::string> namespaces;  ///< the heads of its own paths
};

struct ListedNamespace {
  std::string name;
  std::uint32_t nsid = 0;
  std::uint64_t used_blocks = 0, blocks = 0;
  std::uint32_t block_bytes = 512, metadata_bytes = 0;
  std::vector<std::string> controllers;  ///< that show it
};

struct Listing {
  std::vector<ListedSubsystem> subsystems;
  std::vector<ListedController> controllers;
  std::vector<ListedNamespace> namespaces;
};

Listing list(const Hosts& hosts, std::uint32_t host);

/// The three tables of `nvme list -v`.
std::string print_verbose(const Listing& listing);

}  // namespace polypath::host
