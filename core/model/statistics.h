// How much every rule had to do, added up over runs.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "model/findings.h"

namespace polypath::model {

using Statistics = std::array<RuleStatistics, kRules>;  ///< in the order of rules()

inline void add(Statistics& sum, std::span<const RuleStatistics> more) {
  for (std::size_t i = 0; i < sum.size() && i < more.size(); ++i) {
    sum[i].exercised += more[i].exercised;
    sum[i].violations += more[i].violations;
    sum[i].inconclusive += more[i].inconclusive;
    sum[i].waived += more[i].waived;
    sum[i].sets += more[i].sets;
    sum[i].set_sizes += more[i].set_sizes;
  }
}

}  // namespace polypath::model
