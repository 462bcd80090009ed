// Controller properties: enabling, disabling, shutdown, and what a reset takes away.
#pragma once

#include "model/scene.h"

namespace polypath::model {

void start_registers(const trace::TraceHeader& header, State& state);
void on_register_write(const Scene& scene);
void on_register_read(const Scene& scene);
void on_function(const Scene& scene);

/// Was another controller of the subsystem reset or shut down at or after this moment?
bool peer_was_reset(const Scene& scene, Seq since);
/// CAP, as far as it was read: is the whole of it known?
inline bool cap_known(const Controller& c) { return c.cap_halves == 3; }
/// CAP.TO (or CRTO beyond it) as a time; 0 when it is not known.
Time ready_timeout(const Controller& c);

}  // namespace polypath::model
