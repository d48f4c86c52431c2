// Numbering and names of sources and destinations.
#include "analysis/circuits/graph.h"

#include "analysis/core/error.h"

namespace varve {

int64_t CircuitGraph::sources_of(int64_t destination) const {
  if (destination == logits()) return sources();
  const int64_t layer = destination / (3 * heads + 1), before = 1 + layer * (heads + 1);
  const bool is_mlp = destination % (3 * heads + 1) == 3 * heads;
  return is_mlp && !parallel ? before + heads : before;
}

int64_t CircuitGraph::edges() const {
  int64_t sum = 0;
  for (int64_t destination = 0; destination < destinations(); ++destination) sum += sources_of(destination);
  return sum;
}

int64_t CircuitGraph::node_of(int64_t destination) const {
  if (destination == logits()) return -1;
  const int64_t layer = destination / (3 * heads + 1), at = destination % (3 * heads + 1);
  return at == 3 * heads ? mlp(layer) : head(layer, at % heads);
}

std::string CircuitGraph::source_name(int64_t source) const {
  if (source == 0) return "input";
  const int64_t layer = (source - 1) / (heads + 1), at = (source - 1) % (heads + 1);
  return at == heads ? fmt::format("m{}", layer) : fmt::format("a{}.h{}", layer, at);
}

std::string CircuitGraph::destination_name(int64_t destination) const {
  if (destination == logits()) return "logits";
  const int64_t layer = destination / (3 * heads + 1), at = destination % (3 * heads + 1);
  if (at == 3 * heads) return fmt::format("m{}", layer);
  return fmt::format("a{}.h{}<{}>", layer, at % heads, "qkv"[at / heads]);
}

std::vector<std::string> CircuitGraph::source_names() const {
  std::vector<std::string> names;
  for (int64_t source = 0; source < sources(); ++source) names.push_back(source_name(source));
  return names;
}

std::vector<std::string> CircuitGraph::destination_names() const {
  std::vector<std::string> names;
  for (int64_t destination = 0; destination < destinations(); ++destination)
    names.push_back(destination_name(destination));
  return names;
}

CircuitGraph graph_of(const ModelSpec& spec) {
  if (!spec.attention || !spec.mlp) fail("a circuit graph needs blocks of attention and MLP");
  if (!spec.residual || spec.norm_after_sum || spec.post_norm)
    fail("a circuit graph needs a stream that is a plain sum of its parts; this model norms outputs or sums");
  return {spec.layers, spec.heads, spec.parallel};
}

}  // namespace varve
