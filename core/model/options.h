// Bounds of the liveness rules. The standard sets none for most of them: these are generous, and to be
// configured.
#pragma once

#include <cstdint>

#include "engine/time.h"

namespace polypath::model {

struct Options {
  engine::Time command_bound =
      10 * engine::kSecond;  ///< LIV-01, LIV-02, LIV-06: from submission, or from room in the queue
  engine::Time event_bound =
      10 * engine::kSecond;  ///< AE-06, AE-08, LIV-07: from the change, or from the event request
  engine::Time interrupt_bound = engine::kSecond;       ///< INV-Q-15; coalescing is shorter than this
  engine::Time keep_alive_bound = engine::kSecond;      ///< LIV-17, beside the timeout: the time to stop
  engine::Time shutdown_bound = 120 * engine::kSecond;  ///< LIV-05
  engine::Time request_bound = 60 * engine::kSecond;    ///< INV-H-03, with a good path
  engine::Time interrupt_race =
      engine::kMicrosecond;               ///< INV-Q-14: a message may cross the doorbell that acknowledges
  std::uint32_t findings_per_rule = 100;  ///< more are counted, not kept
};

}  // namespace polypath::model
