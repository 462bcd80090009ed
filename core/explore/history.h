// What passed between hosts and controllers, up to the order of events that have nothing to do with each
// other. Two orders of the same work with equal histories give the reference model the same knowledge, so
// exploration may treat them as one. docs/exploring.md says what counts as independent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/hash.h"
#include "trace/trace.h"

namespace polypath::explore {

/// A value: a copy goes on with the same trace, rewound to the same moment.
class History {
 public:
  explicit History(const trace::TraceHeader& header);

  /// Takes in the events that came since the last call.
  void advance(const trace::Trace& trace);
  void hash(engine::Hasher& hasher) const;

 private:
  struct Content {
    std::uint32_t subsystem = 0, nsid = 0;
    std::uint64_t chain = 0;
  };
  struct Open {
    std::uint16_t controller = 0, sqid = 0, cid = 0;
    std::uint32_t nsid = 0;
    std::uint8_t opcode = 0;
  };
  void take(const trace::Trace& trace, const trace::BoundaryEvent& event);
  void remember(const Open& command);
  void concerns(std::uint32_t subsystem, const Open& command, std::uint64_t what);
  void add_to_content(std::uint32_t subsystem, std::uint32_t nsid, std::uint64_t what);
  void add_to_all(std::uint32_t subsystem, std::uint64_t what);

  std::vector<std::uint32_t> subsystem_of_;  ///< by controller
  std::vector<std::uint64_t> controllers_;   ///< running hash of each controller's events, in their order
  std::vector<std::uint64_t> subsystems_;    ///< of what changes namespaces, attachments or lives
  std::vector<std::uint64_t> hosts_;         ///< of each host's applications
  std::vector<Content> contents_;            ///< of the commands for one namespace, ascending
  std::vector<Open> open_;                   ///< commands submitted and not completed
  std::size_t next_ = 0;
};

}  // namespace polypath::explore
