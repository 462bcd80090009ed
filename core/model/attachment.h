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
/// The subsystem may hold namespaces that nobody knows of: commands under way that name one are bound to it.
void bind_to_unknown(const Scene& scene);
void allow_management(const Scene& scene, const Command& command, Allowed& allowed);

}  // namespace polypath::model
