// The path of a sample through the experts of a model, as strings and as numbers (Li, Fan and Zhou 2025,
// "Grokking in LLM pretraining", arXiv 2506.21551 v4, sections 3 and 4, appendix E).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace varve {

// The experts of one layer that carry the sample: by falling weight (of equals the lower number first), the
// shortest run whose summed weight exceeds theta. All of them where the sum never does.
std::vector<int64_t> layer_path(std::span<const double> weights, double theta);

// How near the run came to being another one: the least of |sum before or at its end - theta| and of the gaps
// between neighbours in the order, down to the first expert left out.
struct PathMargin {
  double theta = 0, order = 0;
};
PathMargin margin_of(std::span<const double> weights, double theta);

// "3,1,5-9,1": experts of a layer joined by commas, layers by hyphens.
std::string path_text(std::span<const std::vector<int64_t>> layers);
// The same as symbols (layer, expert), for distances counted in experts.
std::vector<int64_t> path_symbols(std::span<const std::vector<int64_t>> layers, int64_t experts);

double entropy_nats(std::span<const double> weights);  // of weights divided by their sum

// e_l = sum_k g_lk v_lk; cos_l = cos(e_l, e_l+1). C = 1 - mean cos_l / (max cos_l + 1e-8). Lower C is a
// smoother path, so `consistency` = 1 - C is what grows.
struct Consistency {
  std::vector<double> cosines;
  double inconsistency = 0, consistency = 0, mean_cosine = 0;  // NaN where they are not defined
  bool zero_embedding = false;                                 // a routing embedding is zero: no cosine
  bool no_positive_cosine = false;                             // the ratio would change its sign
};
// embeddings [layer][d_model]. With fewer than three layers C is zero by construction.
Consistency consistency_of(std::span<const std::vector<double>> embeddings);

}  // namespace varve
