// Choosing a circuit from edge scores, and drawing the line under it.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/circuits/circuit_run.h"

namespace varve {

// By the size of scores, or by the scores themselves, largest first.
enum class EdgeRank { magnitude, value };

// scores [source * destinations + destination]. Ties go to the earlier edge.
EdgeSet top_edges(const CircuitGraph& graph, const std::vector<float>& scores, int64_t count, EdgeRank rank);
// From logits backwards: again and again the best edge into a part that is already in.
EdgeSet greedy_edges(const CircuitGraph& graph, const std::vector<float>& scores, int64_t count,
                     EdgeRank rank);
EdgeSet edges_from(const CircuitGraph& graph, const std::vector<float>& scores, double threshold,
                   EdgeRank rank);
// Without parts that nothing reaches or that reach nothing, until none is left.
EdgeSet pruned(EdgeSet edges);
// Any `count` edges, for comparison.
EdgeSet random_edges(const CircuitGraph& graph, int64_t count, uint64_t seed);

// [layer * heads + head]: 1 where an edge leaves the head.
std::vector<uint8_t> heads_of(const EdgeSet& edges);

}  // namespace varve
