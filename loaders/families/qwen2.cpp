// Qwen2 and Qwen2.5: the Llama layout with biases on q, k and v.
#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

// Layers from max_window_layers on look through the window, where use_sliding_window asks for it.
void refuse_window(const ConfigKeys& config, const ModelSpec& spec) {
  if (!config.flag("use_sliding_window", false) || config.given_as_null("sliding_window")) return;
  const int64_t window = config.size("sliding_window", 4096);
  const nlohmann::json* first = config.find("max_window_layers");
  const bool reached = first && first->is_number_integer()
                           ? first->get<double>() < static_cast<double>(spec.layers)
                           : 28 < spec.layers;
  if (reached && window < spec.context)
    fail(
        "config.json: use_sliding_window with sliding_window {} shorter than the context of {}; attention "
        "through a "
        "sliding window is not supported for this family",
        window, spec.context);
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  ModelSpec& spec = reading.spec;
  spec.layers = config.size("num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", 32768);
  spec.kv_heads =
      config.size("num_key_value_heads", config.given_as_null("num_key_value_heads") ? spec.heads : 32);
  if (!config.has("head_dim") && spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}", spec.d_model, spec.heads);
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
  refuse_window(config, spec);
  plan_llama(reading, tensors, "qwen2", {.qkv = true});
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
