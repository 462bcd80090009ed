// What a run went through, counted in bytes: opcode by status, attachment by command, pairs of commands on
// different controllers, event requests and events, queues, registers. libFuzzer takes the bytes as extra
// counters; the loop of this room keeps inputs by them too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trace/trace.h"

namespace polypath::fuzz {

inline constexpr std::size_t kCounters = 16384;

class Counters {
 public:
  /// A command that has not completed.
  struct Open {
    std::uint32_t nsid = 0;
    std::uint16_t queue = 0, cid = 0;
    std::uint8_t opcode = 0, detail = 0;
    std::uint16_t controllers = 0;  ///< Namespace Attachment: bit set by CNTLID
  };
  struct Controller {
    std::vector<Open> open;
    std::uint32_t subsystem = 0;
    std::uint16_t cntlid = 0;
    std::uint8_t requests = 0, changes = 0;
    bool enabled = false, shut = false, masked = false;
  };
  static constexpr std::size_t kNsids = 16;
  /// What a trace has shown so far.
  struct Known {
    std::vector<Controller> controllers;
    /// By subsystem and NSID: bit k: attached to controller k; bit 15: exists.
    std::vector<std::array<std::uint16_t, kNsids>> attached;
  };

  /// What is known at the end of a trace; counts nothing.
  static Known learn(const trace::Trace& trace);
  /// Counts the events from `first` on, which follow on what is known.
  void count(const trace::Trace& trace, std::size_t first, const Known& known);

  std::span<std::uint8_t> bytes() { return bytes_; }
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  void clear() { bytes_.fill(0); }

 private:
  enum class Area : std::uint8_t { status, attachment, pair, events, queues, registers, other };

  void hit(Area area, std::uint64_t what);
  void take(const trace::Trace& trace, std::size_t first);
  void completed(const trace::Trace& trace, const trace::BoundaryEvent& event);
  void submitted(const trace::Trace& trace, const trace::BoundaryEvent& event);
  unsigned attachment_of(std::uint16_t controller, std::uint32_t nsid) const;

  std::array<std::uint8_t, kCounters> bytes_{};
  Known now_;
  std::uint64_t last_ = 0;  ///< the last command that completed, and where
  std::uint16_t last_controller_ = 0;
  std::uint32_t last_nsid_ = 0;
};

}  // namespace polypath::fuzz
