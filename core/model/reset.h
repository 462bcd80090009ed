// Controller Level Resets: what they end, and when.
#pragma once

#include "model/scene.h"

namespace polypath::model {

/// EN became 0, or the function was reset: from here until RDY = 0 is visible, commands may still end or be
/// dropped.
void begin_reset(const Scene& scene);
/// RDY = 0 is visible: nothing of before can happen any more.
void end_reset(const Scene& scene);
/// The host broke the handshake of EN and RDY, which leaves the controller undefined: what is known of it is
/// given up until a reset that the host waits for.
void forget_controller(const Scene& scene);
/// Communication is lost at once: no command completes any more, though its effect may still come until
/// end_reset.
void lose_commands(const Scene& scene);
/// A reset of the whole function: commands are lost at once, and no property is kept.
void lose_function(const Scene& scene);
/// NVM Subsystem Reset: every controller of the subsystem.
void reset_subsystem(const Scene& scene);
/// NVM Subsystem Reset, should the controller have it: CAP was never read.
void doubt_subsystem(const Scene& scene);
/// The other controllers of the subsystem must not notice: counts those that could.
void count_peers(const Scene& scene);

}  // namespace polypath::model
