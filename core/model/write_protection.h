// Namespace Write Protection: one state for all controllers. Base specification, "Namespace Write
// Protection"; sheet 04, section 3 (feature 84h), and sheet 05, section 7.
#pragma once

#include "model/admin.h"
#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// Set Features of 84h was submitted, and ended.
void begin_protection(const Scene& scene, Command& command);
void end_protection(const Scene& scene, const Command& command, End end);
/// What Get Features shows of it, and Identify (NSATTR).
void check_protection(const Scene& scene, const Command& command, std::uint32_t dw0);
void observe_protection(const Scene& scene, const Command& command, Namespace& ns, bool on);
/// Statuses of Set and Get Features that are of this feature alone.
void allow_protection(const Scene& scene, const Command& command, bool set, Allowed& allowed);
/// Statuses of a command that would change this namespace; kNone: of one that is not known.
void allow_change(const Scene& scene, const Command& command, std::uint32_t ns, Allowed& allowed);
/// The same of a command that would change any of the subsystem's.
void allow_change_of_any(const Scene& scene, const Command& command, Allowed& allowed);
/// Power was lost: a protection until then is over.
void protection_after_power_loss(const Scene& scene, Namespace& ns);

}  // namespace polypath::model
