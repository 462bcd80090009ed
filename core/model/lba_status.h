// Get LBA Status: which blocks it lists. NVM command set, "Get LBA Status command".
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_lba_status(const Scene& scene, Command& command);
void end_lba_status(const Scene& scene, const Command& command);
void allow_lba_status(const Scene& scene, const Command& command, Allowed& allowed);
void check_lba_status(const Scene& scene, const Command& command, std::span<const std::byte> data);

}  // namespace polypath::model
