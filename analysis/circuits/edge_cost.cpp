// Arithmetic and memory of edge attribution, part by part.
#include "analysis/circuits/edge_cost.h"

#include <algorithm>

#include "analysis/model/backward.h"

namespace varve {
namespace {

// Multiplications and additions of one token in all blocks' matrices.
double block_flops(const ModelSpec& spec) {
  const double d = static_cast<double>(spec.d_model), factors = spec.gated_mlp ? 3 : 2;
  const double q = static_cast<double>(spec.heads * spec.d_head),
               kv = static_cast<double>(spec.kv_heads * spec.d_head);
  double flops = 0;
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    flops += 2 * d * (2 * q + 2 * kv);
    const double dense = static_cast<double>(spec.d_mlp),
                 sparse = static_cast<double>(spec.experts_per_token * spec.d_expert + spec.d_shared);
    flops += 2 * d * factors * (is_sparse(spec, layer) ? sparse : dense);
  }
  return flops;
}

// Passes there and back, and passes there alone, of one pair.
struct Passes {
  double both = 0, there = 2;
};

Passes passes_of(const CircuitGraph& graph, const EdgePlan& plan) {
  const double steps = static_cast<double>(plan.steps);
  switch (plan.method) {
    case EdgeMethod::eap:
      return {1, 2};
    case EdgeMethod::clean_corrupted:
      return {2, 2};
    case EdgeMethod::ig_inputs:
      return {steps + (plan.rule == PathRule::trapezoid ? 1 : 0), 2};
    case EdgeMethod::ig_activations:
      return {steps * static_cast<double>(1 + 2 * graph.layers), 2};
    case EdgeMethod::exact:
      return {0, 3 + static_cast<double>(graph.edges())};
  }
  return {};
}

}  // namespace

CellCost edge_cost(const ModelSpec& spec, const Probes& probes, Compute compute, const EdgePlan& plan,
                   int64_t tables, int64_t runs) {
  const CircuitGraph graph = graph_of(spec);
  const int64_t number = compute == Compute::f64 ? 8 : 4, d = spec.d_model, heads = spec.heads;
  const int64_t longest = probes.longest();
  const int64_t sources = graph.sources() * d * number;  // of one place
  const int64_t at_once = pairs_at_once(spec, probes, compute, plan);
  int64_t insides = 0, widest = 0;
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const int64_t one = kept_bytes_per_place(spec, layer, compute);
    insides += one;
    widest = std::max(widest, one);
  }
  // The way back: the streams, a layer's insides, what its MLP and its attention send back, and one input of
  // every head before and behind the norm.
  const int64_t hidden = std::max(spec.d_mlp, spec.experts > 0 ? spec.d_expert + spec.d_shared : 0);
  const int64_t back = ((spec.layers + 9) * d + 3 * hidden * (spec.gated_mlp ? 2 : 1) +
                        8 * heads * spec.d_head + 2 * heads * d) *
                           number +
                       2 * widest;
  const bool all_mixed = plan.method == EdgeMethod::exact || plan.method == EdgeMethod::ig_activations;
  // Changed values are kept in double precision: the embedding's, or those of all heads of a layer.
  const int64_t mixed = (all_mixed ? heads : 1) * d * 8 + (all_mixed ? sources : d * number);
  const int64_t running = runs > 0 || plan.method == EdgeMethod::exact
                              ? sources + 8 * heads * d * number + 3 * hidden * number
                              : 0;  // one pair at a time
  const int64_t place = sources + back + mixed;
  const int64_t table = graph.sources() * graph.destinations() * 8;
  // Logits of a few answers with their slopes; the whole unembedding, which its way back touches.
  const int64_t output = spec.vocab * (2 * number * std::min<int64_t>(32, at_once) + 16 + 4 * d);
  const int64_t matrix = 4 * d * std::max(hidden, heads * spec.d_head);
  const int64_t fixed = table * tables + output + matrix + longest * running;
  CellCost cost;
  cost.scratch =
      at_once * (longest * place + table) + std::min(plan.keep_bytes, at_once * longest * insides) + fixed;
  cost.frugal_scratch = longest * place + table + fixed;
  const Passes passes = passes_of(graph, plan);
  const auto tokens = static_cast<double>(probes.tokens());
  const double there = block_flops(spec);
  const double inputs = 6.0 * static_cast<double>(spec.layers * heads * spec.d_head * d);
  const double products = 2.0 * static_cast<double>(graph.edges() * d);
  cost.flops = tokens * (there * (2 * passes.both + passes.there + static_cast<double>(runs)) +
                         passes.both * (inputs + products));
  return cost;
}

}  // namespace varve
