// The Llama layout, which several families share: separate q/k/v, gated MLP, RMS norms, rotary on whole
// heads.
#include "loaders/family_reader.h"

namespace varve {

void plan_llama(FamilyReading& reading, const TensorShapes& tensors, const std::string& family,
                LlamaBiases biases) {
  const ModelSpec& spec = reading.spec;
  TensorPlan plan(tensors, reading.recipe, family);
  const std::string top = tensors.contains("embed_tokens.weight") ? "" : "model.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  const int64_t q_width = spec.heads * spec.d_head, kv_width = spec.kv_heads * spec.d_head;
  const auto linear = [&](const std::string& ours, const std::string& letters, const std::string& theirs,
                          int64_t out, int64_t in, bool bias) {
    plan.whole(ours + "W_" + letters, theirs + ".weight", {out, in});
    if (bias) plan.whole(ours + "b_" + letters, theirs + ".bias", {out});
  };
  plan.whole("embed.W_E", top + "embed_tokens.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer),
                      theirs = fmt::format("{}layers.{}.", top, layer);
    const std::string attention = theirs + "self_attn.";
    plan.whole(ours + "ln1.w", theirs + "input_layernorm.weight", {d});
    linear(ours + "attn.", "Q", attention + "q_proj", q_width, d, biases.qkv);
    linear(ours + "attn.", "K", attention + "k_proj", kv_width, d, biases.qkv);
    linear(ours + "attn.", "V", attention + "v_proj", kv_width, d, biases.qkv);
    linear(ours + "attn.", "O", attention + "o_proj", d, q_width, biases.out);
    plan.whole(ours + "ln2.w", theirs + "post_attention_layernorm.weight", {d});
    linear(ours + "mlp.", "gate", theirs + "mlp.gate_proj", m, d, biases.mlp);
    linear(ours + "mlp.", "in", theirs + "mlp.up_proj", m, d, biases.mlp);
    linear(ours + "mlp.", "out", theirs + "mlp.down_proj", d, m, biases.mlp);
    if (plan.has(attention + "rotary_emb.inv_freq"))
      reading.ignored.push_back(attention + "rotary_emb.inv_freq");
    plan.stop_if_hopeless();
  }
  if (plan.has(top + "rotary_emb.inv_freq")) reading.ignored.push_back(top + "rotary_emb.inv_freq");
  plan.whole("ln_final.w", top + "norm.weight", {d});
  plan.whole("unembed.W_U", spec.tied ? top + "embed_tokens.weight" : "lm_head.weight", {spec.vocab, d});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
}

}  // namespace varve
