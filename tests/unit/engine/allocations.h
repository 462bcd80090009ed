// Counts of this program's allocations, so that tests can say "no allocation" and "all of it given back".
#pragma once

#include <cstdint>

namespace polypath::engine {

struct Allocations {
  std::uint64_t made = 0;
  std::int64_t outstanding = 0;
};

Allocations allocations();

}  // namespace polypath::engine
