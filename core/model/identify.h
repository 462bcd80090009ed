// Identify: what controllers say of themselves, of namespaces and of each other, compared with the facts.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

void check_identify(const Scene& scene, const Command& command, std::span<const std::byte> data);
void allow_identify(const Scene& scene, const Command& command, Allowed& allowed);

/// CNS 01: the announcements of a controller (identify_controller.cpp).
void check_controller(const Scene& scene, const Command& command, std::span<const std::byte> data);
/// CNS 00, 11 and 03: a namespace as one controller shows it (identify_namespace.cpp).
void check_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data,
                     bool allocated);
void check_independent(const Scene& scene, const Command& command, std::span<const std::byte> data);
void check_descriptors(const Scene& scene, const Command& command, std::span<const std::byte> data);
/// CNS 02, 10, 12 and 13 (identify_lists.cpp).
void check_active_list(const Scene& scene, const Command& command, std::span<const std::byte> data);
void check_allocated_list(const Scene& scene, const Command& command, std::span<const std::byte> data);
void check_attached_controllers(const Scene& scene, const Command& command, std::span<const std::byte> data);
void check_controller_list(const Scene& scene, const Command& command, std::span<const std::byte> data);

inline bool all_zero(std::span<const std::byte> data) {
  return std::all_of(data.begin(), data.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace polypath::model
