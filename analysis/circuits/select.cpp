// Top, greedy and threshold choice of edges, and pruning.
#include "analysis/circuits/select.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <random>

namespace varve {
namespace {

double strength(float score, EdgeRank rank) {
  return rank == EdgeRank::magnitude ? std::abs(static_cast<double>(score)) : static_cast<double>(score);
}

std::vector<int64_t> real_edges(const CircuitGraph& graph) {
  std::vector<int64_t> all;
  for (int64_t source = 0; source < graph.sources(); ++source)
    for (int64_t destination = 0; destination < graph.destinations(); ++destination)
      if (graph.has_edge(source, destination)) all.push_back(source * graph.destinations() + destination);
  return all;
}

void put(EdgeSet& edges, int64_t flat) {
  edges.set(flat / edges.graph().destinations(), flat % edges.graph().destinations(), 1);
}

}  // namespace

EdgeSet top_edges(const CircuitGraph& graph, const std::vector<float>& scores, int64_t count, EdgeRank rank) {
  std::vector<int64_t> order = real_edges(graph);
  std::stable_sort(order.begin(), order.end(), [&](int64_t one, int64_t other) {
    return strength(scores[static_cast<size_t>(one)], rank) >
           strength(scores[static_cast<size_t>(other)], rank);
  });
  EdgeSet edges(graph);
  for (int64_t i = 0; i < std::min<int64_t>(count, static_cast<int64_t>(order.size())); ++i)
    put(edges, order[static_cast<size_t>(i)]);
  return edges;
}

EdgeSet greedy_edges(const CircuitGraph& graph, const std::vector<float>& scores, int64_t count,
                     EdgeRank rank) {
  struct Waiting {
    double strength;
    int64_t flat;
    bool operator<(const Waiting& other) const {
      return strength != other.strength ? strength < other.strength : flat > other.flat;
    }
  };
  std::priority_queue<Waiting> queue;
  const auto push_inputs = [&](int64_t destination) {
    for (int64_t source = 0; source < graph.sources_of(destination); ++source) {
      const int64_t flat = source * graph.destinations() + destination;
      queue.push({strength(scores[static_cast<size_t>(flat)], rank), flat});
    }
  };
  std::vector<bool> in(static_cast<size_t>(graph.sources()), false);
  push_inputs(graph.logits());
  EdgeSet edges(graph);
  for (int64_t taken = 0; taken < count && !queue.empty(); ++taken) {
    const int64_t flat = queue.top().flat, source = flat / graph.destinations();
    queue.pop();
    put(edges, flat);
    if (in[static_cast<size_t>(source)]) continue;
    in[static_cast<size_t>(source)] = true;
    for (int64_t destination = 0; destination + 1 < graph.destinations(); ++destination)
      if (graph.node_of(destination) == source) push_inputs(destination);
  }
  return edges;
}

EdgeSet edges_from(const CircuitGraph& graph, const std::vector<float>& scores, double threshold,
                   EdgeRank rank) {
  EdgeSet edges(graph);
  for (const int64_t flat : real_edges(graph))
    if (strength(scores[static_cast<size_t>(flat)], rank) >= threshold) put(edges, flat);
  return edges;
}

EdgeSet pruned(EdgeSet edges) {
  const CircuitGraph graph = edges.graph();
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<bool> reached(static_cast<size_t>(graph.sources()), false), reaches = reached;
    for (int64_t source = 0; source < graph.sources(); ++source)
      for (int64_t destination = 0; destination < graph.destinations(); ++destination) {
        if (!edges.has(source, destination)) continue;
        reaches[static_cast<size_t>(source)] = true;
        if (const int64_t node = graph.node_of(destination); node >= 0)
          reached[static_cast<size_t>(node)] = true;
      }
    reached[0] = true;
    for (int64_t source = 0; source < graph.sources(); ++source)
      for (int64_t destination = 0; destination < graph.destinations(); ++destination) {
        if (!edges.has(source, destination)) continue;
        const int64_t node = graph.node_of(destination);
        const bool leads_on = node < 0 || reaches[static_cast<size_t>(node)];
        if (reached[static_cast<size_t>(source)] && leads_on) continue;
        edges.set(source, destination, 0);
        changed = true;
      }
  }
  return edges;
}

EdgeSet random_edges(const CircuitGraph& graph, int64_t count, uint64_t seed) {
  std::vector<int64_t> order = real_edges(graph);
  std::mt19937_64 bits(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[bits() % i]);
  EdgeSet edges(graph);
  for (int64_t i = 0; i < std::min<int64_t>(count, static_cast<int64_t>(order.size())); ++i)
    put(edges, order[static_cast<size_t>(i)]);
  return edges;
}

std::vector<uint8_t> heads_of(const EdgeSet& edges) {
  const CircuitGraph& graph = edges.graph();
  std::vector<uint8_t> heads;
  for (int64_t layer = 0; layer < graph.layers; ++layer)
    for (int64_t head = 0; head < graph.heads; ++head) {
      uint8_t in = 0;
      for (int64_t destination = 0; destination < graph.destinations() && in == 0; ++destination)
        in = edges.has(graph.head(layer, head), destination) ? 1 : 0;
      heads.push_back(in);
    }
  return heads;
}

}  // namespace varve
