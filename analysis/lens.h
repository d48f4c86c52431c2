// The fused lens: statistics of every layer's next-token distribution, with no [layer, position, vocabulary]
// array ever made.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/forward.h"

namespace varve {

// One (layer, position) of a lens. With z the logits there, p = softmax(z), f the last layer's:
struct LensPoint {
  std::vector<int64_t> top_id;  // falling probability; ties to the smaller id
  std::vector<double> top_prob;
  double entropy = 0;        // -sum p log p, nats
  double kl_final_lens = 0;  // KL(f || p), nats
  double kl_lens_final = 0;  // KL(p || f), nats
  double true_logprob = 0;   // log p of the actual next token; NaN at the last position
  double true_rank = 0;      // 1 = best; 1 + number of tokens that beat it; NaN at the last position
  double final_rank = 0;     // rank of the last layer's top-1 token
  double log_sum_exp = 0;
};

struct LensResult {
  std::vector<LensPoint> points;  // [layer, position], layer = 0 .. sets - 1
  // |log-sum-exp of the model's own output path - of the last layer on the way of the others|, worst of
  // path_checked positions.
  double path_residual = 0;
  int64_t path_checked = 0;
};

// residuals: one a layer, each [count, d_model], the last being what the model itself unembeds; tokens: the
// prompt's ids. T is float or double.
template <class T>
struct LensPrompt {
  std::span<const std::vector<T>> residuals;
  std::span<const int64_t> tokens;
};

// One result a prompt. In f32 and bf16 prompts go past the vocabulary together, which changes no bit.
template <class T>
std::vector<LensResult> lens_of_prompts(const Unembed& unembed, std::span<const LensPrompt<T>> prompts,
                                        int64_t d_model, int64_t top_k, Task& task);
template <class T>
LensResult lens_of_prompt(const Unembed& unembed, const std::vector<std::vector<T>>& residuals,
                          const std::vector<int64_t>& tokens, int64_t d_model, int64_t top_k, Task& task);

// So many positions go past the vocabulary together, the last layer's logits of all of them being held. Fewer
// would pay for packing the unembedding, more for memory. A multiple of 14, 6 and 2 rows, which are a
// kernel's.
inline constexpr int64_t lens_positions = 168;

// What that takes; the tile of the unembedding that a thread reads is not counted.
struct LensCost {
  double flops_per_token = 0;  // all layers
  int64_t scratch = 0;         // bytes at the peak, for a prompt of `longest` tokens
};
LensCost lens_cost(const ModelSpec& spec, int64_t longest, int64_t top_k, Compute compute);

extern template std::vector<LensResult> lens_of_prompts<float>(const Unembed&,
                                                               std::span<const LensPrompt<float>>, int64_t,
                                                               int64_t, Task&);
extern template std::vector<LensResult> lens_of_prompts<double>(const Unembed&,
                                                                std::span<const LensPrompt<double>>, int64_t,
                                                                int64_t, Task&);
extern template LensResult lens_of_prompt<float>(const Unembed&, const std::vector<std::vector<float>>&,
                                                 const std::vector<int64_t>&, int64_t, int64_t, Task&);
extern template LensResult lens_of_prompt<double>(const Unembed&, const std::vector<std::vector<double>>&,
                                                  const std::vector<int64_t>&, int64_t, int64_t, Task&);

}  // namespace varve
