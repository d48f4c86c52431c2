// GPT-J: interleaved rotary on a part of each head, parallel blocks behind one norm, a biased unembedding.
#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

ModelSpec spec_of(const ConfigKeys& config) {
  ModelSpec spec;
  spec.layers = layer_count(config, "n_layer");
  spec.d_model = config.size("n_embd");
  spec.heads = spec.kv_heads = config.size("n_head");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("n_positions", 2048);
  spec.d_mlp = config.size("n_inner", 4 * spec.d_model);
  if (spec.d_model % spec.heads != 0)
    fail("config.json: n_embd {} is no multiple of n_head {}", spec.d_model, spec.heads);
  spec.d_head = spec.d_model / spec.heads;
  spec.norm = Norm::layer;
  spec.norm_eps = config.real("layer_norm_epsilon", 1e-5);
  spec.activation = activation_from(config.text("activation_function", "gelu_new"));
  spec.positions = Positions::rotary;
  spec.rope.interleaved = true;
  spec.rope.dims = config.size("rotary_dim", config.given_as_null("rotary_dim") ? spec.d_model : 64);
  if (spec.rope.dims > spec.d_head)
    fail("config.json: rotary_dim {} is wider than a head of {}", spec.rope.dims, spec.d_head);
  spec.parallel = spec.shared_parallel_norm = true;
  spec.tied = config.flag("tie_word_embeddings", false);
  return spec;
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ModelSpec& spec = reading.spec = spec_of(ConfigKeys(json, "config.json"));
  TensorPlan plan(tensors, reading.recipe, "gptj");
  const std::string top = tensors.contains("wte.weight") ? "" : "transformer.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  plan.whole("embed.W_E", top + "wte.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer), theirs = fmt::format("{}h.{}.", top, layer);
    plan.whole(ours + "ln1.w", theirs + "ln_1.weight", {d});
    plan.whole(ours + "ln1.b", theirs + "ln_1.bias", {d});
    plan.whole(ours + "attn.W_Q", theirs + "attn.q_proj.weight", {d, d});
    plan.whole(ours + "attn.W_K", theirs + "attn.k_proj.weight", {d, d});
    plan.whole(ours + "attn.W_V", theirs + "attn.v_proj.weight", {d, d});
    plan.whole(ours + "attn.W_O", theirs + "attn.out_proj.weight", {d, d});
    plan.whole(ours + "mlp.W_in", theirs + "mlp.fc_in.weight", {m, d});
    plan.whole(ours + "mlp.b_in", theirs + "mlp.fc_in.bias", {m});
    plan.whole(ours + "mlp.W_out", theirs + "mlp.fc_out.weight", {d, m});
    plan.whole(ours + "mlp.b_out", theirs + "mlp.fc_out.bias", {d});
    // The causal mask, its fill value and the table of angles, saved as if they were weights.
    for (const char* buffer : {"attn.bias", "attn.masked_bias", "attn.embed_positions"})
      if (plan.has(theirs + buffer)) reading.ignored.push_back(theirs + buffer);
    plan.stop_if_hopeless();
  }
  plan.whole("ln_final.w", top + "ln_f.weight", {d});
  plan.whole("ln_final.b", top + "ln_f.bias", {d});
  plan.whole("unembed.W_U", spec.tied ? top + "wte.weight" : "lm_head.weight", {spec.vocab, d});
  plan.whole("unembed.b_U", "lm_head.bias", {spec.vocab});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
  return reading;
}

}  // namespace

void add_gptj(FamilyCatalog& catalog) {
  catalog.add({.name = "gptj",
               .summary = "GPT-J: interleaved partial rotary, parallel blocks behind one norm",
               .model_types = {"gptj"},
               .architectures = {"GPTJForCausalLM"},
               .read = read});
}

}  // namespace varve
