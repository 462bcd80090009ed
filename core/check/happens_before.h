// The happens-before graph of a trace as a graph: ancestors, and what is left of them when most are left out.
#pragma once

#include <cstdint>
#include <vector>

#include "check/causes.h"

namespace polypath::check {

/// Events from which one of `targets` can be reached, the targets included, ascending.
std::vector<std::uint64_t> ancestors(std::size_t events, const std::vector<Edge>& edges,
                                     const std::vector<std::uint64_t>& targets);

struct Ordered {
  std::uint64_t event = 0;
  std::vector<std::uint64_t> after;  ///< those of the kept events that came right before it, ascending
};

/// The kept events alone, each with its direct predecessors: an edge where a path leads from one to the
/// other, without those that follow from others (transitive reduction). In an order that the edges allow, by
/// number where they leave it open. `kept` is ascending.
std::vector<Ordered> order_of(std::size_t events, const std::vector<Edge>& edges,
                              const std::vector<std::uint64_t>& kept);

}  // namespace polypath::check
