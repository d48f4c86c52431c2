// The way back: derivatives of a metric by every site and every parameter, layer by layer from the last.
//
// The streams between blocks are kept; what a block had inside is computed once more when its turn comes, so
// memory is that of the streams and one layer. Interventions count: nothing flows through what was set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/model/forward.h"
#include "analysis/model/metric.h"

namespace varve {

// Gradients of sites are shown to ordinary readers, from the last site to the first, under the site's name
// with `grad.` in front. By a site's value as readers of the forward see it, total: by every way to the
// metric. Besides sites_of there are the inputs of heads and MLPs before their norm, as sources reach them:
//   blocks.L.q_input k_input v_input [pos, head, d_model] (by query head), blocks.L.mlp_in [pos, d_model]
std::vector<SiteInfo> gradient_sites_of(const ModelSpec& spec);  // with `grad.`

// Sees each parameter's gradient once, under its canonical name (see recipe.h): a matrix [rows, columns] or
// a vector. A tied embedding has one gradient, the sum.
class ParameterReader {
 public:
  virtual ~ParameterReader() = default;
  virtual bool wants(const std::string& parameter) const = 0;
  virtual void see(const std::string& parameter, const std::vector<int64_t>& shape,
                   std::span<const float> f32, std::span<const double> f64) = 0;
};

// The metric of each prompt; what is differentiated is their sum. Changes of logits, ln_final.normalized and
// router.topk_indices have no way back and are refused. `keep_bytes`: what may be held of blocks' insides so
// that as many of the last blocks as fit are not computed a second time; it changes no bit.
std::vector<double> backward(const Weights& weights, const Probes& probes, Compute compute,
                             const Metric& metric, std::span<SiteReader* const> readers, Task& task,
                             const Interventions& changes = {}, ParameterReader* parameters = nullptr,
                             int64_t keep_bytes = 0);

// Bytes that one token's place takes for one block held so.
int64_t kept_bytes_per_place(const ModelSpec& spec, int64_t layer, Compute compute);

}  // namespace varve
