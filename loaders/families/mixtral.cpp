// Mixtral: experts in every layer, top-k weights divided by their sum.
#include "loaders/expert_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 131072, .kv_heads = 8, .norm_eps = 1e-5, .theta = 1e6});
  const auto always = [](int64_t) { return true; };
  spec.window = windows_of(config, spec.layers, sliding_window(config, 0), always);
  spec.experts = config.size("num_local_experts", 8);
  spec.experts_per_token = config.size("num_experts_per_tok", 2);
  spec.d_expert = spec.d_mlp;
  spec.renormalise = true;
  spec.sparse_layers = all_layers(spec.layers);
  const GatedNames names = {"w1", "w3", "w2"};
  const auto mlp = [&](TensorPlan& plan, int64_t, const std::string& ours, const std::string& theirs) {
    plan_experts(plan, spec, ours, theirs + "block_sparse_moe.", names);
  };
  plan_llama(reading, tensors, "mixtral", {.mlp = mlp});
  return reading;
}

}  // namespace

void add_mixtral(FamilyCatalog& catalog) {
  catalog.add({.name = "mixtral",
               .summary = "Mixtral: experts in every layer, top-k weights renormalised",
               .model_types = {"mixtral"},
               .architectures = {"MixtralForCausalLM"},
               .read = read});
}

}  // namespace varve
