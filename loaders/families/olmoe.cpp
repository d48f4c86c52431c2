// OLMoE: experts in every layer, top-k weights as the router gives them, q and k normed over their full
// width.
#include "loaders/expert_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 4096, .norm_eps = 1e-5});
  spec.qk_norm_full = true;
  spec.clip_qkv = config.real("clip_qkv", 0);
  spec.experts = expert_count(config, 64);
  spec.experts_per_token = config.size("num_experts_per_tok", 8);
  spec.d_expert = spec.d_mlp;
  spec.renormalise = config.flag("norm_topk_prob", false);
  spec.sparse_layers = all_layers(spec.layers);
  const bool bias = config.flag("attention_bias", false);
  const auto mlp = [&spec](TensorPlan& plan, int64_t, const std::string& ours, const std::string& theirs) {
    plan_experts(plan, spec, ours, theirs + "mlp.", projection_names());
  };
  plan_llama(reading, tensors, "olmoe", {.qkv_bias = bias, .out_bias = bias, .mlp = mlp});
  return reading;
}

}  // namespace

void add_olmoe(FamilyCatalog& catalog) {
  catalog.add({.name = "olmoe",
               .summary = "OLMoE: experts in every layer, q and k norms over the full width",
               .model_types = {"olmoe"},
               .architectures = {"OlmoeForCausalLM"},
               .read = read});
}

}  // namespace varve
