// What families of the Llama layout share: sizes from the config, norms, separate q/k/v, gated MLPs, and a
// place for layers that have something else instead.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "loaders/family_reader.h"

namespace varve {

// Keys whose defaults differ between the families, as transformers has them.
struct LlamaDefaults {
  int64_t context = 2048;
  int64_t kv_heads = 0;  // 0: as many as query heads
  int64_t d_head = 0;    // 0: hidden_size / num_attention_heads
  double norm_eps = 1e-6, theta = 10000;
  std::string activation = "silu";
  double rotary_part = 0;  // 0: whole heads, and no other part is supported
  bool tied = false;
};
// RMS norms before the modules and nothing else unusual; families change what they have otherwise.
ModelSpec llama_spec(const ConfigKeys& config, const LlamaDefaults& defaults);

// A window in the layers from max_window_layers on, where use_sliding_window asks for it (Qwen2, Qwen3).
std::vector<int64_t> qwen_windows(const ConfigKeys& config, int64_t layers);

// Where one layer's MLP tensors are planned; `ours` is "blocks.3.mlp.", `theirs` "model.layers.3.".
using PlanMlp =
    std::function<void(TensorPlan&, int64_t layer, const std::string& ours, const std::string& theirs)>;
struct LlamaLayout {
  bool qkv_bias = false, out_bias = false, mlp_bias = false;
  PlanMlp mlp{};  // absent: gate_proj, up_proj and down_proj in every layer
};
// Norm tensors follow from the spec: which of them there are, with or without bias, and under which names.
void plan_llama(FamilyReading& reading, const TensorShapes& tensors, const std::string& family,
                const LlamaLayout& layout);

// The three matrices of one gated MLP or expert under the names the family gives them.
struct GatedNames {
  std::string gate, in, out;
};
void plan_gated(TensorPlan& plan, const std::string& ours, const std::string& theirs, const GatedNames& names,
                int64_t width, int64_t hidden);
const GatedNames& projection_names();  // gate_proj, up_proj, down_proj

}  // namespace varve
