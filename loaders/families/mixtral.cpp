// Mixtral: experts in every layer, top-k weights divided by their sum.
#include "analysis/core/error.h"
#include "loaders/expert_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_like_spec(config, {.context = 131072, .kv_heads = 8, .theta = 1e6});
  const int64_t window = config.size("sliding_window", spec.context);
  if (window < spec.context)
    fail(
        "config.json: sliding_window {} is shorter than the context of {}; a window is not supported for "
        "this family",
        window, spec.context);
  spec.experts = config.size("num_local_experts", 8);
  spec.experts_per_token = config.size("num_experts_per_tok", 2);
  spec.d_expert = spec.d_mlp;
  spec.renormalise = true;
  const GatedNames names = {"w1", "w3", "w2"};
  const auto mlp = [&](TensorPlan& plan, int64_t layer, const std::string& ours, const std::string& theirs) {
    spec.sparse_layers.push_back(layer);
    plan_experts(plan, spec, ours, theirs + "block_sparse_moe.", names);
  };
  plan_llama_like(reading, tensors, "mixtral", {.mlp = mlp});
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
