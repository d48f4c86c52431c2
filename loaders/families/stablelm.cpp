// StableLM: gated MLP with layer norms, rotary on a part of each head, sequential or parallel blocks.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  refuse_if_set(config, "qk_layernorm", "a norm of its own for every head of q and k");
  spec = llama_spec(config, {.context = 4096, .kv_heads = 32, .rotary_part = 0.25});
  spec.norm = Norm::layer;
  spec.norm_has_bias = true;
  spec.norm_eps = config.real("layer_norm_eps", 1e-5);
  spec.parallel = spec.shared_parallel_norm = config.flag("use_parallel_residual", false);
  plan_llama(reading, tensors, "stablelm", {.qkv_bias = config.flag("use_qkv_bias", false)});
  return reading;
}

}  // namespace

void add_stablelm(FamilyCatalog& catalog) {
  catalog.add({.name = "stablelm",
               .summary = "StableLM: partial rotary, layer norms, sequential or parallel blocks",
               .model_types = {"stablelm"},
               .architectures = {"StableLmForCausalLM"},
               .read = read});
}

}  // namespace varve
