// What Llama-like families with experts, or without norm gains, share: sizes from the config, attention
// tensors, and a place for each layer's MLP.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "loaders/family_reader.h"

namespace varve {

// Keys whose defaults differ between the families, as transformers has them.
struct LlamaDefaults {
  int64_t context = 2048;
  int64_t kv_heads = 0;  // 0: as many as query heads
  double norm_eps = 1e-5, theta = 10000;
};
ModelSpec llama_like_spec(const ConfigKeys& config, const LlamaDefaults& defaults);

// Where one layer's MLP tensors are planned; `ours` is "blocks.3.mlp.", `theirs` "model.layers.3.".
using PlanMlp =
    std::function<void(TensorPlan&, int64_t layer, const std::string& ours, const std::string& theirs)>;
struct LlamaLikeLayout {
  bool qkv_bias = false, out_bias = false;
  PlanMlp mlp;
};
void plan_llama_like(FamilyReading& reading, const TensorShapes& tensors, const std::string& family,
                     const LlamaLikeLayout& layout);

// The three matrices of one gated MLP or expert under the names the family gives them.
struct GatedNames {
  std::string gate, in, out;
};
void plan_gated(TensorPlan& plan, const std::string& ours, const std::string& theirs, const GatedNames& names,
                int64_t width, int64_t hidden);
const GatedNames& projection_names();  // gate_proj, up_proj, down_proj

// Router and experts of one layer: `theirs` holds gate.weight and experts.E.
void plan_experts(TensorPlan& plan, const ModelSpec& spec, const std::string& ours, const std::string& theirs,
                  const GatedNames& names);

}  // namespace varve
