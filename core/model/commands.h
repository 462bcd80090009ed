// Commands from submission to completion: identity, data transfer, and which part of the model judges them.
#pragma once

#include <cstdint>
#include <span>

#include "model/allowed.h"
#include "model/scene.h"

namespace polypath::model {

/// How a command ended, for its effects. `dropped`: it may have had them or not.
enum class End : std::uint8_t { applied, refused, dropped };

/// A completion entry with what follows it in the trace.
struct Completion {
  spec::CompletionEntry entry;
  std::span<const std::byte> digests, data;
  trace::MetadataPart metadata{};
  std::span<const std::byte> blocks;  ///< of that part
  bool status_only = false;
  bool trusted = true;  ///< the buffer was this command's alone

  spec::Status status() const { return entry.status(); }
  bool success() const { return entry.status() == spec::Status::success; }
};

void on_submitted(const Scene& scene);
void on_completed(const Scene& scene);
void on_dma(const Scene& scene);

/// A reset ends the command without completion. `at_once`: it may still take effect until the reset is over.
void drop_command(const Scene& scene, std::uint32_t index, bool at_once);

/// The controller read another entry than was submitted (the host wrote over it): that one is the command.
void replace_command(const Scene& scene, std::uint32_t index, const spec::SubmissionEntry& entry);
/// An entry of a doubtful queue was fetched whose submission nobody saw: it is a command from now on.
void adopt_command(const Scene& scene, const spec::SubmissionEntry& entry);

/// Open commands with this identifier: the oldest one, null when there is none.
Command* find_command(Controller& c, std::uint16_t sqid, std::uint16_t cid);

/// The pieces of its buffer, in the order of its data.
std::span<const Range> ranges_of(const Scene& scene, const Command& command);

/// The detail of a command; makes one.
Detail& edit_detail(const Scene& scene, Command& command);

/// Commands that never ended, at the end of the trace.
void finish_commands(const Scene& scene);

}  // namespace polypath::model
