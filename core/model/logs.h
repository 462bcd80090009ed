// Get Log Page: what reading clears, and what the logs say.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

void begin_log_read(const Scene& scene, const Command& command);
void end_log_read(const Scene& scene, const Command& command, bool success);
void check_log(const Scene& scene, const Command& command, std::span<const std::byte> data);
void allow_log(const Scene& scene, const Command& command, Allowed& allowed);

}  // namespace polypath::model
