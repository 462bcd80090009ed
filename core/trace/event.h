// What a run leaves behind. Boundary events are what an observer between host and controller can see; the
// reference model compiles against them and nothing else. Inside annotations are what only the simulator can
// know.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/time.h"

namespace polypath::trace {

using engine::Time;

/// Kinds of boundary events, with the meaning of BoundaryEvent's fields. Numbers are permanent (stored
/// traces).
///   controller   index of the controller in the trace header (0xFFFF: none)
///   queue, slot  queue identifier, and position in the ring
enum class Boundary : std::uint8_t {
  none = 0,
  register_write = 1,  ///< a offset, b access size in bytes, c value. Doorbells are sq_/cq_doorbell instead
  register_read = 2,   ///< a offset, b access size, c value returned
  sq_doorbell = 3,     ///< queue SQID; c value written; event_flag. Also for queues that do not exist
  cq_doorbell = 4,     ///< queue CQID; c value written
  /// A submission queue entry became visible to the controller (its tail doorbell follows at once in the
  /// trace). queue SQID, slot ring position (0xFFFFFFFF not observed), a CID, b = parts flags (Submitted::),
  /// payload: see SubmittedParts.
  submitted = 5,
  /// The controller read a submission queue entry. queue SQID, slot, a CID; payload: the 64 bytes as read,
  /// only when they differ from what `submitted` showed.
  fetched = 6,
  /// The controller accessed host memory for a command. queue SQID, a CID, b bytes, c address;
  /// flags: DmaFlags. One event per contiguous piece.
  dma = 7,
  /// A completion entry was written. queue CQID, slot ring position (0xFFFFFFFF: not in the ring, or not
  /// observed), a CQ entry's CID, b parts flags (Completed::), c CQE dword 0; payload: see CompletedParts.
  completed = 8,
  interrupt = 9,     ///< message or pin asserted: a vector
  vector_mask = 10,  ///< host masks (b 1) or unmasks (b 0) vector a
  /// An asynchronous event seen without its completion entry (partial recordings only): c CQE dword 0.
  async_event = 11,
  /// A host application's request to a multipath head or namespace. queue: host index, a request id,
  /// b opcode (NVM command set), c SLBA; payload: AppRequestPart, then one 64-bit digest per 512 bytes of
  /// data (writes).
  app_submit = 12,
  /// Its end. queue: host index, a request id, b errno (0 success); payload: digests of the data read.
  app_complete = 13,
  /// The whole function was reset or lost. a: FunctionEvent.
  function = 14,
  /// A decision of an administrator that changes the device outside any command. a AdminAction, b, c by
  /// action.
  administrator = 15,
};

enum class FunctionEvent : std::uint8_t {
  flr = 1,
  removed = 2,
  added = 3,
  power_cycle = 4,
  hot_reset = 5,
  fatal = 6
};

enum class AdminAction : std::uint8_t {
  zone_read_only = 1,  ///< media of the zone of LBA c of namespace b wear out
  zone_offline = 2,
};

/// Flags of BoundaryEvent.
namespace event_flag {
inline constexpr std::uint8_t dma_write = 1;  ///< dma: controller wrote host memory (else read)
inline constexpr std::uint8_t stray = 2;      ///< dma: the address lies in no memory of the host
/// sq_doorbell, cq_doorbell: the host wrote the Shadow Doorbell buffer, not the register. a: the EventIdx
/// that it found
inline constexpr std::uint8_t in_memory = 1;
}  // namespace event_flag

/// Parts that follow in the payload of `submitted`, in this order; the flags are in field b.
///   entry    64 bytes; always present. In partial recordings fields that were not seen are 0 and told by
///   flags. ranges   u32 count, u32 reserved, then {u64 address, u64 bytes} of the data buffer as its PRPs
///   describe it
///            (walked by the observer, not by the device)
///   digests  u32 count, u32 bytes that the last one covers, then one u64 per 512 bytes of host-to-controller
///   data data     u32 bytes, u32 reserved, then the bytes themselves (admin commands)
///   descriptors  u32 count, u32 reserved, then 16 bytes each: of the segments that SGL1 leads to, one after
///   the
///                other as far as they could be read, 1024 at most. Ranges are then those that the list
///                describes up to its end or its first unlawful descriptor; the address of a Bit Bucket is
///                kBitBucket
///   metadata  of commands for logical blocks that have some: MetadataPart, then for each block that is sent
///            BlockGuards and its metadata
namespace submitted_part {
inline constexpr std::uint32_t ranges = 1, digests = 2, data = 4;
inline constexpr std::uint32_t malformed_pointer = 8;  ///< the PRPs break a rule: no ranges
inline constexpr std::uint32_t no_data_pointer = 16;   ///< not observed: PRPs, MPTR are unknown
inline constexpr std::uint32_t no_tail_dwords =
    32;  ///< not observed: dwords that the entry shows as 0 are unknown
inline constexpr std::uint32_t descriptors = 64;
inline constexpr std::uint32_t metadata = 128;
}  // namespace submitted_part

inline constexpr std::uint64_t kBitBucket = std::uint64_t{1} << 63U;  ///< no memory reaches that far
inline constexpr std::size_t kMostDescriptors = 1024;

/// Parts that follow in the payload of `completed`, in this order; the flags are in field b.
///   entry    16 bytes; always present
///   digests  as above, of controller-to-host data as it lies in the host's buffer when the entry was written
///   data     as above (admin commands)
///   metadata as above
namespace completed_part {
inline constexpr std::uint32_t digests = 2, data = 4, metadata = 128;
inline constexpr std::uint32_t status_only =
    8;  ///< not observed: phase, SQHD; sqid and cid as the host knows them
}  // namespace completed_part

#pragma pack(push, 1)
/// Head of the part `metadata`.
struct MetadataPart {
  std::uint32_t blocks;
  std::uint16_t bytes;  ///< of metadata for each block: 0 where the command moves none
  std::uint16_t reserved;
  std::uint64_t address;  ///< of a buffer for metadata alone; 0 none
};
/// Guards of a block's data as they lie in the host's buffer, by each of the three polynomials.
struct BlockGuards {
  std::uint64_t bits64;
  std::uint32_t bits32;
  std::uint16_t bits16, reserved;
};
/// Payload head of app_submit.
struct AppRequestPart {
  std::uint32_t nsid;
  std::uint32_t blocks;
  std::uint32_t subsystem;  ///< index in the header
  std::uint32_t reserved;
};
#pragma pack(pop)
static_assert(sizeof(AppRequestPart) == 16 && sizeof(MetadataPart) == 16 && sizeof(BlockGuards) == 16);

inline constexpr std::uint32_t kUnknownSlot = 0xFFFFFFFF;
inline constexpr std::uint16_t kUnknownCntlid = 0xFFFF;  ///< no controller can have it
/// In place of a host's index.
inline constexpr std::uint16_t kNoHost = 0xFFFF, kUnknownHost = 0xFFFE;
inline constexpr std::uint16_t kNoController = 0xFFFF;

/// One boundary event. 56 bytes and a payload. When time was observed exactly, earliest == latest.
struct BoundaryEvent {
  Time earliest = 0, latest = 0;  ///< virtual ns
  std::uint64_t c = 0;
  std::uint32_t a = 0, b = 0;
  std::uint32_t slot = 0;
  std::uint32_t cause = 0;                              ///< program step that led to it, 0 unknown
  std::uint32_t payload_offset = 0, payload_bytes = 0;  ///< in the trace's payload area
  std::uint16_t controller = kNoController, queue = 0;
  Boundary kind = Boundary::none;
  std::uint8_t flags = 0;
  std::uint16_t reserved = 0;
};
static_assert(sizeof(BoundaryEvent) == 56);

/// Kinds of inside annotations. Numbers are permanent.
enum class Inside : std::uint8_t {
  none = 0,
  path_chosen = 1,    ///< host index a, head b, path c; value: request id
  path_failover = 2,  ///< host a, head b, path c; value: request id
  media_version = 3,  ///< namespace a, lba in value, version in c
  attachment = 4,     ///< controller a, nsid b, c 1 attached / 0 detached
  decision = 5,       ///< site a, choice b of c; value: cause
  step_begin = 6,     ///< step a
  step_end = 7,       ///< step a, b status (15 bits, Linux form) or errno
  fault_fired = 8,    ///< planted fault a
  requeued = 9,       ///< host a, head b; value: request id
  head_state = 10,    ///< host a, head b, c number of paths
};

struct InsideEvent {
  Time time = 0;
  std::uint64_t value = 0;
  std::uint32_t a = 0, b = 0, c = 0;
  std::uint32_t before = 0;  ///< index of the boundary event that comes next: merges the two streams
  std::uint32_t cause = 0;
  Inside kind = Inside::none;
  std::uint8_t reserved[3] = {};
};
static_assert(sizeof(InsideEvent) == 40);

}  // namespace polypath::trace
