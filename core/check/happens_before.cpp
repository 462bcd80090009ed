// The one place that compiles Boost.Graph.
#include "check/happens_before.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/transitive_reduction.hpp>
#include <map>
#include <utility>

namespace polypath::check {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;
using Vertex = boost::graph_traits<Graph>::vertex_descriptor;

Graph make_graph(std::size_t events, const std::vector<Edge>& edges) {
  Graph graph(events);
  for (const Edge& edge : edges) boost::add_edge(edge.from, edge.to, graph);
  return graph;
}

struct Reached : boost::default_bfs_visitor {
  explicit Reached(std::vector<std::uint64_t>& to) : out(&to) {}
  template <class G>
  void discover_vertex(Vertex vertex, const G&) {
    out->push_back(vertex);
  }
  std::vector<std::uint64_t>* out;
};

template <class G>
std::vector<std::uint64_t> reached_from(const G& graph, Vertex from) {
  std::vector<std::uint64_t> out;
  boost::breadth_first_search(graph, from, boost::visitor(Reached(out)));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<std::uint64_t> ancestors(std::size_t events, const std::vector<Edge>& edges,
                                     const std::vector<std::uint64_t>& targets) {
  const Graph graph = make_graph(events, edges);
  const auto backwards = boost::make_reverse_graph(graph);
  std::vector<std::uint64_t> out;
  for (const std::uint64_t target : targets) {
    if (target >= events || std::binary_search(out.begin(), out.end(), target)) continue;
    const auto found = reached_from(backwards, target);
    std::vector<std::uint64_t> both;
    std::set_union(out.begin(), out.end(), found.begin(), found.end(), std::back_inserter(both));
    out = std::move(both);
  }
  return out;
}

std::vector<Ordered> order_of(std::size_t events, const std::vector<Edge>& edges,
                              const std::vector<std::uint64_t>& kept) {
  const Graph graph = make_graph(events, edges);
  Graph closure(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto reached = reached_from(graph, kept[i]);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      if (k != i && std::binary_search(reached.begin(), reached.end(), kept[k]))
        boost::add_edge(i, k, closure);
    }
  }
  Graph reduced;
  std::map<Vertex, Vertex> place;  // of a vertex of the closure in the reduction
  boost::associative_property_map<std::map<Vertex, Vertex>> places(place);
  boost::transitive_reduction(closure, reduced, places, boost::get(boost::vertex_index, closure));
  std::map<Vertex, std::size_t> back;
  for (const auto& [from, to] : place) back[to] = from;
  std::vector<Ordered> out(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) out[i].event = kept[i];
  const auto [first, last] = boost::edges(reduced);
  for (auto edge = first; edge != last; ++edge) {
    const std::size_t from = back[boost::source(*edge, reduced)], to = back[boost::target(*edge, reduced)];
    out[to].after.push_back(kept[from]);
  }
  // Every edge leads from a smaller number to a greater one, so the order of numbers is one that they allow.
  for (Ordered& row : out) std::sort(row.after.begin(), row.after.end());
  return out;
}

}  // namespace polypath::check
