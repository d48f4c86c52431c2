// Samples flowing through columns of nodes: how many go from one to the next, in an order of nodes with few
// crossings.
#pragma once

#include <cstdint>
#include <vector>

namespace varve {

// Node `other` holds all that is not among the largest of its column.
inline constexpr int64_t other_node = -2;

struct FlowNode {
  int64_t item = 0;             // what the samples share there, or other_node
  std::vector<int64_t> counts;  // samples of each group
  int64_t total = 0;
};
struct FlowRibbon {
  int64_t from = 0, to = 0, group = 0, count = 0;  // places in their columns' nodes
};
struct Alluvium {
  std::vector<std::vector<FlowNode>> columns;  // nodes in drawing order, top first
  std::vector<std::vector<FlowRibbon>>
      ribbons;  // between a column and the next; by group, then from, then to
  int64_t samples = 0;
  int64_t crossings = 0;  // pairs of samples that cross between two columns
};

// items [column, sample], negative: the sample is not there; groups [sample] from 0. The `most` largest nodes
// of a column are kept, the rest is other_node and lies last.
Alluvium alluvium_of(const std::vector<std::vector<int64_t>>& items, const std::vector<int64_t>& groups,
                     int64_t group_count, int64_t most);

}  // namespace varve
