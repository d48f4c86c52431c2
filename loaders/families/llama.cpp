// Llama 1 to 3 and models of its layout.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 2048});
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "llama",
             {.qkv_bias = bias, .out_bias = bias, .mlp_bias = config.flag("mlp_bias", false)});
  return reading;
}

}  // namespace

void add_llama(FamilyCatalog& catalog) {
  catalog.add({.name = "llama",
               .summary = "Llama 1 to 3 and models of its layout",
               .model_types = {"llama"},
               .architectures = {"LlamaForCausalLM"},
               .read = read});
}

}  // namespace varve
