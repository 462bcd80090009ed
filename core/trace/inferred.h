// What a recording implies but does not say: which controllers form a subsystem, which namespaces they reach,
// and which controllers a Namespace Attachment named. Every conclusion comes with a sentence, so that a
// person can object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trace/recording.h"

namespace polypath::trace {

/// The controllers that a recorded Namespace Attachment named (its list was in host memory, which nobody
/// recorded).
struct InferredAttachment {
  std::size_t command = 0;                 ///< index in Recording::commands
  bool attach = false;                     ///< SEL 0; detach is SEL 1
  std::vector<std::uint16_t> controllers;  ///< ascending
  std::string sentence;
};

struct InferredNamespace {
  std::uint32_t subsystem = 0;  ///< index, see InferredTopology
  std::uint32_t nsid = 0;
  std::uint64_t blocks_seen = 0;  ///< one more than the highest block that an I/O reached, 0 none
  bool shared = false;
  std::vector<std::uint16_t> seen_on;  ///< controllers that reached it at any time, ascending
  std::vector<std::uint16_t>
      attached_at_start;  ///< those of them that no recorded attach command brought, ascending
};

struct InferredTopology {
  std::uint32_t subsystems = 0;
  std::vector<std::uint32_t> subsystem_of;    ///< by controller index; numbered by their lowest controller
  std::vector<InferredNamespace> namespaces;  ///< ascending by (subsystem, nsid)
  std::vector<std::string> sentences;
};

/// From which controllers reported a namespace event after each command, up to the next such command or one
/// second.
std::vector<InferredAttachment> infer_attachments(const Recording& recording);

/// From disk names ("nvme0c1n1": a path through controller 1 to a head of subsystem 0), successful Identify
/// commands and attachments.
InferredTopology infer_topology(const Recording& recording,
                                const std::vector<InferredAttachment>& attachments);

/// "a", "a and b", "a, b and c".
std::string list_text(const std::vector<std::string>& names);
/// Seconds with microseconds as the recording prints them, "32.742384".
std::string seconds_text(engine::Time time);

}  // namespace polypath::trace
