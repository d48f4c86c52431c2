// GPT-2: learned positions, layer norms with biases, fused q/k/v in Conv1D layers stored [in, out].
#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

ModelSpec spec_of(const ConfigKeys& config) {
  ModelSpec spec;
  spec.layers = config.size("n_layer");
  spec.d_model = config.size("n_embd");
  spec.heads = spec.kv_heads = config.size("n_head");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("n_positions", config.size("n_ctx", 1024));
  spec.d_mlp = config.size("n_inner", 4 * spec.d_model);
  if (spec.d_model % spec.heads != 0)
    fail("config.json: n_embd {} is no multiple of n_head {}", spec.d_model, spec.heads);
  spec.d_head = spec.d_model / spec.heads;
  spec.norm = Norm::layer;
  spec.norm_eps = config.real("layer_norm_epsilon", 1e-5);
  spec.activation = activation_from(config.text("activation_function", "gelu_new"));
  spec.positions = Positions::learned;
  spec.tied = config.flag("tie_word_embeddings", true);
  spec.attention_scale = config.flag("scale_attn_weights", true) ? 0 : 1;
  spec.scale_by_layer = config.flag("scale_attn_by_inverse_layer_idx", false);
  if (config.flag("add_cross_attention", false))
    fail("config.json: add_cross_attention is set; GPT-2 with an encoder is not supported");
  return spec;
}

// c_attn [d_model, 3 d_model]: q, k and v side by side along the outputs.
void fused_qkv(TensorPlan& plan, const std::string& ours, const std::string& theirs, int64_t d) {
  const char* letters[] = {"Q", "K", "V"};
  for (int64_t i = 0; i < 3; ++i) {
    TensorTake weight;
    weight.source = theirs + ".weight";
    weight.axis = 1;
    weight.begin = i * d;
    weight.end = (i + 1) * d;
    weight.permute = {1, 0};
    weight.shape = {d, d};
    plan.take(ours + ".W_" + letters[i], {d, 3 * d}, weight);
    TensorTake bias;
    bias.source = theirs + ".bias";
    bias.axis = 0;
    bias.begin = i * d;
    bias.end = (i + 1) * d;
    bias.shape = {d};
    plan.take(ours + ".b_" + letters[i], {3 * d}, bias);
  }
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ModelSpec& spec = reading.spec = spec_of(ConfigKeys(json, "config.json"));
  TensorPlan plan(tensors, reading.recipe, "gpt2");
  // The oldest published files leave the prefix out.
  const std::string top = tensors.contains("wte.weight") ? "" : "transformer.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  plan.whole("embed.W_E", top + "wte.weight", {spec.vocab, d});
  plan.whole("pos_embed.W_pos", top + "wpe.weight", {spec.context, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer), theirs = fmt::format("{}h.{}.", top, layer);
    plan.whole(ours + "ln1.w", theirs + "ln_1.weight", {d});
    plan.whole(ours + "ln1.b", theirs + "ln_1.bias", {d});
    fused_qkv(plan, ours + "attn", theirs + "attn.c_attn", d);
    plan.transposed(ours + "attn.W_O", theirs + "attn.c_proj.weight", {d, d});
    plan.whole(ours + "attn.b_O", theirs + "attn.c_proj.bias", {d});
    plan.whole(ours + "ln2.w", theirs + "ln_2.weight", {d});
    plan.whole(ours + "ln2.b", theirs + "ln_2.bias", {d});
    plan.transposed(ours + "mlp.W_in", theirs + "mlp.c_fc.weight", {m, d});
    plan.whole(ours + "mlp.b_in", theirs + "mlp.c_fc.bias", {m});
    plan.transposed(ours + "mlp.W_out", theirs + "mlp.c_proj.weight", {d, m});
    plan.whole(ours + "mlp.b_out", theirs + "mlp.c_proj.bias", {d});
    // The causal mask and its fill value, saved as if they were weights.
    for (const char* buffer : {"attn.bias", "attn.masked_bias"})
      if (plan.has(theirs + buffer)) reading.ignored.push_back(theirs + buffer);
    plan.stop_if_hopeless();
  }
  plan.whole("ln_final.w", top + "ln_f.weight", {d});
  plan.whole("ln_final.b", top + "ln_f.bias", {d});
  plan.whole("unembed.W_U", spec.tied ? top + "wte.weight" : "lm_head.weight", {spec.vocab, d});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
  return reading;
}

}  // namespace

void add_gpt2(FamilyCatalog& catalog) {
  catalog.add({.name = "gpt2",
               .summary = "GPT-2 and its kin: learned positions, sequential blocks, Conv1D weights",
               .model_types = {"gpt2"},
               .architectures = {"GPT2LMHeadModel"},
               .read = read});
}

}  // namespace varve
