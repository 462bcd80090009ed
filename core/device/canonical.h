// The device's state without what only history numbered: for exploration, which asks whether two orders of
// the same work lead to the same place.
#pragma once

#include <cstdint>

#include "device/state.h"
#include "engine/engine.h"

namespace polypath::device {

/// What a pending event of the device (kind What) is about: controller, queue, CID, and not the slots of
/// tables. 0 for an event that will find nothing any more.
std::uint64_t name_of(const Device& device, const engine::Event& event);

/// Equal for devices with equal futures that differ in slots, generations, reset counts, host addresses and
/// stamps of media only. A content of zeros and one that was never written count as one.
void hash_canonical(const Device& device, engine::Hasher& hasher);

}  // namespace polypath::device
