// Sanitize: which commands it refuses, what it leaves of the namespaces, its log and its event. Base:
// Sanitize Operations.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_sanitize(const Scene& scene, const Command& command);
void end_sanitize(const Scene& scene, const Command& command, End end);
/// Statuses of the command itself.
void allow_sanitize(const Scene& scene, const Command& command, Allowed& allowed);

/// Statuses that an operation which goes on, or failed, gives any other command.
void allow_during_sanitize(const Scene& scene, const Command& command, Allowed& allowed);
/// What the status of a command tells of the operation.
void learn_sanitize(const Scene& scene, const Command& command, const Completion& completion);
/// May an operation have been in progress, or have failed, since this moment?
bool may_be_sanitized(const Sanitize& sanitize, Seq since);

/// A command that writes blocks began or ended; `written`: it surely did.
void count_write(const Scene& scene, const Command& command, int open, bool written);

void check_sanitize_log(const Scene& scene, const Command& command, std::span<const std::byte> data);
void judge_sanitize_event(const Scene& scene, std::uint8_t info, Seq requested);
/// After a Controller Level Reset.
void reset_sanitize(const Scene& scene);
/// At the end of the trace, and before a read of the log: was the end of an operation reported in time?
void finish_sanitize(const Scene& scene);

}  // namespace polypath::model
