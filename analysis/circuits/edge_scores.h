// Edge attribution: how much the metric would change, to first order, were one edge's source the corrupted
// run's (EAP, Syed et al. 2310.10348; EAP-IG, Hanna et al. 2403.17806).
//
//   score(u -> v) = sum over positions of (z'_u - z_u) . d metric / d input_v
// with z' the corrupted run's and z the clean run's output of u, and the gradient at the clean run (eap), or
// a mean over runs between the two: whose embedding is mixed (eap-ig-inputs), whose sources of one layer are
// mixed one layer at a time (eap-ig-activations), or the two ends only (clean-corrupted).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/circuits/graph.h"
#include "analysis/model/metric.h"

namespace varve {

enum class EdgeMethod { eap, ig_inputs, ig_activations, clean_corrupted, exact };
// Where along the way from corrupted to clean the gradient is taken, n points: j / n (the authors' left sum,
// the clean end not among them), (j + 1/2) / n, or both ends and n - 1 points between at half and whole
// weight.
enum class PathRule { left, midpoint, trapezoid };

// ig_activations while the embedding is mixed: the authors' library sees no gradient at inputs that read the
// embedding alone (first queries, keys, values), unless positions are learned; `as_library` leaves them out
// likewise.
enum class InputGroup { whole, as_library };

struct EdgePlan {
  EdgeMethod method = EdgeMethod::ig_inputs;
  PathRule rule = PathRule::left;
  int64_t steps = 5;
  InputGroup input_group = InputGroup::whole;
  int64_t batch_bytes = int64_t{128} << 20;  // what the differences of one batch of pairs may take
  int64_t keep_bytes = int64_t{48} << 20;    // what one batch may keep of blocks' insides for the way back
};

// Pairs that are in work at once, in equal parts; one where memory is short.
int64_t pairs_at_once(const ModelSpec& spec, const Probes& clean, Compute compute, const EdgePlan& plan);
int64_t pairs_at_once(const Weights& weights, const Probes& clean, Compute compute, const EdgePlan& plan);

// One pair's scores, [source * destinations + destination]; nodes [source]: the same by the gradient of the
// source's own output, which is the sum over its edges.
struct PairScores {
  std::vector<float> edges;
  std::vector<double> nodes;
  double clean_metric = 0, corrupted_metric = 0;
};

// Calls take(pair, scores) in order. clean and corrupted pair by pair of one length.
using TakePair = std::function<void(int64_t pair, const PairScores& scores)>;
void edge_scores(const CircuitGraph& graph, const Weights& weights, const Probes& clean,
                 const Probes& corrupted, Compute compute, const std::string& metric, const EdgePlan& plan,
                 const TakePair& take, Task& task);

}  // namespace varve
