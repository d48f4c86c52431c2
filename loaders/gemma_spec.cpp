// Scaled embeddings, gains stored as 1 + w, the tanh form of GELU.
#include "loaders/gemma_spec.h"

#include <cmath>
#include <utility>

namespace varve {
namespace {

// `hidden_activation` replaced `hidden_act`. The first published files say "gelu" there for weights that were
// trained with the tanh form, and transformers reads them so.
Activation activation_of(const ConfigKeys& config) {
  const std::string usual = "gelu_pytorch_tanh";
  const std::string name = config.text("hidden_activation", config.text("hidden_act", usual));
  return activation_from(name == "gelu" && !config.has("hidden_activation") ? usual : name);
}

}  // namespace

ModelSpec gemma_spec(const ConfigKeys& config, LlamaDefaults defaults) {
  refuse_if_set(config, "use_bidirectional_attention", "attention in both directions");
  defaults.d_head = 256;
  defaults.tied = true;
  ModelSpec spec = llama_spec(config, defaults);
  spec.activation = activation_of(config);
  spec.norm_offset = 1;
  // Rounded to the compute type before it multiplies, as transformers does for the type it runs in.
  spec.embed_scale = std::sqrt(static_cast<double>(spec.d_model));
  return spec;
}

}  // namespace varve
