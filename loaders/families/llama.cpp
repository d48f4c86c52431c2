// Llama, and Mistral where its sliding window covers the whole context: the same tensors, other defaults.
#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

void refuse_window(const ConfigKeys& config, const ModelSpec& spec) {
  // Absent means transformers' default of 4096; null means none.
  if (config.given_as_null("sliding_window")) return;
  const int64_t window = config.size("sliding_window", 4096);
  if (window < spec.context)
    fail(
        "config.json: sliding_window {} is shorter than the context of {}; attention through a sliding "
        "window is "
        "not supported for this family",
        window, spec.context);
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  const bool mistral = config.text("model_type", "llama") == "mistral";
  ModelSpec& spec = reading.spec;
  spec.layers = config.size("num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", mistral ? 131072 : 2048);
  const bool eight = mistral && !config.given_as_null("num_key_value_heads");
  spec.kv_heads = config.size("num_key_value_heads", eight ? 8 : spec.heads);
  if (!config.has("head_dim") && spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}, and head_dim is not given",
         spec.d_model, spec.heads);
  spec.d_head = config.size("head_dim", std::max<int64_t>(1, spec.d_model / spec.heads));
  spec.norm = Norm::rms;
  spec.norm_has_bias = false;
  spec.norm_eps = config.real("rms_norm_eps", 1e-6);
  spec.activation = activation_from(config.text("hidden_act", "silu"));
  spec.gated_mlp = true;
  spec.positions = Positions::rotary;
  spec.rope = read_rope(config, 10000, spec.context);
  spec.rope.dims = spec.d_head;
  spec.tied = config.flag("tie_word_embeddings", false);
  if (mistral) refuse_window(config, spec);
  const bool attention_bias = !mistral && config.flag("attention_bias", false);
  const bool mlp_bias = !mistral && config.flag("mlp_bias", false);
  plan_llama(reading, tensors, "llama", {.qkv = attention_bias, .out = attention_bias, .mlp = mlp_bias});
  return reading;
}

}  // namespace

void add_llama(FamilyCatalog& catalog) {
  catalog.add({.name = "llama",
               .summary = "Llama 1 to 3 and models of its layout; Mistral without a sliding window",
               .model_types = {"llama", "mistral"},
               .architectures = {"LlamaForCausalLM", "MistralForCausalLM"},
               .read = read});
}

}  // namespace varve
