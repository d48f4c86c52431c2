// Qwen3: q and k normed head by head, heads of a width of their own.
#include "loaders/llama_plan.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = llama_spec(config, {.context = 32768, .kv_heads = 32, .d_head = 128});
  spec.window = qwen_windows(config, spec.layers);
  spec.qk_norm_per_head = true;
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "qwen3", {.qkv_bias = bias, .out_bias = bias});
  return reading;
}

}  // namespace

void add_qwen3(FamilyCatalog& catalog) {
  catalog.add({.name = "qwen3",
               .summary = "Qwen3: q and k norms per head, head width of its own",
               .model_types = {"qwen3"},
               .architectures = {"Qwen3ForCausalLM"},
               .read = read});
}

}  // namespace varve
