// The Keep Alive timer: when it may run out, and when it must have. Base: Keep Alive.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

/// Keep Alive and Set Features with FID 0Fh.
bool keeps_alive(const Command& command);
void begin_keep_alive(const Scene& scene, const Command& command);
void end_keep_alive(const Scene& scene, const Command& command, End end);
/// Get Features showed the timeout in force.
void learn_keep_alive(const Scene& scene, std::uint32_t milliseconds);
/// After a Controller Level Reset it is off, on this transport.
void reset_keep_alive(const Scene& scene);

/// KATO as the controller rounds it, 0 where that is not known.
std::uint32_t rounded_keep_alive(const Scene& scene, std::uint32_t kato);

/// Need the controller do nothing any more: it is fatal, or the timer may have run out?
bool may_have_stopped(const Controller& c, Time time);
/// It completed a command, or a read of CSTS showed `fatal`.
void judge_keep_alive(const Scene& scene, bool fatal);

}  // namespace polypath::model
