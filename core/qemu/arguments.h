// QEMU's command line for a topology.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "program/topology.h"

namespace polypath::qemu {

/// The controllers of a topology are PCI devices side by side, the k-th in slot kFirstSlot + k of bus 0.
inline constexpr std::size_t kFirstSlot = 0x10, kSlots = 0x20 - kFirstSlot;

/// The `-device` and `-blockdev` words; `media` holds a file for each namespace. Words that QEMU 7.2 does not
/// know are an InputError that names them.
std::vector<std::string> device_arguments(const program::Topology& topology,
                                          const std::vector<std::string>& media);

/// Bytes that the file of a namespace needs.
std::uint64_t media_bytes(const program::NamespaceSpec& ns);

}  // namespace polypath::qemu
