// Phi-1, Phi-1.5 and Phi-2: rotary on a part of each head, parallel blocks behind one norm, biases
// everywhere.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

ModelSpec spec_of(const ConfigKeys& config) {
  ModelSpec spec;
  spec.layers = layer_count(config, "num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.kv_heads = config.size("num_key_value_heads", spec.heads);
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", 2048);
  if (!config.has("head_dim") && spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}", spec.d_model, spec.heads);
  spec.d_head = config.size("head_dim", std::max<int64_t>(1, spec.d_model / spec.heads));
  spec.norm = Norm::layer;
  spec.norm_eps = config.real("layer_norm_eps", 1e-5);
  spec.activation = activation_from(config.text("hidden_act", "gelu_new"));
  spec.positions = Positions::rotary;
  spec.rope = read_rope(config, 10000, spec.context);
  spec.rope.dims = rotary_dims(config, spec.d_head, 0.5);
  spec.context = usable_context(spec.rope, spec.context);
  spec.qk_norm_per_head = config.flag("qk_layernorm", false);
  spec.parallel = spec.shared_parallel_norm = true;
  spec.tied = config.flag("tie_word_embeddings", false);
  return spec;
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ModelSpec& spec = reading.spec = spec_of(ConfigKeys(json, "config.json"));
  TensorPlan plan(tensors, reading.recipe, "phi");
  const std::string top = tensors.contains("embed_tokens.weight") ? "" : "model.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  const int64_t q_width = spec.heads * spec.d_head, kv_width = spec.kv_heads * spec.d_head;
  const auto linear = [&plan](const std::string& ours, const std::string& letters, const std::string& theirs,
                              int64_t out, int64_t in) {
    plan.whole(ours + "W_" + letters, theirs + ".weight", {out, in});
    plan.whole(ours + "b_" + letters, theirs + ".bias", {out});
  };
  const auto norm = [&plan](const std::string& ours, const std::string& theirs, int64_t width) {
    plan.whole(ours + ".w", theirs + ".weight", {width});
    plan.whole(ours + ".b", theirs + ".bias", {width});
  };
  plan.whole("embed.W_E", top + "embed_tokens.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer),
                      theirs = fmt::format("{}layers.{}.", top, layer);
    norm(ours + "ln1", theirs + "input_layernorm", d);
    linear(ours + "attn.", "Q", theirs + "self_attn.q_proj", q_width, d);
    linear(ours + "attn.", "K", theirs + "self_attn.k_proj", kv_width, d);
    linear(ours + "attn.", "V", theirs + "self_attn.v_proj", kv_width, d);
    linear(ours + "attn.", "O", theirs + "self_attn.dense", d, q_width);
    if (spec.qk_norm_per_head) {
      norm(ours + "attn.q_norm", theirs + "self_attn.q_layernorm", spec.d_head);
      norm(ours + "attn.k_norm", theirs + "self_attn.k_layernorm", spec.d_head);
    }
    linear(ours + "mlp.", "in", theirs + "mlp.fc1", m, d);
    linear(ours + "mlp.", "out", theirs + "mlp.fc2", d, m);
    const std::string frequencies = theirs + "self_attn.rotary_emb.inv_freq";
    if (plan.has(frequencies)) reading.ignored.push_back(frequencies);
    plan.stop_if_hopeless();
  }
  norm("ln_final", top + "final_layernorm", d);
  plan.whole("unembed.W_U", spec.tied ? top + "embed_tokens.weight" : "lm_head.weight", {spec.vocab, d});
  plan.whole("unembed.b_U", "lm_head.bias", {spec.vocab});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
  return reading;
}

}  // namespace

void add_phi(FamilyCatalog& catalog) {
  catalog.add({.name = "phi",
               .summary = "Phi-1, Phi-1.5 and Phi-2: partial rotary, parallel blocks behind one norm",
               .model_types = {"phi"},
               .architectures = {"PhiForCausalLM"},
               .read = read});
}

}  // namespace varve
