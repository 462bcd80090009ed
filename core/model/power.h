// What a power loss leaves of what was written. NVM command set specification, "Volatile Write Cache".
#pragma once

#include "model/commands.h"

namespace polypath::model {

/// Does power loss leave what this command writes, because it says so (FUA) or because there is no cache?
bool writes_through(const Scene& scene, const Command& command);
/// A Flush succeeded: what its controller had completed before it is durable.
void finish_flush(const Scene& scene, const Command& command);
/// Power was lost in the subsystem of the controller at hand. What has to be durable keeps its value.
void lose_power(const Scene& scene);
/// The rule that says that this version had to outlive the power loss after it.
Rule rule_of_loss(const Scene& scene, const Namespace& ns, const Version& version);

}  // namespace polypath::model
