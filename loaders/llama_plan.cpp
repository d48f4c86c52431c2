// Sizes and tensors of the Llama layout.
#include "loaders/llama_plan.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {
namespace {

struct Names {
  std::string ours, theirs;
};

// Four norms a layer at most; "post_attention_layernorm" is before the MLP in one layout and after attention
// in the other.
std::vector<Names> norms_of(const ModelSpec& spec) {
  std::vector<Names> norms;
  if (spec.pre_norm) norms.push_back({"ln1", "input_layernorm"});
  if (!spec.post_norm && !spec.shared_parallel_norm) norms.push_back({"ln2", "post_attention_layernorm"});
  if (spec.post_norm) {
    if (spec.pre_norm) norms.push_back({"ln2", "pre_feedforward_layernorm"});
    norms.push_back({"ln1_post", "post_attention_layernorm"});
    norms.push_back({"ln2_post", "post_feedforward_layernorm"});
  }
  return norms;
}

void plan_norm(TensorPlan& plan, const ModelSpec& spec, const std::string& ours, const std::string& theirs) {
  if (!spec.norm_has_gain) return;
  plan.whole(ours + ".w", theirs + ".weight", {spec.d_model});
  if (spec.norm == Norm::layer && spec.norm_has_bias)
    plan.whole(ours + ".b", theirs + ".bias", {spec.d_model});
}

void plan_linear(TensorPlan& plan, const Names& place, const std::string& letters, const std::string& name,
                 int64_t out, int64_t in, bool bias) {
  plan.whole(place.ours + "W_" + letters, place.theirs + name + ".weight", {out, in});
  if (bias) plan.whole(place.ours + "b_" + letters, place.theirs + name + ".bias", {out});
}

void plan_attention(TensorPlan& plan, const ModelSpec& spec, const Names& attn, const LlamaLayout& layout) {
  const int64_t d = spec.d_model, q_width = spec.heads * spec.d_head, kv_width = spec.kv_heads * spec.d_head;
  plan_linear(plan, attn, "Q", "q_proj", q_width, d, layout.qkv_bias);
  plan_linear(plan, attn, "K", "k_proj", kv_width, d, layout.qkv_bias);
  plan_linear(plan, attn, "V", "v_proj", kv_width, d, layout.qkv_bias);
  plan_linear(plan, attn, "O", "o_proj", d, q_width, layout.out_bias);
  if (spec.qk_norm_full || spec.qk_norm_per_head) {
    plan.whole(attn.ours + "q_norm.w", attn.theirs + "q_norm.weight",
               {spec.qk_norm_full ? q_width : spec.d_head});
    plan.whole(attn.ours + "k_norm.w", attn.theirs + "k_norm.weight",
               {spec.qk_norm_full ? kv_width : spec.d_head});
  }
}

}  // namespace

ModelSpec llama_spec(const ConfigKeys& config, const LlamaDefaults& defaults) {
  ModelSpec spec;
  spec.layers = layer_count(config, "num_hidden_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.d_mlp = config.size("intermediate_size");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", defaults.context);
  const bool as_queries = defaults.kv_heads == 0 || config.given_as_null("num_key_value_heads");
  spec.kv_heads = config.size("num_key_value_heads", as_queries ? spec.heads : defaults.kv_heads);
  const bool own_head = defaults.d_head > 0 && !config.given_as_null("head_dim");
  if (!config.has("head_dim") && !own_head && spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_attention_heads {}, and head_dim is not given",
         spec.d_model, spec.heads);
  spec.d_head =
      config.size("head_dim", own_head ? defaults.d_head : std::max<int64_t>(1, spec.d_model / spec.heads));
  spec.norm = Norm::rms;
  spec.norm_has_bias = false;
  spec.norm_eps = config.real("rms_norm_eps", defaults.norm_eps);
  spec.activation = activation_from(config.text("hidden_act", defaults.activation));
  spec.gated_mlp = true;
  spec.positions = Positions::rotary;
  spec.rope = read_rope(config, defaults.theta, spec.context);
  spec.rope.dims = rotary_dims(config, spec.d_head, defaults.rotary_part);
  spec.context = usable_context(spec.rope, spec.context);
  spec.tied = config.flag("tie_word_embeddings", defaults.tied);
  return spec;
}

std::vector<int64_t> qwen_windows(const ConfigKeys& config, int64_t layers) {
  const bool used = config.flag("use_sliding_window", false);
  const nlohmann::json* found = config.find("max_window_layers");
  if (found && !(found->is_number_integer() && *found >= 0))
    fail("config.json: 'max_window_layers' is {}, expected a whole number from 0 on",
         found->dump().substr(0, 80));
  const int64_t first = found ? found->get<int64_t>() : 28;
  return windows_of(config, layers, used ? sliding_window(config, 4096) : std::nullopt,
                    [first](int64_t layer) { return layer >= first; });
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

void plan_llama(FamilyReading& reading, const TensorShapes& tensors, const std::string& family,
                const LlamaLayout& layout) {
  const ModelSpec& spec = reading.spec;
  TensorPlan plan(tensors, reading.recipe, family);
  const std::string top = tensors.contains("embed_tokens.weight") ? "" : "model.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  plan.whole("embed.W_E", top + "embed_tokens.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const Names block = {fmt::format("blocks.{}.", layer), fmt::format("{}layers.{}.", top, layer)};
    for (const Names& norm : norms_of(spec))
      plan_norm(plan, spec, block.ours + norm.ours, block.theirs + norm.theirs);
    plan_attention(plan, spec, {block.ours + "attn.", block.theirs + "self_attn."}, layout);
    if (layout.mlp) {
      layout.mlp(plan, layer, block.ours + "mlp.", block.theirs);
    } else {
      const Names mlp = {block.ours + "mlp.", block.theirs + "mlp."};
      plan_linear(plan, mlp, "gate", "gate_proj", m, d, layout.mlp_bias);
      plan_linear(plan, mlp, "in", "up_proj", m, d, layout.mlp_bias);
      plan_linear(plan, mlp, "out", "down_proj", d, m, layout.mlp_bias);
    }
    const std::string frequencies = block.theirs + "self_attn.rotary_emb.inv_freq";
    if (plan.has(frequencies)) reading.ignored.push_back(frequencies);
    plan.stop_if_hopeless();
  }
  if (plan.has(top + "rotary_emb.inv_freq")) reading.ignored.push_back(top + "rotary_emb.inv_freq");
  plan_norm(plan, spec, "ln_final", top + "norm");
  plan.whole("unembed.W_U", spec.tied ? top + "embed_tokens.weight" : "lm_head.weight", {spec.vocab, d});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
}

}  // namespace varve
