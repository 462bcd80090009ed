// Format NVM: which namespaces it meets, and what is known of them afterwards.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_format(const Scene& scene, Command& command);
void end_format(const Scene& scene, const Command& command, End end, const Completion* completion);
void allow_format(const Scene& scene, const Command& command, Allowed& allowed);

/// May a Format have been under way in the namespace since this moment?
bool may_be_formatted(const Namespace& ns, Seq since);
/// The same for any namespace of the subsystem: what other commands may then end with.
void allow_during_format(const Scene& scene, const Command& command, Allowed& allowed);
/// A namespace that the model did not know is met by the Formats that are under way.
void meet_formats(const Scene& scene, std::uint32_t ns);

/// Identify Namespace: does it show the format that the last Format asked for? Then takes the formats in.
void check_format(const Scene& scene, const Command& command, Namespace& ns,
                  const spec::IdentifyNamespace& id);

}  // namespace polypath::model
