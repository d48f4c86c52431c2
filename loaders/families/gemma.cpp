// Gemma 1: scaled embeddings, norm gains stored as 1 + w, heads of a width of their own, tied.
#include "loaders/gemma_spec.h"

namespace varve {
namespace {

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = gemma_spec(config, {.context = 8192, .kv_heads = 16});
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "gemma", {.qkv_bias = bias, .out_bias = bias});
  return reading;
}

}  // namespace

void add_gemma(FamilyCatalog& catalog) {
  catalog.add({.name = "gemma",
               .summary = "Gemma 1: scaled embeddings, norm gains as 1 + w, gated GELU",
               .model_types = {"gemma"},
               .architectures = {"GemmaForCausalLM"},
               .read = read});
}

}  // namespace varve
