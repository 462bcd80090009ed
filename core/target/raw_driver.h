// A driver with no manners: it puts any entry on any queue and any value in any register, through a port.
// Used by `admin`, `io`, `submit`, `doorbell` ... steps, by recordings, and by Python's raw access. State is
// plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "port/port.h"
#include "port/prp.h"
#include "port/ring_memory.h"
#include "program/sgl_words.h"
#include "spec/queue_entry.h"

namespace polypath::target {

/// How a raw command ended.
struct RawOutcome {
  std::uint32_t request = 0;
  bool lost = false;  ///< dropped by a reset or a deleted queue: no completion entry will come
  spec::CompletionEntry entry;
  std::uint64_t buffer = 0;  ///< host address of its data
  std::uint32_t bytes = 0;
  std::vector<port::Range> pieces;  ///< of its data, where they lie apart: address 0 for what was discarded
};

class RawDriver {
 public:
  struct QueuePair {
    port::RingMemory sq, cq;  ///< base 0: not there
    std::uint32_t sq_entries = 0, cq_entries = 0;
    std::uint32_t tail = 0, sqhd = 0, head = 0;
    std::uint32_t rung = 0;  ///< tail at the last doorbell
    std::uint16_t next_cid = 0;
    bool phase = true;
    bool usable = false;  ///< the controller has it: entries may be put in
  };
  struct Outstanding {
    std::uint32_t request = 0;
    std::uint16_t sqid = 0, cid = 0;
    std::uint64_t buffer = 0;
    std::uint32_t bytes = 0;
    std::uint32_t pages = 0;  ///< of the buffer and its lists
    std::vector<port::Range> pieces;
    std::uint64_t metadata = 0;
    std::uint32_t metadata_pages = 0;
  };
  /// The memory of one command's data.
  struct Data {
    std::uint64_t address = 0;  ///< 0: none
    std::uint32_t bytes = 0, pages = 0;
    std::vector<port::Range> pieces;
    std::uint64_t metadata = 0;  ///< address of a buffer for metadata alone, 0: none
    std::uint32_t metadata_pages = 0;
  };
  struct Buffer {
    std::uint64_t address = 0;
    std::uint32_t pages = 0;
  };

  static constexpr std::uint32_t kUsualCc = 0x00460001;  ///< EN, 64-byte and 16-byte queue entries

  /// Programs AQA, ASQ, ACQ with rings of its own and writes CC; `poll` tells when CSTS.RDY (or CFS) shows.
  void enable(port::Port& port, std::uint32_t admin_entries, std::uint32_t cc = kUsualCc);
  /// Doorbells lie 4 << dstrd bytes apart, as CAP says.
  void set_stride(unsigned dstrd) { dstrd_ = dstrd; }
  unsigned stride() const { return dstrd_; }
  /// Two empty pages for doorbells in memory.
  static spec::DoorbellBuffer make_doorbell_buffer(port::Port& port);
  /// The controller looks at them from now on. They show where the doorbells of all queues are.
  void use_doorbell_buffer(port::Port& port, const spec::DoorbellBuffer& buffer);
  /// The controller is ready: the admin queue may be used.
  void enabled() { set_usable(0, true); }
  /// Clears CC.EN. Everything outstanding is lost, and no queue is left.
  void disable(port::Port& port);
  /// The function was reset from outside: no queue is left.
  void lose_queues() { queues_.clear(), doorbells_ = {}; }
  /// Memory for an I/O queue pair; the caller then submits Create CQ and Create SQ with these addresses.
  /// `contiguous`: in one piece each; else in pages apart, and the addresses are those of PRP lists.
  void make_queue_pair(port::Port& port, std::uint16_t qid, std::uint32_t entries, bool contiguous = true);
  void forget_queue_pair(std::uint16_t qid);
  /// A queue pair is usable once the controller has made it, and no longer when its deletion begins.
  void set_usable(std::uint16_t qid, bool usable) {
    if (has_queue(qid)) queues_[qid].usable = usable;
  }
  bool usable(std::uint16_t qid) const { return has_queue(qid) && queues_[qid].usable; }
  bool has_queue(std::uint16_t qid) const { return qid < queues_.size() && queues_[qid].sq.base != 0; }
  const QueuePair* queue(std::uint16_t qid) const { return has_queue(qid) ? &queues_[qid] : nullptr; }
  /// Queue identifiers that exist, ascending.
  std::vector<std::uint16_t> queues() const;

  /// Room for one more entry, as far as SQHD tells.
  bool has_room(std::uint16_t qid) const;
  /// Data buffer for `bytes` bytes described by entry.prp1/prp2 (filled here). `data` is copied into it.
  Data attach_buffer(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                     std::span<const std::byte> data);
  /// The same by a Scatter Gather List. Its blocks lie apart in memory.
  Data attach_list(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                   std::span<const std::byte> data, std::span<const program::SglWord> list);
  /// Adds a buffer for metadata of `bytes` bytes, to which entry.mptr leads. `metadata` is copied into it.
  void attach_metadata(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                       std::span<const std::byte> metadata, Data& data);
  /// Writes the entry at the tail and, unless the next one is to do so, rings the doorbell. `entry.cid` is
  /// used as it is when `keep_cid`, else the next free one is put in. The queue must exist and have room.
  void submit(port::Port& port, std::uint16_t qid, spec::SubmissionEntry entry, bool keep_cid,
              std::uint32_t request, Data data, bool ring = true);
  /// Takes every new completion entry of every queue and rings head doorbells.
  void reap(port::Port& port, std::vector<RawOutcome>& out);
  /// Everything outstanding ends without an entry.
  void lose_all(std::vector<RawOutcome>& out);

  /// A controller that another driver had set up is not ours: forget rings and commands.
  void reset() { *this = RawDriver{}; }
  std::size_t outstanding() const { return outstanding_.size(); }
  void hash(engine::Hasher& hasher) const;

 private:
  std::uint64_t take_pages(port::Port& port, std::uint32_t pages, bool& used);
  void give_pages(std::uint64_t address, std::uint32_t pages);
  void ring(port::Port& port, std::uint16_t qid, bool completion, std::uint32_t before, std::uint32_t now);

  std::vector<QueuePair> queues_;
  std::vector<Outstanding> outstanding_;
  std::vector<Buffer> free_;
  spec::DoorbellBuffer doorbells_;
  unsigned dstrd_ = 0;
};

}  // namespace polypath::target
