// What Linux does with a completed I/O, and the errno that an application gets. Pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "engine/time.h"

namespace polypath::host {

inline constexpr unsigned kRetriesMax = 5;

enum class Disposition : std::uint8_t { complete, failover, retry };

struct Ended {
  std::uint16_t status = 0;  ///< 15 bits, Linux form
  bool multipath = true;     ///< it came through a multipath head
  bool no_retry = false;     ///< passthrough: fails as it failed
  bool queue_dying = false;  ///< its path has been removed
  unsigned retries = 0;      ///< so far; failovers do not count
};

Disposition dispose(const Ended& ended);

/// Delay before a retry on the same path: CRD of the status selects one of CRDT1 to CRDT3 (units of 100 ms).
engine::Time retry_delay(std::uint16_t status, const std::array<std::uint16_t, 3>& crdt);

/// errno of a status, by way of the block layer's codes; 0 for success.
std::int32_t errno_of(std::uint16_t status);

}  // namespace polypath::host
