// How much the conformance suite asks of every rule of the model.
#pragma once

#include <span>
#include <string_view>

#include "conform/suite.h"
#include "model/statistics.h"

namespace polypath::conform {

/// Of all cases on the simulator, on a sound device.
model::Statistics exercise(const Suite& suite);

/// A rule that the suite exercises in no profile.
struct IdleRule {
  std::string_view id, reason;
};
std::span<const IdleRule> idle_rules();

}  // namespace polypath::conform
