// Stands between host and controller and writes boundary events. It knows queues only from what passes by
// (AQA, ASQ, ACQ, Create and Delete commands that succeeded), and walks data pointers itself, so a device
// that misbehaves cannot hide it. Any target can use it; one that cannot see fetches and DMA leaves those
// calls out.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/engine.h"
#include "port/block_sizes.h"
#include "port/host_memory.h"
#include "port/prp.h"
#include "port/ring_memory.h"
#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::port {

class Observer {
 public:
  /// What it has learned so far: plain values, so that a snapshot of a world can hold them.
  struct Ring {
    RingMemory memory;  ///< base 0: the ring does not exist
    std::uint32_t entries = 0;
    std::uint32_t tail = 0;  ///< SQ: last valid tail seen
    std::uint32_t head = 0;  ///< SQ: fetched up to here, or SQHD where fetches are not seen
  };
  /// A command that was seen and has not completed: enough to read its data at completion.
  struct Open {
    spec::SubmissionEntry entry;
    std::uint32_t slot = 0;
    std::uint64_t since = 0;  ///< events of the trace when it was submitted
  };
  struct Queue {
    Ring sq, cq;
    std::vector<Open> open;
    std::vector<std::uint32_t> free_open;
    std::vector<std::uint32_t> open_of_cid;  ///< CID to index in `open` plus 1, 0 none
  };
  struct State {
    std::vector<Queue> queues;  ///< by queue identifier
    std::uint64_t asq = 0, acq = 0;
    std::uint32_t aqa = 0, cc = 0;
    unsigned dstrd = 0;
  };

  /// Observes controller `index` of the trace's header.
  explicit Observer(std::uint16_t index) : index_(index) {}

  /// What a call needs of the world; given at each call so that the observer itself stays a value.
  struct Scene {
    trace::Trace& trace;
    const engine::Engine& engine;
    const HostMemory& memory;
    BlockSizes& blocks;  ///< of the controller's subsystem
  };

  // Called by the port, before the controller acts on a write and after it answered a read.
  void register_write(const Scene& scene, std::uint32_t offset, std::uint64_t value, unsigned bytes);
  /// The host moved a doorbell in memory, where it found this EventIdx.
  void doorbell_moved(const Scene& scene, std::uint16_t qid, bool completion, std::uint32_t value,
                      std::uint32_t event_index);
  void register_read(const Scene& scene, std::uint32_t offset, std::uint64_t value, unsigned bytes);
  void vector_mask(const Scene& scene, std::uint16_t vector, bool masked);
  // Called by targets that see what the controller does.
  void fetched(const Scene& scene, std::uint16_t sqid, std::uint64_t address,
               const spec::SubmissionEntry& entry);
  void dma(const Scene& scene, std::uint16_t sqid, std::uint16_t cid, std::uint64_t address,
           std::uint32_t bytes, bool write, bool stray);
  /// After the entry was written to `address` for completion queue `cqid`.
  void completed(const Scene& scene, std::uint16_t cqid, std::uint64_t address,
                 const spec::CompletionEntry& entry);
  /// Where fetches are not seen: a completion entry's SQHD tells how far a submission queue was read.
  void consumed(std::uint16_t sqid, std::uint16_t sqhd);
  void interrupt(const Scene& scene, std::uint16_t vector);
  void function(const Scene& scene, trace::FunctionEvent what);
  /// The controller met a fatal error: its properties and queues stay, and it does nothing more.
  void failed(const Scene& scene);
  /// Somebody changed the device beside all commands.
  void administrator(const Scene& scene, trace::AdminAction what, std::uint32_t nsid, std::uint64_t lba);
  /// The controller's properties and queues are gone by a reset that another controller's host asked for.
  void lost();

  const State& state() const { return state_; }

 private:
  void tell(const Scene& scene, trace::FunctionEvent what) const;
  trace::BoundaryEvent event(const Scene& scene, trace::Boundary kind, std::uint16_t queue) const;
  void doorbell(const Scene& scene, std::uint16_t queue, bool completion, std::uint64_t value,
                const trace::BoundaryEvent& what);
  void submit(const Scene& scene, std::uint16_t sqid, std::uint32_t slot);
  void learn(const Scene& scene, const spec::SubmissionEntry& entry, std::uint64_t since);
  void clear_io_queues();
  /// Where a queue lies that a Create command made.
  static RingMemory ring_memory(const Scene& scene, const spec::SubmissionEntry& entry, std::uint64_t bytes);
  Queue& queue(std::uint16_t qid);
  Ring* ring(std::uint16_t qid, bool completion);
  Open* find_open(std::uint16_t sqid, std::uint16_t cid);
  void remember(const Scene& scene, std::uint16_t sqid, const spec::SubmissionEntry& entry,
                std::uint32_t slot);
  void forget(std::uint16_t sqid, std::uint16_t cid);
  /// What a command moves: through its data pointer, and of metadata of each block.
  struct Moved {
    std::uint64_t bytes = 0;
    spec::BlockFormat format;    ///< of logical blocks with metadata; else of no bytes
    std::uint16_t metadata = 0;  ///< bytes for each block
  };
  Moved moved_by(const Scene& scene, std::uint16_t sqid, const spec::SubmissionEntry& entry) const;
  static bool by_sgl(std::uint16_t sqid, const spec::SubmissionEntry& entry);
  /// The pieces of the command's buffer, into ranges_ and descriptors_. False when its pointer breaks a rule.
  bool walk(const Scene& scene, std::uint16_t sqid, const spec::SubmissionEntry& entry, std::uint64_t bytes);
  void append_digests(const Scene& scene, std::uint64_t bytes);
  /// The same of blocks with metadata, whose data and metadata are taken apart first.
  void append_blocks(const Scene& scene, const spec::SubmissionEntry& entry, const Moved& moved);
  /// `content`: of each block, not only where they lie.
  void append_metadata(const Scene& scene, const spec::SubmissionEntry& entry, const Moved& moved,
                       bool content);
  void append_data(const Scene& scene, std::uint64_t bytes);

  State state_;
  std::vector<std::byte> linear_;                 ///< scratch: a buffer of blocks with metadata, in one piece
  std::vector<Range> ranges_;                     ///< scratch: the pieces of the command at hand
  std::vector<spec::SglDescriptor> descriptors_;  ///< and the segments of its list, where it has one
  std::uint16_t index_;
};

}  // namespace polypath::port
