// Gemma 2: Gemma with norms on both sides of each module, soft caps, and a window in every other layer.
#include <cmath>

#include "analysis/core/error.h"
#include "loaders/gemma_spec.h"

namespace varve {
namespace {

// null means none, absent the class's default.
double soft_cap(const ConfigKeys& config, const std::string& key, double otherwise) {
  const double cap = config.given_as_null(key) ? 0 : config.real(key, otherwise);
  if (cap < 0) fail("config.json: {} is {}, expected a positive number or null", key, cap);
  return cap;
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec = gemma_spec(config, {.context = 8192, .kv_heads = 4});
  spec.post_norm = true;
  const double scalar = config.real("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) fail("config.json: query_pre_attn_scalar is {}, expected a positive number", scalar);
  spec.attention_scale = 1 / std::sqrt(scalar);
  spec.attention_softcap = soft_cap(config, "attn_logit_softcapping", 50);
  spec.logit_softcap = soft_cap(config, "final_logit_softcapping", 30);
  const auto even = [](int64_t layer) { return layer % 2 == 0; };
  spec.window = windows_of(config, spec.layers, sliding_window(config, 4096), even);
  const bool bias = config.flag("attention_bias", false);
  plan_llama(reading, tensors, "gemma2", {.qkv_bias = bias, .out_bias = bias});
  return reading;
}

}  // namespace

void add_gemma2(FamilyCatalog& catalog) {
  catalog.add({.name = "gemma2",
               .summary = "Gemma 2: soft caps, alternating window, norms before and after",
               .model_types = {"gemma2"},
               .architectures = {"Gemma2ForCausalLM"},
               .read = read});
}

}  // namespace varve
