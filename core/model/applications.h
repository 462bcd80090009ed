// Requests of host applications: each ends once, with data that fit, and not with an error while a good path
// exists.
#pragma once

#include "model/scene.h"

namespace polypath::model {

void on_app_submit(const Scene& scene);
void on_app_complete(const Scene& scene);
/// The namespace turned out to be attached to the controller: errors of applications that this path would
/// have spared.
void path_was_good(const Scene& scene, std::uint32_t ns, std::uint16_t controller);
void finish_applications(const Scene& scene);

}  // namespace polypath::model
