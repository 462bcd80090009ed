#include "host/policy.h"

namespace polypath::host {
namespace {

bool live_or_deleting(ControllerState state) {
  return state == ControllerState::live || state == ControllerState::deleting;
}

Choice numa(std::span<const PathRecord> paths, std::int32_t current) {
  if (current != kNoPath) {
    const PathRecord& path = paths[static_cast<std::size_t>(current)];
    // Sticky. Readiness and pending ANA knowledge are not looked at: their events clear the slot.
    if (path.controller == ControllerState::live && path.ana == AnaState::optimized)
      return {current, current};
  }
  const std::int32_t found = search(paths, Policy::numa);
  return {found, found == kNoPath ? current : found};  // a search without result leaves the slot
}

Choice round_robin(std::span<const PathRecord> paths, std::int32_t current) {
  if (current == kNoPath) {
    const std::int32_t found = search(paths, Policy::round_robin);
    return {found, found};
  }
  const PathRecord& old = paths[static_cast<std::size_t>(current)];
  if (paths.size() == 1)
    return {is_enabled(old) ? current : kNoPath, current};  // its ANA state is not looked at
  std::int32_t other =
      kNoPath;  // the last usable non-optimized one seen, so rotation among those runs backwards
  for (std::size_t step = 1; step < paths.size(); ++step) {
    const auto at = static_cast<std::int32_t>((static_cast<std::size_t>(current) + step) % paths.size());
    const PathRecord& path = paths[static_cast<std::size_t>(at)];
    if (!is_enabled(path)) continue;
    if (path.ana == AnaState::optimized) return {at, at};
    if (path.ana == AnaState::non_optimized) other = at;
  }
  if (is_enabled(old) &&
      (old.ana == AnaState::optimized || (other == kNoPath && old.ana == AnaState::non_optimized))) {
    return {current, current};
  }
  return {other, other == kNoPath ? current : other};
}

}  // namespace

bool is_enabled(const PathRecord& path) {
  return live_or_deleting(path.controller) && !path.ana_pending && path.ready;
}

bool is_usable(const PathRecord& path) {
  return is_enabled(path) && (path.ana == AnaState::optimized || path.ana == AnaState::non_optimized);
}

std::int32_t search(std::span<const PathRecord> paths, Policy policy) {
  std::int32_t found = kNoPath, fallback = kNoPath;
  std::uint32_t found_distance = ~0U, fallback_distance = ~0U;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const PathRecord& path = paths[i];
    if (!is_usable(path)) continue;
    const std::uint32_t distance = policy == Policy::numa ? path.distance : 0;
    if (path.ana == AnaState::optimized) {
      if (distance < found_distance) found = static_cast<std::int32_t>(i), found_distance = distance;
    } else if (distance < fallback_distance) {
      fallback = static_cast<std::int32_t>(i), fallback_distance = distance;
    }
  }
  return found != kNoPath ? found : fallback;
}

Choice choose_path(Policy policy, std::span<const PathRecord> paths, std::int32_t current) {
  return policy == Policy::numa ? numa(paths, current) : round_robin(paths, current);
}

bool may_become_usable(std::span<const PathRecord> paths) {
  for (const PathRecord& path : paths) {
    switch (path.controller) {
      case ControllerState::live:
      case ControllerState::resetting:
      case ControllerState::connecting:
        return true;
      default:
        break;
    }
  }
  return false;
}

std::string_view policy_name(Policy policy) { return policy == Policy::numa ? "numa" : "round-robin"; }

bool policy_from_name(std::string_view name, Policy& out) {
  if (name == "numa") {
    out = Policy::numa;
  } else if (name == "round-robin") {
    out = Policy::round_robin;
  } else {
    return false;
  }
  return true;
}

}  // namespace polypath::host
