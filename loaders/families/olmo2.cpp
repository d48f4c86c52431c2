// OLMo 2: norms after the modules instead of before them, q and k normed over their full width.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 2048, .norm_eps = 1e-5});
  spec.pre_norm = false;
  spec.post_norm = true;
  spec.qk_norm_full = true;
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "olmo2", {.qkv_bias = bias, .out_bias = bias});
  return reading;
}

}  // namespace

void add_olmo2(FamilyCatalog& catalog) {
  catalog.add({.name = "olmo2",
               .summary = "OLMo 2: norms after the modules, q and k norms over the full width",
               .model_types = {"olmo2"},
               .architectures = {"Olmo2ForCausalLM"},
               .read = read});
}

}  // namespace varve
