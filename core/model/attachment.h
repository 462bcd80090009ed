// Namespace Attachment and Namespace Management: what they may change, when, and whom it concerns.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

void begin_attachment(const Scene& scene, Command& command, std::span<const std::byte> data);
void end_attachment(const Scene& scene, Command& command, End end, const Completion* completion);
void allow_attachment(const Scene& scene, const Command& command, Allowed& allowed);

void begin_management(const Scene& scene, Command& command, std::span<const std::byte> data);
void end_management(const Scene& scene, Command& command, End end, const Completion* completion);
/// Creates that are under way may give this one's identifier, and deletes of all namespaces take it away.
void meet_open_commands(const Scene& scene, std::uint32_t index);
/// There may be namespaces now, or soon, that were not known: commands under way that name one may change it.
void bind_open_commands(const Scene& scene);
void allow_management(const Scene& scene, const Command& command, Allowed& allowed);

}  // namespace polypath::model
