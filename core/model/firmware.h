// Firmware Image Download and Firmware Commit: the slots of a subsystem, and which image runs. Base: Firmware
// Update Process.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_commit(const Scene& scene, const Command& command);
/// `completion` null: dropped.
void end_commit(const Scene& scene, const Command& command, End end, const Completion* completion);
void allow_commit(const Scene& scene, const Command& command, Allowed& allowed);
void allow_download(const Scene& scene, const Command& command, Allowed& allowed);
/// May an image wait for a reset, for a command submitted at `since`?
bool may_be_pending(const Firmware& firmware, Seq since);

/// A Controller Level Reset began, and is over.
void begin_reset_firmware(const Scene& scene);
void reset_firmware(const Scene& scene);

void check_firmware_log(const Scene& scene, const Command& command, std::span<const std::byte> data);
/// Identify Controller showed this revision.
void check_revision(const Scene& scene, const Command& command, std::span<const char> revision);
void judge_firmware_event(const Scene& scene);
/// CSTS.PP was read as 1.
void judge_pause(const Scene& scene);

}  // namespace polypath::model
