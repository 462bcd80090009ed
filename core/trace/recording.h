// What a tracer of a real host wrote down: commands with their completions, asynchronous events, marks. A
// recording sees less than a trace does (no payloads, no rings, no set-up that happened before it began) and
// says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/time.h"
#include "spec/queue_entry.h"

namespace polypath::trace {

inline constexpr std::uint16_t kNoDisk = 0xFFFF;

/// The block device that a command was sent for. "nvme0c1n2" is the path through controller 1 to head 2 of
/// subsystem 0; "nvme3n1" has no multipath head above it.
struct RecordedDisk {
  std::string name;
  std::uint32_t subsystem = 0;   ///< Linux's subsystem instance, the first number
  std::uint32_t head = 0;        ///< head instance, the number after n; no NSID
  std::uint32_t nsid = 0;        ///< of the first command for this disk
  std::uint16_t controller = 0;  ///< index in Recording::controllers
  bool path = false;             ///< has a c part: a multipath head sends to it
};

struct RecordedController {
  std::string name;            ///< "nvme0"
  std::uint32_t instance = 0;  ///< 0
};

/// One command as the driver set it up, and its completion when the recording shows one.
struct RecordedCommand {
  engine::Time time = 0;  ///< when the driver built the entry; the doorbell came later
  engine::Time completed_at =
      engine::kForever;         ///< when the driver saw the completion entry; it was written earlier
  spec::SubmissionEntry entry;  ///< as far as the text shows it; no pointers
  std::uint64_t result = 0;     ///< completion dword 0 (and 1)
  std::uint32_t line = 0, completed_line = 0;  ///< of the recording
  std::uint16_t controller = 0;                ///< index in Recording::controllers
  std::uint16_t queue = 0;
  std::uint16_t status = 0;        ///< 15 bits, DNR is 0x4000
  std::uint16_t disk = kNoDisk;    ///< index in Recording::disks
  std::uint16_t retries = 0;       ///< how often the host had retried it before
  bool tail_dwords_shown = false;  ///< true: the text shows CDW10..15 whole

  bool completed() const { return completed_at != engine::kForever; }
  /// Ended by the host itself (Host Pathing Error, Command Aborted By Host): the controller wrote no such
  /// entry.
  bool ended_by_host() const {
    const auto code = spec::status_of(status);
    return completed() && (code == spec::Status::host_pathing_error || code == spec::Status::aborted_by_host);
  }
  /// Linux's request tag. The four bits above it count how often the tag was reused.
  std::uint16_t tag() const { return entry.cid & 0xFFFU; }
};

struct RecordedEvent {
  engine::Time time = 0;
  std::uint32_t dword = 0;  ///< completion dword 0 of the Asynchronous Event Request
  std::uint32_t line = 0;
  std::uint16_t controller = 0;
};

struct RecordedMark {
  engine::Time time = 0;
  std::string text;
};

/// A line that says something of NVMe which found no place, and why.
struct UnmatchedLine {
  std::uint32_t line = 0;
  std::string reason;
};

struct Recording {
  std::string name;                             ///< file name, for messages
  std::vector<RecordedController> controllers;  ///< ascending by instance
  std::vector<RecordedDisk> disks;              ///< in order of first appearance
  std::vector<RecordedCommand> commands;        ///< by time
  std::vector<RecordedEvent> events;            ///< by time
  std::vector<RecordedMark> marks;              ///< by time

  std::uint64_t lines = 0;        ///< of text
  std::uint64_t block_lines = 0;  ///< of the block layer: counted only
  std::uint64_t queue_lines = 0;  ///< nvme_sq, the driver's view of head and tail: counted only
  std::uint64_t other_lines = 0;  ///< of other tracers: counted only
  std::uint64_t lost_events = 0;  ///< that the tracer says it dropped
  std::uint64_t unmatched_lines = 0;
  std::vector<UnmatchedLine> unmatched;  ///< the first of them
  engine::Time first_time = 0, last_time = 0;

  std::uint64_t completions() const {
    std::uint64_t count = 0;
    for (const auto& command : commands) count += command.completed() ? 1 : 0;
    return count;
  }
};

}  // namespace polypath::trace
