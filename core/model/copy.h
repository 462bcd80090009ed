// Copy: blocks that other blocks of the namespace gave, source by source. NVM command set, "Copy command".
#pragma once

#include <span>

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

/// A Copy was submitted with this list of sources. Its namespace is known.
void begin_copy(const Scene& scene, Command& command, std::span<const std::byte> data);
/// A Copy that was followed has ended: the blocks of the sources before the one that it names hold what their
/// source held in its time; of the others nothing is known but that no more is written.
void end_copy(const Scene& scene, const Command& command, const Completion& completion, Namespace& ns);
/// `ns` is null where nobody knows the namespace. In which order the checks are made is open.
void allow_copy(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed);

}  // namespace polypath::model
