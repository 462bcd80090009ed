// Fused Compare and Write: which commands are a pair, how they may end, and that nothing gets between them.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// A command was submitted: with the one before it in its queue it may be a pair.
void begin_fused(const Scene& scene, std::uint32_t index);
/// The statuses that FUSE allows a command of an I/O queue.
void allow_fused(const Scene& scene, const Command& command, Allowed& allowed);
/// A command of an I/O queue completed. `ns`: its namespace, if it is surely the one.
void finish_fused(const Scene& scene, const Command& command, const Completion& completion,
                  const Namespace* ns);

}  // namespace polypath::model
