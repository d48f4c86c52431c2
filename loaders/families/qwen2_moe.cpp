// Qwen2-MoE: experts and a gated shared expert, in all layers or those the config names.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/expert_plan.h"

namespace varve {
namespace {

std::vector<int64_t> dense_layers(const ConfigKeys& config) {
  const nlohmann::json* found = config.find("mlp_only_layers");
  if (!found) return {};
  const bool whole = found->is_array() && std::all_of(found->begin(), found->end(), [](const auto& one) {
                       return one.is_number_integer();
                     });
  if (!whole) fail("config.json: 'mlp_only_layers' is not a list of layer numbers");
  return found->get<std::vector<int64_t>>();
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_like_spec(config, {.context = 32768, .kv_heads = 16, .norm_eps = 1e-6});
  if (config.flag("use_sliding_window", false))
    fail("config.json: use_sliding_window is set; a window is not supported for this family");
  spec.experts = config.size("num_experts", 60);
  spec.experts_per_token = config.size("num_experts_per_tok", 4);
  spec.d_expert = config.size("moe_intermediate_size", 1408);
  spec.d_shared = config.size("shared_expert_intermediate_size", 5632);
  spec.shared_gate = true;
  spec.renormalise = config.flag("norm_topk_prob", false);
  const int64_t every = config.size("decoder_sparse_step", 1);
  const std::vector<int64_t> dense = dense_layers(config);
  const auto mlp = [&](TensorPlan& plan, int64_t layer, const std::string& ours, const std::string& theirs) {
    const bool named_dense = std::find(dense.begin(), dense.end(), layer) != dense.end();
    if (named_dense || (layer + 1) % every != 0)
      return plan_gated(plan, ours, theirs + "mlp.", projection_names(), spec.d_model, spec.d_mlp);
    spec.sparse_layers.push_back(layer);
    plan_experts(plan, spec, ours, theirs + "mlp.", projection_names());
    plan_gated(plan, ours + "shared.", theirs + "mlp.shared_expert.", projection_names(), spec.d_model,
               spec.d_shared);
    plan.whole(ours + "shared.gate", theirs + "mlp.shared_expert_gate.weight", {1, spec.d_model});
  };
  plan_llama_like(reading, tensors, "qwen2_moe", {.qkv_bias = config.flag("qkv_bias", true), .mlp = mlp});
  return reading;
}

}  // namespace

void add_qwen2_moe(FamilyCatalog& catalog) {
  catalog.add({.name = "qwen2_moe",
               .summary = "Qwen1.5-MoE and Qwen2-MoE: experts and a gated shared expert",
               .model_types = {"qwen2_moe"},
               .architectures = {"Qwen2MoeForCausalLM"},
               .read = read});
}

}  // namespace varve
