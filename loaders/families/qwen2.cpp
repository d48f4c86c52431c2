// Qwen2 and Qwen2.5: the Llama layout with biases on q, k and v, and a window in the last layers where the
// config asks for it.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  refuse_if_set(config, "use_mrope", "rotary positions in several axes");
  spec = llama_spec(config, {.context = 32768, .kv_heads = 32});
  spec.window = qwen_windows(config, spec.layers);
  plan_llama(reading, tensors, "qwen2", {.qkv_bias = true});
  return reading;
}

}  // namespace

void add_qwen2(FamilyCatalog& catalog) {
  catalog.add({.name = "qwen2",
               .summary = "Qwen2 and Qwen2.5: grouped heads, q/k/v biases",
               .model_types = {"qwen2"},
               .architectures = {"Qwen2ForCausalLM"},
               .read = read});
}

}  // namespace varve
