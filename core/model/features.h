// Set and Get Features.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"

namespace polypath::model {

void begin_set_features(const Scene& scene, Command& command, std::span<const std::byte> data);
void end_set_features(const Scene& scene, Command& command, End end, const Completion* completion);
void check_get_features(const Scene& scene, const Command& command, const Completion& completion);
void check_feature_effects(const Scene& scene, const Command& command, std::span<const std::byte> data);
void allow_features(const Scene& scene, const Command& command, Allowed& allowed);
/// After a Controller Level Reset: saved values, else defaults.
/// May the number of queues that is allocated have changed since?
bool queue_counts_doubtful(const Controller& c, Seq since);
void reset_features(const Scene& scene);

}  // namespace polypath::model
