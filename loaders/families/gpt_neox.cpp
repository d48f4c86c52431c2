// GPT-NeoX and Pythia: rotary on a part of each head, parallel blocks, q/k/v fused head by head.
#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

// Three spellings of one thing; the class's own keys win over the names that newer files add beside them.
Rope rope_of(const ConfigKeys& config, const ModelSpec& spec) {
  Rope rope = read_rope(config, 10000, spec.context);
  double part = config.real("rotary_pct", config.real("partial_rotary_factor", 0.25));
  if (const nlohmann::json* newer = config.find("rope_parameters")) {
    part = ConfigKeys(*newer, "config.json: rope_parameters").real("partial_rotary_factor", part);
  } else {
    rope.theta = config.real("rotary_emb_base", rope.theta);
  }
  if (rope.theta <= 0) fail("config.json: rotary_emb_base is {}, expected a positive number", rope.theta);
  if (part < 0 || part > 1) fail("config.json: rotary_pct is {}, expected 0 to 1", part);
  rope.dims = static_cast<int64_t>(static_cast<double>(spec.d_head) * part);
  return rope;
}

ModelSpec spec_of(const ConfigKeys& config) {
  ModelSpec spec;
  spec.layers = config.size("num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = spec.kv_heads = config.size("num_attention_heads");
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", 2048);
  if (spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}", spec.d_model, spec.heads);
  spec.d_head = spec.d_model / spec.heads;
  spec.norm = Norm::layer;
  spec.norm_eps = config.real("layer_norm_eps", 1e-5);
  spec.activation = activation_from(config.text("hidden_act", "gelu"));
  spec.positions = Positions::rotary;
  spec.rope = rope_of(config, spec);
  spec.context = usable_context(spec.rope, spec.context);
  spec.parallel = config.flag("use_parallel_residual", true);
  spec.tied = config.flag("tie_word_embeddings", false);
  return spec;
}

// query_key_value [heads * 3 * d_head, d_model], its rows ordered [head, q|k|v, d_head].
void fused_qkv(TensorPlan& plan, const std::string& ours, const std::string& theirs, const ModelSpec& spec,
               bool bias) {
  const char* letters[] = {"Q", "K", "V"};
  const int64_t d = spec.d_model;
  for (int64_t i = 0; i < 3; ++i) {
    TensorTake weight;
    weight.source = theirs + ".weight";
    weight.view = {spec.heads, 3, spec.d_head, d};
    weight.axis = 1;
    weight.begin = i;
    weight.end = i + 1;
    weight.shape = {d, d};
    plan.take(ours + ".W_" + letters[i], {3 * d, d}, weight);
    if (!bias) continue;
    TensorTake offset;
    offset.source = theirs + ".bias";
    offset.view = {spec.heads, 3, spec.d_head};
    offset.axis = 1;
    offset.begin = i;
    offset.end = i + 1;
    offset.shape = {d};
    plan.take(ours + ".b_" + letters[i], {3 * d}, offset);
  }
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ConfigKeys config(json, "config.json");
  const ModelSpec& spec = reading.spec = spec_of(config);
  const bool bias = config.flag("attention_bias", true);
  TensorPlan plan(tensors, reading.recipe, "gpt_neox");
  const std::string top = tensors.contains("embed_in.weight") ? "" : "gpt_neox.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  plan.whole("embed.W_E", top + "embed_in.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer),
                      theirs = fmt::format("{}layers.{}.", top, layer);
    plan.whole(ours + "ln1.w", theirs + "input_layernorm.weight", {d});
    plan.whole(ours + "ln1.b", theirs + "input_layernorm.bias", {d});
    fused_qkv(plan, ours + "attn", theirs + "attention.query_key_value", spec, bias);
    plan.whole(ours + "attn.W_O", theirs + "attention.dense.weight", {d, d});
    if (bias) plan.whole(ours + "attn.b_O", theirs + "attention.dense.bias", {d});
    plan.whole(ours + "ln2.w", theirs + "post_attention_layernorm.weight", {d});
    plan.whole(ours + "ln2.b", theirs + "post_attention_layernorm.bias", {d});
    plan.whole(ours + "mlp.W_in", theirs + "mlp.dense_h_to_4h.weight", {m, d});
    plan.whole(ours + "mlp.b_in", theirs + "mlp.dense_h_to_4h.bias", {m});
    plan.whole(ours + "mlp.W_out", theirs + "mlp.dense_4h_to_h.weight", {d, m});
    plan.whole(ours + "mlp.b_out", theirs + "mlp.dense_4h_to_h.bias", {d});
    // The causal mask, its fill value and the rotary frequencies, saved as if they were weights.
    for (const char* buffer : {"attention.bias", "attention.masked_bias", "attention.rotary_emb.inv_freq"})
      if (plan.has(theirs + buffer)) reading.ignored.push_back(theirs + buffer);
    plan.stop_if_hopeless();
  }
  if (plan.has(top + "rotary_emb.inv_freq")) reading.ignored.push_back(top + "rotary_emb.inv_freq");
  plan.whole("ln_final.w", top + "final_layer_norm.weight", {d});
  plan.whole("ln_final.b", top + "final_layer_norm.bias", {d});
  plan.whole("unembed.W_U", spec.tied ? top + "embed_in.weight" : "embed_out.weight", {spec.vocab, d});
  if (spec.tied && plan.has("embed_out.weight")) reading.ignored.push_back("embed_out.weight");
  plan.finish();
  return reading;
}

}  // namespace

void add_gpt_neox(FamilyCatalog& catalog) {
  catalog.add({.name = "gpt_neox",
               .summary = "GPT-NeoX, Pythia and PolyPythias: partial rotary, parallel residual",
               .model_types = {"gpt_neox"},
               .architectures = {"GPTNeoXForCausalLM"},
               .read = read});
}

}  // namespace varve
