// What a picture of a circuit shows: its nodes, the strongest edges, and how they differ from another step's.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "viz/pick.h"
#include "viz/view.h"

namespace varve {

struct CircuitOptions {
  std::string array, at;
  int64_t size = 40, before = -1;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "scores of edges along src and dst; empty: scores");
    visit("size", size, "how many edges are drawn, the strongest by |score|", Range{1, 2000});
    visit("before", before, "index of a step to set the shown one against; -1: none", Range{-1, 1e9});
    visit("at", at, "what to show of the other axes, as in step=3; else what is selected");
  }
};

inline constexpr int64_t circuit_input = -1, circuit_mlp = -1;

// A place in the graph; what several inputs of one head receive ends in the same node.
struct CircuitNode {
  int64_t row = 0, column = circuit_mlp;  // row: layer, circuit_input, or the number of layers for logits
  auto operator<=>(const CircuitNode&) const = default;
};

inline constexpr int64_t circuit_logits = 100'000;

enum class EdgeSide { both, now, before };
struct CircuitEdge {
  int64_t source = 0, destination = 0;
  double score = 0, before = 0;
  EdgeSide side = EdgeSide::both;
};

struct CircuitScene {
  std::string name, unit;
  Places fixed;
  std::vector<CircuitNode> sources, destinations;
  std::vector<std::string> source_names, destination_names;
  std::vector<CircuitEdge> edges;  // weakest first
  std::set<CircuitNode> all, used;
  int64_t layers = 0, heads = 0, there = 0;
  double largest = 0;
  bool compares = false;
  std::string compared;
};

std::string node_label(const CircuitNode& node);  // "L2H3", "m3"
bool has_circuit(const Dataset& data);
CircuitScene circuit_scene(const Dataset& data, const CircuitOptions& options, const Selection& selection);

}  // namespace varve
