// A trace: header (who was observed, and how completely), boundary events, inside annotations, payload bytes.
// Append-only; a running hash covers every boundary event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "engine/hash.h"
#include "spec/protection.h"
#include "trace/event.h"

namespace polypath::trace {

/// Which classes of boundary events were observed. Absence of an unobserved event proves nothing.
namespace observed {
inline constexpr std::uint32_t registers = 1, doorbells = 2, submissions = 4, fetches = 8, dma = 16,
                               completions = 32, interrupts = 64, data = 128, async_events = 256,
                               applications = 512;
inline constexpr std::uint32_t everything = 1023;
/// No kind of event: the function interrupts by pin, so that INTMS and INTMC mask vector 0 and no table does.
inline constexpr std::uint32_t pin = 1024;
}  // namespace observed

/// What the trace says of one controller before its first event.
struct ControllerHeader {
  std::string name;             ///< "nvme0"
  std::uint32_t subsystem = 0;  ///< index in TraceHeader::subsystems
  std::uint32_t observed = observed::everything;
  bool initial_state_known =
      true;  ///< true: as after power on (CC = 0, no queues); false: recording began in mid-life
  std::uint16_t cntlid = kUnknownCntlid;  ///< as the topology says it, so that attachments name somebody
  std::uint16_t host = kUnknownHost;      ///< whose path it is; kNoHost: raw drivers alone use it
  bool operator==(const ControllerHeader&) const = default;
};

/// A namespace as the topology announces it before the first event; only what a host could be told by a data
/// sheet.
struct NamespaceHeader {
  std::uint32_t subsystem = 0;
  std::uint32_t nsid = 0;
  std::uint64_t blocks = 0;         ///< logical blocks, 0 unknown
  std::uint32_t block_bytes = 512;  ///< logical block size
  bool shared = true;
  bool content_zero = true;  ///< unwritten blocks read as zeros (memory media); false: unknown (a file)
  std::vector<std::uint16_t> attached;  ///< controller indices; meaningful only if attachment_known
  bool attachment_known = true;
  spec::MetadataFormat metadata;
  bool operator==(const NamespaceHeader&) const = default;
};

struct TraceHeader {
  std::uint32_t format = 1;
  std::string source;   ///< "simulator", "ftrace", "qemu" ...
  std::string profile;  ///< "spec", "qemu-2021" ...; rules may be waived by name for a profile
  std::uint64_t seed = 0;
  std::vector<std::string> subsystems;  ///< NQN of each
  std::vector<ControllerHeader> controllers;
  std::vector<NamespaceHeader> namespaces;
  bool operator==(const TraceHeader&) const = default;
};

class Trace {
 public:
  TraceHeader header;

  /// Appends an event with its payload (given in parts, so that callers need no buffer of their own).
  void add(BoundaryEvent event, std::span<const std::byte> payload = {}) {
    begin(event);
    append(payload);
    commit();
  }

  // The same in pieces: begin, append any number of times, commit.
  void begin(const BoundaryEvent& event) {
    open_ = event;
    open_.payload_offset = static_cast<std::uint32_t>(payload_.size());
  }
  void append(std::span<const std::byte> part) { payload_.insert(payload_.end(), part.begin(), part.end()); }
  template <class T>
  void append_value(const T& value) {
    const auto offset = payload_.size();
    payload_.resize(offset + sizeof(T));
    std::memcpy(payload_.data() + offset, &value, sizeof(T));
  }
  void commit() {
    open_.payload_bytes = static_cast<std::uint32_t>(payload_.size() - open_.payload_offset);
    events_.push_back(open_);
  }

  void annotate(InsideEvent event) {
    event.before = static_cast<std::uint32_t>(events_.size());
    if (keep_inside_) inside_.push_back(event);
  }

  const std::vector<BoundaryEvent>& events() const { return events_; }
  const std::vector<InsideEvent>& inside() const { return inside_; }
  std::span<const std::byte> payload(const BoundaryEvent& event) const {
    return {payload_.data() + event.payload_offset, event.payload_bytes};
  }

  /// Hash of every boundary event so far, payloads included.
  std::uint64_t hash() const;

  /// Drops events and payload but keeps header and running hash: for endless runs whose monitor is up to
  /// date.
  void forget();
  /// Back to `events` boundary events (a snapshot's length); later ones are dropped and the hash recomputed
  /// by the caller's saved value.
  struct Mark {
    std::size_t events = 0, inside = 0, payload = 0;
    std::uint64_t hash = 0;
  };
  Mark mark() const { return {events_.size(), inside_.size(), payload_.size(), hash()}; }
  void rewind(const Mark& mark);

  void keep_inside(bool keep) { keep_inside_ = keep; }

  bool operator==(const Trace& other) const;

 private:
  std::vector<BoundaryEvent> events_;
  std::vector<InsideEvent> inside_;
  std::vector<std::byte> payload_;
  BoundaryEvent open_;
  // Nothing that was committed changes, so the hash is made when it is asked for: of the first events, kept.
  mutable std::uint64_t hash_ = engine::kHashSeed2;
  mutable std::size_t hashed_ = 0;
  bool keep_inside_ = true;
};

/// Reads the parts of a `submitted` or `completed` payload; see event.h. Spans point into the trace's
/// payload.
struct Parts {
  std::span<const std::byte> entry;    ///< 64 or 16 bytes
  std::span<const std::byte> ranges;   ///< {u64 address, u64 bytes} each
  std::span<const std::byte> digests;  ///< u64 each
  std::span<const std::byte> data;
  std::span<const std::byte> descriptors;  ///< 16 bytes each
  MetadataPart metadata{};
  std::span<const std::byte> blocks;  ///< metadata.bytes + sizeof(BlockGuards) for each block
};
/// Empty spans for parts that are absent. False when the payload is shorter than its flags say (a damaged
/// trace).
bool read_submitted(const Trace& trace, const BoundaryEvent& event, Parts& out);
bool read_completed(const Trace& trace, const BoundaryEvent& event, Parts& out);

}  // namespace polypath::trace
