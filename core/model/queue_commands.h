// Create and Delete I/O Submission and Completion Queue.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

void begin_queue_command(const Scene& scene, Command& command);
void end_queue_command(const Scene& scene, Command& command, End end);
void allow_queue_command(const Scene& scene, const Command& command, Allowed& allowed);

}  // namespace polypath::model
