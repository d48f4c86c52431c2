// Sizes and tensors of Llama-like families with experts, or without norm gains.
#include "loaders/expert_plan.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {

ModelSpec llama_like_spec(const ConfigKeys& config, const LlamaDefaults& defaults) {
  ModelSpec spec;
  spec.layers = config.size("num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", defaults.context);
  const bool as_queries = defaults.kv_heads == 0 || config.given_as_null("num_key_value_heads");
  spec.kv_heads = config.size("num_key_value_heads", as_queries ? spec.heads : defaults.kv_heads);
  if (!config.has("head_dim") && spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}, and head_dim is not given",
         spec.d_model, spec.heads);
  spec.d_head = config.size("head_dim", std::max<int64_t>(1, spec.d_model / spec.heads));
  spec.norm = Norm::rms;
  spec.norm_has_bias = false;
  spec.norm_eps = config.real("rms_norm_eps", defaults.norm_eps);
  spec.activation = activation_from(config.text("hidden_act", "silu"));
  spec.gated_mlp = true;
  spec.positions = Positions::rotary;
  spec.rope = read_rope(config, defaults.theta, spec.context);
  spec.rope.dims = spec.d_head;
  spec.tied = config.flag("tie_word_embeddings", false);
  return spec;
}

const GatedNames& projection_names() {
  static const GatedNames names = {"gate_proj", "up_proj", "down_proj"};
  return names;
}

void plan_gated(TensorPlan& plan, const std::string& ours, const std::string& theirs, const GatedNames& names,
                int64_t width, int64_t hidden) {
  plan.whole(ours + "W_gate", theirs + names.gate + ".weight", {hidden, width});
  plan.whole(ours + "W_in", theirs + names.in + ".weight", {hidden, width});
  plan.whole(ours + "W_out", theirs + names.out + ".weight", {width, hidden});
}

void plan_experts(TensorPlan& plan, const ModelSpec& spec, const std::string& ours, const std::string& theirs,
                  const GatedNames& names) {
  plan.whole(ours + "W_router", theirs + "gate.weight", {spec.experts, spec.d_model});
  for (int64_t expert = 0; expert < spec.experts; ++expert) {
    plan_gated(plan, fmt::format("{}experts.{}.", ours, expert), fmt::format("{}experts.{}.", theirs, expert),
               names, spec.d_model, spec.d_expert);
    plan.stop_if_hopeless();
  }
}

void plan_llama_like(FamilyReading& reading, const TensorShapes& tensors, const std::string& family,
                     const LlamaLikeLayout& layout) {
  const ModelSpec& spec = reading.spec;
  TensorPlan plan(tensors, reading.recipe, family);
  const std::string top = tensors.contains("embed_tokens.weight") ? "" : "model.";
  const int64_t d = spec.d_model, q_width = spec.heads * spec.d_head, kv_width = spec.kv_heads * spec.d_head;
  plan.whole("embed.W_E", top + "embed_tokens.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer),
                      theirs = fmt::format("{}layers.{}.", top, layer);
    const auto project = [&](const std::string& letter, const std::string& name, int64_t out, int64_t in,
                             bool bias) {
      plan.whole(ours + "attn.W_" + letter, theirs + "self_attn." + name + ".weight", {out, in});
      if (bias) plan.whole(ours + "attn.b_" + letter, theirs + "self_attn." + name + ".bias", {out});
    };
    project("Q", "q_proj", q_width, d, layout.qkv_bias);
    project("K", "k_proj", kv_width, d, layout.qkv_bias);
    project("V", "v_proj", kv_width, d, layout.qkv_bias);
    project("O", "o_proj", d, q_width, layout.out_bias);
    if (spec.qk_norm_full) {
      plan.whole(ours + "attn.q_norm.w", theirs + "self_attn.q_norm.weight", {q_width});
      plan.whole(ours + "attn.k_norm.w", theirs + "self_attn.k_norm.weight", {kv_width});
    }
    if (spec.norm_has_gain) {
      plan.whole(ours + "ln1.w", theirs + "input_layernorm.weight", {d});
      plan.whole(ours + "ln2.w", theirs + "post_attention_layernorm.weight", {d});
    }
    layout.mlp(plan, layer, ours + "mlp.", theirs);
    const std::string frequencies = theirs + "self_attn.rotary_emb.inv_freq";
    if (plan.has(frequencies)) reading.ignored.push_back(frequencies);
    plan.stop_if_hopeless();
  }
  if (spec.norm_has_gain) plan.whole("ln_final.w", top + "norm.weight", {d});
  plan.whole("unembed.W_U", spec.tied ? top + "embed_tokens.weight" : "lm_head.weight", {spec.vocab, d});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
}

}  // namespace varve
