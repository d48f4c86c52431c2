// Qwen2-MoE: experts and a gated shared expert, in all layers or those the config names.
#include "analysis/core/error.h"
#include "loaders/expert_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 32768, .kv_heads = 16});
  if (config.flag("use_sliding_window", false)) {
    if (!config.has("layer_types"))
      fail(
          "config.json: use_sliding_window is set without layer_types; versions of this family disagree "
          "about "
          "which layers slide then. Add layer_types to the config");
    spec.window =
        windows_of(config, spec.layers, sliding_window(config, 4096), [](int64_t) { return false; });
  }
  spec.experts = expert_count(config, 60);
  spec.experts_per_token = config.size("num_experts_per_tok", 4);
  spec.d_expert = config.size("moe_intermediate_size", 1408);
  spec.d_shared = config.size("shared_expert_intermediate_size", 5632);
  spec.shared_gate = true;
  spec.renormalise = config.flag("norm_topk_prob", false);
  spec.sparse_layers = qwen_sparse_layers(config, spec.layers);
  const auto mlp = [&spec](TensorPlan& plan, int64_t layer, const std::string& ours,
                           const std::string& theirs) {
    if (!is_sparse(spec, layer))
      return plan_gated(plan, ours, theirs + "mlp.", projection_names(), spec.d_model, spec.d_mlp);
    plan_experts(plan, spec, ours, theirs + "mlp.", projection_names());
    plan_gated(plan, ours + "shared.", theirs + "mlp.shared_expert.", projection_names(), spec.d_model,
               spec.d_shared);
    plan.whole(ours + "shared.gate", theirs + "mlp.shared_expert_gate.weight", {1, spec.d_model});
  };
  plan_llama(reading, tensors, "qwen2_moe", {.qkv_bias = config.flag("qkv_bias", true), .mlp = mlp});
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
