// Stands between host and controller and writes boundary events. It knows queues only from what passes by (AQA, ASQ,
// ACQ, Create and Delete commands that succeeded), and walks data pointers itself, so a device that misbehaves cannot
// hide it. Any target can use it; one that cannot see fetches and DMA leaves those calls out.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/engine.h"
#include "port/host_memory.h"
#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::port {

class Observer {
 public:
  /// Observes controller `index` of the trace's header, whose host has `memory`.
  Observer(trace::Trace& trace, const engine::Engine& engine, std::uint16_t index, HostMemory& memory);

  // Called by the port, before the controller acts on a write and after it answered a read.
  void register_write(std::uint32_t offset, std::uint64_t value, unsigned bytes);
  void register_read(std::uint32_t offset, std::uint64_t value, unsigned bytes);
  void vector_mask(std::uint16_t vector, bool masked);
  // Called by targets that see what the controller does.
  void fetched(std::uint16_t sqid, std::uint64_t address, const spec::SubmissionEntry& entry);
  void dma(std::uint16_t sqid, std::uint16_t cid, std::uint64_t address, std::uint32_t bytes, bool write, bool stray);
  /// After the entry was written to `address` for completion queue `cqid`.
  void completed(std::uint16_t cqid, std::uint64_t address, const spec::CompletionEntry& entry);
  void interrupt(std::uint16_t vector);
  void function(trace::FunctionEvent what);

  /// Tables for snapshots and hashes.
  struct Ring {
    std::uint64_t base = 0;     ///< 0: the ring does not exist
    std::uint32_t entries = 0;
    std::uint32_t tail = 0;     ///< SQ: last tail seen
    std::uint16_t cqid = 0;     ///< SQ: its completion queue
    bool contiguous = true;
  };
  /// A command that was seen and has not completed: enough to read its data at completion.
  struct Open {
    spec::SubmissionEntry entry;
    bool live = false;
  };
  struct State {
    std::vector<Ring> sq, cq;              ///< by queue identifier
    std::vector<std::vector<Open>> open;   ///< by SQID, then a slot found through CID
    std::uint64_t asq = 0, acq = 0;
    std::uint32_t aqa = 0, cc = 0;
    unsigned dstrd = 0;
    bool enabled = false;
  };
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  trace::Trace& trace_;
  const engine::Engine& engine_;
  HostMemory& memory_;
  State state_;
  std::uint16_t index_;
};

}  // namespace polypath::port
