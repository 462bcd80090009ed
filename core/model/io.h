// I/O commands: namespace, range, and what they read, write and compare.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// No command that is followed has more blocks.
inline constexpr std::uint32_t kBlocksMax = 65536;

/// How a write that ended with this error ended: refused by a check before execution, or failed.
WriteEnd end_of(spec::Status status);

/// `digests` of the blocks that it sends, `data` of the list that it sends.
/// Metadata that came with what a command read; none for an application.
struct Shown {
  const Command* command = nullptr;
  trace::MetadataPart metadata{};
  std::span<const std::byte> blocks;
};
void begin_io(const Scene& scene, Command& command, const trace::Parts& parts);
void finish_io(const Scene& scene, Command& command, const Completion& completion);
/// The command ends without completion. `at_once`: its write may take effect until settle_limbo.
void drop_io(const Scene& scene, Command& command, bool at_once);
/// No write lost in this controller's reset takes effect any more.
void settle_limbo(const Scene& scene);

/// Ends a command's part of the blocks that it writes.
void end_write(const Scene& scene, Command& command, WriteEnd how);
/// Another command may put something else into the buffer of an open write, so what it writes is not known.
void doubt_written(const Scene& scene, const Command& command);
/// Writes of this controller to the namespace, not ended yet, have no effect from now on (detach, by own
/// convention).
void settle_writes(const Scene& scene, std::uint16_t controller, std::uint32_t ns, Seq since);
/// Is it known which namespace the command met, and the size of its blocks? How much data it moves depends on
/// it.
bool block_size_sure(const Scene& scene, const Command& command);
/// Is a write to this namespace under way?
bool writes_open(const State& state, std::uint32_t ns);

/// Checks data read by a command or an application (`what` names it) that began at `since`. False when it was
/// not judged.
bool check_read(const Scene& scene, std::uint32_t index, std::uint64_t slba,
                std::span<const std::byte> digests, Seq since, const std::string& what, bool application,
                const Shown& shown = {});

}  // namespace polypath::model
