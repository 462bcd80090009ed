// What passed between hosts and controllers, as far as the reference model may still need it, up to the order
// of events that have nothing to do with each other. Two orders of the same work with equal histories give
// the model the same knowledge, so exploration may treat them as one. docs/exploring.md says what counts.
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
  /// Commands, requests and changes that overlap, with what each came after. Once none is open, only what may
  /// have left doubt behind is kept. Sums have no order: neither have things that overlap.
  struct Cluster {
    std::uint32_t open = 0;     ///< of those that make it a cluster
    std::uint32_t effects = 0;  ///< how many in it change something
    std::uint64_t ended = 0;    ///< those that ended in it
    std::uint64_t order = 0;    ///< those that ended in it, with what had ended when they began
  };
  /// The data of one namespace: its commands and its applications' requests.
  struct Content {
    std::uint32_t subsystem = 0, nsid = 0;
    Cluster commands;
    std::uint64_t writes = 0;  ///< chain of past clusters that wrote
  };
  /// What one subsystem's namespaces and controllers are: commands and registers that change it.
  struct Subsystem {
    Cluster changes;
    std::uint64_t ended = 0;  ///< changes that ended
    std::uint64_t order = 0;  ///< changes with those that had ended when they began; past clusters in doubt
  };
  /// A queue pair's traffic, while there is any.
  struct Queue {
    std::uint16_t controller = 0, qid = 0;
    std::uint32_t open = 0;
    std::uint64_t completed = 0;
    std::uint32_t last_slot = 0;  ///< of the completion ring
    std::uint64_t traffic = 0;
  };
  struct Open {
    std::uint16_t controller = 0, sqid = 0, cid = 0;
    std::uint32_t nsid = 0, cdw10 = 0;
    std::uint8_t opcode = 0;
    std::uint64_t what = 0;           ///< its submission
    std::uint64_t after_changes = 0;  ///< changes that had ended then
    std::uint64_t after_content = 0;  ///< commands for its namespace that had
  };
  struct Request {
    std::uint32_t host = 0, id = 0, subsystem = 0, nsid = 0;
    std::uint8_t opcode = 0;
    std::uint64_t what = 0, after_changes = 0, after_content = 0;
  };
  void take(const trace::Trace& trace, const trace::BoundaryEvent& event);
  void take_application(const trace::Trace& trace, const trace::BoundaryEvent& event, std::uint64_t what);
  void begin(Open command);
  void end(const Open& command, std::uint64_t what);
  void begin_content(std::uint32_t subsystem, std::uint32_t nsid, bool writes, std::uint64_t& after);
  void end_content(std::uint32_t subsystem, std::uint32_t nsid, std::uint64_t what, std::uint64_t after);
  void lose(std::uint16_t controller, std::uint64_t what);
  void moment(std::uint32_t subsystem, std::uint64_t what);
  void traffic(std::uint16_t controller, std::uint16_t qid, std::uint64_t what);
  Content& content(std::uint32_t subsystem, std::uint32_t nsid);
  Queue& queue(std::uint16_t controller, std::uint16_t qid);

  std::vector<std::uint32_t> subsystem_of_;  ///< by controller
  std::vector<std::uint64_t> controllers_;   ///< registers, and commands that set a controller up
  std::vector<Queue> queues_;                ///< ascending
  std::vector<Subsystem> subsystems_;
  std::vector<Content> contents_;  ///< ascending
  std::vector<Open> open_;         ///< commands submitted and not completed
  std::vector<Request> requests_;  ///< of applications, not ended
  std::size_t next_ = 0;
};

}  // namespace polypath::explore
