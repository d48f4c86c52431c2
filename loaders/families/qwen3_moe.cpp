// Qwen3-MoE: Qwen3 with experts in all layers or those the config names.
#include "loaders/expert_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 32768, .kv_heads = 4});
  const std::optional<int64_t> window = sliding_window(config, 4096);
  const auto always = [](int64_t) { return true; };
  if (config.flag("use_sliding_window", false)) spec.window = windows_of(config, spec.layers, window, always);
  spec.qk_norm_per_head = true;
  spec.experts = expert_count(config, 128);
  spec.experts_per_token = config.size("num_experts_per_tok", 8);
  spec.d_expert = config.size("moe_intermediate_size", 768);
  spec.renormalise = config.flag("norm_topk_prob", false);
  spec.sparse_layers = qwen_sparse_layers(config, spec.layers);
  const auto mlp = [&spec](TensorPlan& plan, int64_t layer, const std::string& ours,
                           const std::string& theirs) {
    if (is_sparse(spec, layer)) return plan_experts(plan, spec, ours, theirs + "mlp.", projection_names());
    plan_gated(plan, ours, theirs + "mlp.", projection_names(), spec.d_model, spec.d_mlp);
  };
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "qwen3_moe", {.qkv_bias = bias, .out_bias = bias, .mlp = mlp});
  return reading;
}

}  // namespace

void add_qwen3_moe(FamilyCatalog& catalog) {
  catalog.add({.name = "qwen3_moe",
               .summary = "Qwen3-MoE: q and k norms per head, experts",
               .model_types = {"qwen3_moe"},
               .architectures = {"Qwen3MoeForCausalLM"},
               .read = read});
}

}  // namespace varve
