// What heads do by their weights alone: copying of their output circuit, and composition between layers.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/weights.h"

namespace varve {

// Bytes that the functions below hold at once. Pages of the weights are let go behind the reading.
struct HeadWeightCost {
  int64_t copying = 0, top_k = 0, composition = 0;
};
HeadWeightCost head_weight_cost(const ModelSpec& spec, int64_t tokens);

// [layers * heads]; -1 to 1. sum of eigenvalues / sum of their moduli (Elhage et al. 2021).
struct Copying {
  std::vector<double> full;  // of W_E W_V W_O W_U, norm gains folded in
  std::vector<double> own;   // of W_V W_O
};
Copying copying_of(const Weights& weights, Task& task);

// [layers * heads]: share of tokens t whose own logit is among the k largest of W_E[t] W_V W_O W_U, norm
// gains folded in. Asks `tokens` of them, evenly spread over the vocabulary. NaN where embedding and output
// do not fit.
std::vector<double> copying_top_k(const Weights& weights, int64_t k, int64_t tokens, Task& task);

// [dst][src] of heads numbered layer * heads + head: how much of what src writes dst reads, through its
// queries, keys and values; 0 unless src lies in an earlier layer. What random matrices of the same shapes
// would give is subtracted.
struct Composition {
  std::vector<double> q, k, v;
  double baseline_qk = 0, baseline_v = 0;
};
Composition composition_of(const Weights& weights, uint64_t seed, Task& task);

}  // namespace varve
