// The reference for all families of the Llama layout, with experts or without.
#pragma once

#include "tests/loaders/families/naive_model.h"

namespace varve::naive {

inline Rows Model::gated(const Rows& x, const std::string& place, const std::vector<std::string>& names,
                         int64_t hidden, Bias bias) {
  std::string act = key<std::string>("hidden_act", is({"gemma", "gemma2"}) ? "gelu_pytorch_tanh" : "silu");
  act = key<std::string>("hidden_activation", act);
  Rows product = activated(linear(x, place + names[0], hidden, bias), act);
  const Rows up = linear(x, place + names[1], hidden, bias);
  for (size_t pos = 0; pos < product.size(); ++pos)
    for (size_t i = 0; i < product[pos].size(); ++i) product[pos][i] *= up[pos][i];
  return linear(product, place + names[2], static_cast<int64_t>(x.front().size()), bias);
}

inline Rows Model::experts(const Rows& x, const std::string& block) {
  const bool mixtral = type_ == "mixtral";
  const std::string place = block + (mixtral ? "block_sparse_moe." : "mlp.");
  const int64_t count = size(mixtral ? "num_local_experts" : "num_experts"),
                chosen = size("num_experts_per_tok");
  const int64_t hidden = is({"mixtral", "olmoe"}) ? size("intermediate_size") : size("moe_intermediate_size");
  const bool renormalise = mixtral || key("norm_topk_prob", false);
  const std::vector<std::string> names = mixtral
                                             ? std::vector<std::string>{"w1", "w3", "w2"}
                                             : std::vector<std::string>{"gate_proj", "up_proj", "down_proj"};
  const Rows scores = linear(x, place + "gate", count, Bias::no);
  Rows weights;
  for (Vec probs : scores) {
    softmax(probs);
    Vec sorted = probs;
    std::sort(sorted.rbegin(), sorted.rend());
    const double least = sorted.at(static_cast<size_t>(chosen - 1));
    double sum = 0;
    for (double& one : probs) sum += one = one >= least ? one : 0;
    for (double& one : probs) one /= renormalise ? sum : 1;
    weights.push_back(probs);
  }
  Rows out(x.size(), Vec(x.front().size(), 0));
  for (int64_t expert = 0; expert < count; ++expert) {
    const Rows one = gated(x, place + "experts." + std::to_string(expert) + ".", names, hidden, Bias::no);
    for (size_t pos = 0; pos < x.size(); ++pos)
      for (size_t i = 0; i < out[pos].size(); ++i)
        out[pos][i] += weights[pos][static_cast<size_t>(expert)] * one[pos][i];
  }
  if (type_ == "qwen2_moe") {
    const Rows shared =
        gated(x, place + "shared_expert.", names, size("shared_expert_intermediate_size"), Bias::no);
    const Rows gate = linear(x, place + "shared_expert_gate", 1, Bias::no);
    for (size_t pos = 0; pos < x.size(); ++pos)
      for (size_t i = 0; i < out[pos].size(); ++i)
        out[pos][i] += shared[pos][i] / (1 + std::exp(-gate[pos][0]));
  }
  return out;
}

inline bool Model::slides(int64_t layer) const {
  if (is({"qwen2", "qwen3", "qwen2_moe", "qwen3_moe"}) && !key("use_sliding_window", false)) return false;
  if (config_.contains("layer_types"))
    return config_["layer_types"].at(static_cast<size_t>(layer)) == "sliding_attention";
  if (type_ == "gemma2") return layer % 2 == 0;
  if (is({"qwen2", "qwen3"})) return layer >= key<int64_t>("max_window_layers", 28);
  return is({"mistral", "mixtral", "qwen3_moe"});
}

inline Output Model::llama() {
  const bool gemma = is({"gemma", "gemma2"}), both_norms = type_ == "gemma2", olmo = type_ == "olmo";
  const int64_t d = size("hidden_size"), heads = size("num_attention_heads");
  const int64_t d_head = key<int64_t>("head_dim", d / heads),
                groups = key<int64_t>("num_key_value_heads", heads);
  const bool stable = type_ == "stablelm", layer_normed = olmo || stable;
  const double eps = olmo ? 1e-5 : layer_normed ? key("layer_norm_eps", 1e-5) : key("rms_norm_eps", 1e-6);
  const auto norm = [&](const Rows& x, const std::string& name) {
    if (stable) return normed(x, name, eps);
    if (olmo) return each(x, [&](const Vec& row) { return layer_norm(row, {}, {}, eps); });
    const Vec w = vec(name + ".weight", static_cast<int64_t>(x.front().size()), gemma ? 0 : 1);
    return each(x, [&](const Vec& row) { return rms_norm(row, w, eps, gemma ? 1 : 0); });
  };
  const bool bias = key("attention_bias", false), qwen2 = is({"qwen2", "qwen2_moe"});
  const bool qkv = qwen2 ? key("qkv_bias", true) : stable ? key("use_qkv_bias", false) : bias;
  const Bias qkv_bias = qkv ? Bias::yes : Bias::no, out_bias = bias && !qwen2 ? Bias::yes : Bias::no;
  const Bias mlp_bias = key("mlp_bias", false) ? Bias::yes : Bias::no;
  const int64_t dims = static_cast<int64_t>(static_cast<double>(d_head) * (stable ? part(0.25) : 1));
  const double theta = key("rope_theta", type_ == "mixtral" ? 1e6 : 10000.0), clip = key("clip_qkv", 0.0);
  Output out;
  Rows x = lookup("model.embed_tokens.weight", size("vocab_size"), d, tokens_);
  if (gemma)
    for (Vec& row : x)
      for (double& value : row) value *= std::sqrt(static_cast<double>(d));
  for (int64_t layer = 0; layer < size("num_hidden_layers"); ++layer) {
    const std::string block = "model.layers." + std::to_string(layer) + ".", attention = block + "self_attn.";
    const bool before = type_ != "olmo2";
    const Rows in = before ? norm(x, block + "input_layernorm") : x;
    Rows q = linear(in, attention + "q_proj", heads * d_head, qkv_bias);
    Rows k = linear(in, attention + "k_proj", groups * d_head, qkv_bias);
    Rows v = linear(in, attention + "v_proj", groups * d_head, qkv_bias);
    if (is({"olmo2", "olmoe"})) {
      q = norm(q, attention + "q_norm");
      k = norm(k, attention + "k_norm");
    }
    if (is({"qwen3", "qwen3_moe"})) {
      const Vec wq = vec(attention + "q_norm.weight", d_head, 1),
                wk = vec(attention + "k_norm.weight", d_head, 1);
      q = each_head(q, d_head, [&](const Vec& head, int64_t) { return rms_norm(head, wq, eps); });
      k = each_head(k, d_head, [&](const Vec& head, int64_t) { return rms_norm(head, wk, eps); });
    }
    if (clip > 0)
      for (Rows* rows : {&q, &k, &v})
        for (Vec& row : *rows)
          for (double& value : row) value = std::clamp(value, -clip, clip);
    Attention how{heads, groups, d_head, 1 / std::sqrt(static_cast<double>(d_head))};
    if (both_norms) {
      how.scale = 1 / std::sqrt(key("query_pre_attn_scalar", 256.0));
      how.softcap = config_.contains("attn_logit_softcapping") ? key("attn_logit_softcapping", 0.0) : 50;
    }
    if (slides(layer))
      how.window = key<int64_t>("sliding_window", config_.contains("sliding_window") ? 0 : 4096);
    const Rows mixed = linear(attend(how, turned(q, d_head, dims, theta, Turn::halves),
                                     turned(k, d_head, dims, theta, Turn::halves), v),
                              attention + "o_proj", d, out_bias);
    const bool parallel = stable && key("use_parallel_residual", false);
    const bool after = both_norms || !before;
    const Rows middle = plus(x, after ? norm(mixed, block + "post_attention_layernorm") : mixed);
    const std::string second = both_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
    const Rows mlp_in = parallel ? in : before ? norm(middle, block + second) : middle;
    bool sparse = is({"mixtral", "olmoe"});
    if (is({"qwen2_moe", "qwen3_moe"})) {
      const auto dense = key<std::vector<int64_t>>("mlp_only_layers", {});
      sparse = (layer + 1) % key<int64_t>("decoder_sparse_step", 1) == 0 &&
               std::find(dense.begin(), dense.end(), layer) == dense.end();
    }
    const Rows mlp = sparse ? experts(mlp_in, block)
                            : gated(mlp_in, block + "mlp.", {"gate_proj", "up_proj", "down_proj"},
                                    size("intermediate_size"), mlp_bias);
    x = plus(middle, after ? norm(mlp, block + "post_feedforward_layernorm") : mlp);
    out.resid_post.push_back(x);
  }
  out.logits = unembedded(norm(x, "model.norm"), "lm_head", "model.embed_tokens.weight",
                          key("tie_word_embeddings", gemma), Bias::no);
  const double cap = !both_norms                                   ? 0
                     : config_.contains("final_logit_softcapping") ? key("final_logit_softcapping", 0.0)
                                                                   : 30;
  if (cap > 0)
    for (Vec& row : out.logits)
      for (double& value : row) value = cap * std::tanh(value / cap);
  return out;
}

}  // namespace varve::naive
