// The worlds that fuzz targets begin with: a topology of a shape, its hosts, and the steps that bring it up.
#pragma once

#include <string>

#include "fuzz/input.h"
#include "program/program.h"

namespace polypath::fuzz {

inline constexpr const char* kControllers[] = {"nvme0", "nvme1", "nvme2", "nvme3"};
inline constexpr const char* kNamespaces[] = {"ns1", "ns2", "ns3", "ns4", "ns5", "ns6"};
inline constexpr const char* kActors[] = {"", "a1", "a2", "a3"};

/// The label of the last step that brings a world up.
inline constexpr const char* kReady = "ready";

enum class Owner : std::uint8_t { raw, host0, host1 };

/// Who has a controller at first.
Owner owner_of(const Shape& shape, unsigned controller);

/// What some of the namespaces have: zones (profile `spec-zoned`), or metadata (`spec-pi`).
enum class With : std::uint8_t { nothing, zones, metadata };

/// The world of a shape with the steps that set it up: every raw controller enabled, identified, with queues
/// 1 and 2, its zones looked at. The last step has the label kReady. In canonical form.
program::Program prepared_program(const Shape& shape, const std::string& fault, With zones);

}  // namespace polypath::fuzz
