// The hosts' state without what only history numbered: for exploration.
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "host/state.h"

namespace polypath::host {

/// What a pending event of the hosts (kind What) is about, without slots of tables and numbers of lives. 0
/// for an event that will find nothing any more.
std::uint64_t name_of(const State& state, const engine::Event& event);

/// Equal for hosts with equal futures that differ in slots, generations, request ids, addresses and contents
/// of memory only. Contents of rings and buffers follow from what passed between host and controller, which
/// whoever explores compares as well. Times count relative to `now`.
void hash_canonical(const State& state, Time now, engine::Hasher& hasher);

}  // namespace polypath::host
