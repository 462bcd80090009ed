// QEMU's NVMe device as a target, without a guest: its processors stand still, and its test socket and a
// shared memory file play the host. What was found out by trying is in docs/qemu.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "program/topology.h"
#include "target/machine.h"

namespace polypath::qemu {

/// The command line for a topology, without the places of files. Words that QEMU 7.2 does not know are an
/// InputError that names them.
std::vector<std::string> device_arguments(const program::Topology& topology, const std::string& directory);

/// The emulator's name: POLYPATH_QEMU, else qemu-system-x86_64.
std::string command();
/// "7.2.22", empty when there is no such program.
std::string version();

/// Starts an emulator of its own, whose media are empty files in a private directory that goes with it.
/// Throws InputError when there is none or it refuses the topology.
std::unique_ptr<target::Machine> start(const program::Topology& topology);

}  // namespace polypath::qemu
