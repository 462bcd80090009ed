// Which path an I/O takes: Linux's rules as pure functions over a plain record that the head owns.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace polypath::host {

/// States of a controller as Linux's driver keeps them. `unbound`: no driver has it.
enum class ControllerState : std::uint8_t {
  unbound,
  fresh,
  live,
  resetting,
  connecting,
  deleting,
  deleting_noio,
  dead
};

/// Asymmetric Namespace Access states. Base specification, "Asymmetric Namespace Access States".
enum class AnaState : std::uint8_t {
  optimized = 1,
  non_optimized = 2,
  inaccessible = 3,
  persistent_loss = 4,
  change = 15
};

enum class Policy : std::uint8_t { numa, round_robin };

/// All that a policy knows of one path.
struct PathRecord {
  ControllerState controller = ControllerState::fresh;
  AnaState ana = AnaState::optimized;
  bool ready = true;            ///< identified, and its size is the head's
  bool ana_pending = false;     ///< what the host knows of its ANA state is stale
  std::uint32_t distance = 10;  ///< from the NUMA node of the submitter

  template <class V>
  void fields(V&& v) const {
    v("controller", controller), v("ana", ana), v("ready", ready), v("ana_pending", ana_pending);
    v("distance", distance);
  }
};

/// Position of a path in the head's list, which is in order of attachment.
inline constexpr std::int32_t kNoPath = -1;

/// What a policy answers: the path, and what the head's current-path slot becomes.
struct Choice {
  std::int32_t path = kNoPath;
  std::int32_t current = kNoPath;
  bool operator==(const Choice&) const = default;
};

/// Not disabled: the controller answers I/O, and what is known of the path holds.
bool is_enabled(const PathRecord& path);
/// Rule U: enabled and accessible. A deleting controller counts, so that final I/O can complete.
bool is_usable(const PathRecord& path);

/// The nearest optimized path, else the nearest non-optimized one; first in the list wins ties.
std::int32_t search(std::span<const PathRecord> paths, Policy policy);

Choice choose_path(Policy policy, std::span<const PathRecord> paths, std::int32_t current);

/// Rule A: some controller may serve I/O again soon, whatever its ANA state; I/O without a path waits for it.
bool may_become_usable(std::span<const PathRecord> paths);

std::string_view policy_name(Policy policy);
/// False when the text names no policy.
bool policy_from_name(std::string_view name, Policy& out);

}  // namespace polypath::host
