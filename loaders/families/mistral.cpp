// Mistral: the Llama layout, seen through a sliding window in every layer.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 131072, .kv_heads = 8});
  const auto always = [](int64_t) { return true; };
  spec.window = windows_of(config, spec.layers, sliding_window(config, 4096), always);
  plan_llama(reading, tensors, "mistral", {});
  return reading;
}

}  // namespace

void add_mistral(FamilyCatalog& catalog) {
  catalog.add({.name = "mistral",
               .summary = "Mistral: grouped heads, a sliding window in every layer",
               .model_types = {"mistral"},
               .architectures = {"MistralForCausalLM"},
               .read = read});
}

}  // namespace varve
