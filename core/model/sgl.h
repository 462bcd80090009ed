// Scatter Gather Lists: what a controller may say of the list that a command came with.
#pragma once

#include "model/allowed.h"
#include "model/scene.h"

namespace polypath::model {

/// Is the command's data pointer an SGL that a controller of the memory-based transport may take?
bool by_sgl(const Command& command);
/// Statuses that the command's list allows or asks for, by its descriptors and what the controller announced.
void allow_sgl(const Scene& scene, const Command& command, Allowed& allowed);
/// A status that a controller gives when it refuses a list, maybe after a part of the data was moved.
bool is_sgl_error(spec::Status status);

}  // namespace polypath::model
