// The status oracle: which statuses a command may end with, from its opcode and what was true in its window.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// Compares the status of a completion with the allowed ones. Called before the command's effects are taken
/// in.
void judge_status(const Scene& scene, const Command& command, const Completion& completion);

/// Statuses of an Admin command, of an I/O command (without those that any command may have).
void allow_admin(const Scene& scene, const Command& command, Allowed& allowed);
void allow_io(const Scene& scene, const Command& command, Allowed& allowed);
/// Rule that an error breaks which nothing explains.
Rule rule_of_refusal_io(const Command& command, spec::Status status);
Rule rule_of_refusal_admin(const Scene& scene, const Command& command, spec::Status status);

/// Data beyond MDTS, as the controller announced it.
bool exceeds_mdts(const Controller& c, std::uint64_t bytes);

}  // namespace polypath::model
