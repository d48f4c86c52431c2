// OLMo 1: the Llama layout with layer norms that have no parameters, and clipped q, k, v.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 2048});
  spec.norm = Norm::layer;
  spec.norm_eps = 1e-5;  // fixed in the model's code; the config's rms_norm_eps is not read by it
  spec.norm_has_gain = false;
  spec.clip_qkv = config.real("clip_qkv", 0);
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "olmo", {.qkv_bias = bias, .out_bias = bias});
  return reading;
}

}  // namespace

void add_olmo(FamilyCatalog& catalog) {
  catalog.add({.name = "olmo",
               .summary = "OLMo 1: norms without parameters, clipped q, k, v",
               .model_types = {"olmo"},
               .architectures = {"OlmoForCausalLM"},
               .read = read});
}

}  // namespace varve
