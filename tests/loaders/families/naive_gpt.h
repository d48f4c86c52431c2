// The reference for families of GPT's kin: GPT-2, GPT-Neo, GPT-J, GPT-NeoX, Phi.
#pragma once

#include "tests/loaders/families/naive_model.h"

namespace varve::naive {

inline Output Model::gpt() {
  const bool neo = type_ == "gpt_neo";
  const int64_t d = size(neo ? "hidden_size" : "n_embd"), heads = size(neo ? "num_heads" : "n_head");
  const int64_t layers = size(neo ? "num_layers" : "n_layer"), d_head = d / heads;
  const int64_t context = key<int64_t>(neo ? "max_position_embeddings" : "n_positions", neo ? 2048 : 1024);
  const int64_t hidden = key<int64_t>(neo ? "intermediate_size" : "n_inner", 4 * d);
  const double eps = key("layer_norm_epsilon", 1e-5);
  const std::string act = key<std::string>("activation_function", "gelu_new");
  Output out;
  Rows x = plus(lookup("transformer.wte.weight", size("vocab_size"), d, tokens_),
                lookup("transformer.wpe.weight", context, d, places()));
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string block = "transformer.h." + std::to_string(layer) + ".";
    const Rows in = normed(x, block + "ln_1", eps);
    Attention how{heads, heads, d_head};
    Rows q, k, v, mixed;
    if (neo) {
      const std::string attention = block + "attn.attention.";
      q = linear(in, attention + "q_proj", d, Bias::no);
      k = linear(in, attention + "k_proj", d, Bias::no);
      v = linear(in, attention + "v_proj", d, Bias::no);
      std::string kind = layer % 2 == 0 ? "global" : "local";
      if (config_.contains("attention_types")) {
        std::vector<std::string> kinds;
        for (const json& run : config_["attention_types"])
          for (int64_t i = 0; i < run[1]; ++i)
            for (const json& one : run[0]) kinds.push_back(one);
        kind = kinds.at(static_cast<size_t>(layer));
      }
      if (kind == "local") how.window = key<int64_t>("window_size", 256);
      mixed = linear(attend(how, q, k, v), attention + "out_proj", d, Bias::yes);
    } else {
      const Rows fused = convolved(in, block + "attn.c_attn", 3 * d);
      for (const Vec& row : fused) {
        q.push_back(head_of(row, 0, d));
        k.push_back(head_of(row, 1, d));
        v.push_back(head_of(row, 2, d));
      }
      if (key("scale_attn_weights", true)) how.scale /= std::sqrt(static_cast<double>(d_head));
      if (key("scale_attn_by_inverse_layer_idx", false)) how.scale /= static_cast<double>(layer + 1);
      mixed = convolved(attend(how, q, k, v), block + "attn.c_proj", d);
    }
    x = plus(x, mixed);
    const Rows second = normed(x, block + "ln_2", eps);
    if (neo)
      x = plus(x, linear(activated(linear(second, block + "mlp.c_fc", hidden, Bias::yes), act),
                         block + "mlp.c_proj", d, Bias::yes));
    else
      x = plus(x, convolved(activated(convolved(second, block + "mlp.c_fc", hidden), act),
                            block + "mlp.c_proj", d));
    out.resid_post.push_back(x);
  }
  out.logits = unembedded(normed(x, "transformer.ln_f", eps), "lm_head", "transformer.wte.weight",
                          key("tie_word_embeddings", true), Bias::no);
  return out;
}

inline Output Model::gptj() {
  const int64_t d = size("n_embd"), heads = size("n_head"), d_head = d / heads;
  const double eps = key("layer_norm_epsilon", 1e-5);
  const std::string act = key<std::string>("activation_function", "gelu_new");
  Output out;
  Rows x = lookup("transformer.wte.weight", size("vocab_size"), d, tokens_);
  for (int64_t layer = 0; layer < size("n_layer"); ++layer) {
    const std::string block = "transformer.h." + std::to_string(layer) + ".";
    const Rows in = normed(x, block + "ln_1", eps);
    const int64_t dims = key<int64_t>("rotary_dim", 64);
    const Rows q = turned(linear(in, block + "attn.q_proj", d, Bias::no), d_head, dims, 10000, Turn::pairs);
    const Rows k = turned(linear(in, block + "attn.k_proj", d, Bias::no), d_head, dims, 10000, Turn::pairs);
    const Rows v = linear(in, block + "attn.v_proj", d, Bias::no);
    const Attention how{heads, heads, d_head, 1 / std::sqrt(static_cast<double>(d_head))};
    const Rows mixed = linear(attend(how, q, k, v), block + "attn.out_proj", d, Bias::no);
    const Rows hidden =
        activated(linear(in, block + "mlp.fc_in", key<int64_t>("n_inner", 4 * d), Bias::yes), act);
    x = plus(plus(x, mixed), linear(hidden, block + "mlp.fc_out", d, Bias::yes));
    out.resid_post.push_back(x);
  }
  out.logits = unembedded(normed(x, "transformer.ln_f", eps), "lm_head", "transformer.wte.weight",
                          key("tie_word_embeddings", false), Bias::yes);
  return out;
}

inline Output Model::neox() {
  const int64_t d = size("hidden_size"), heads = size("num_attention_heads"), d_head = d / heads;
  const double eps = key("layer_norm_eps", 1e-5), theta = key("rotary_emb_base", key("rope_theta", 10000.0));
  const int64_t dims = static_cast<int64_t>(static_cast<double>(d_head) * key("rotary_pct", part(0.25)));
  const Bias bias = key("attention_bias", true) ? Bias::yes : Bias::no;
  Output out;
  Rows x = lookup("gpt_neox.embed_in.weight", size("vocab_size"), d, tokens_);
  for (int64_t layer = 0; layer < size("num_hidden_layers"); ++layer) {
    const std::string block = "gpt_neox.layers." + std::to_string(layer) + ".";
    // Rows of the fused matrix: head by head, q k v within each.
    const Rows fused =
        linear(normed(x, block + "input_layernorm", eps), block + "attention.query_key_value", 3 * d, bias);
    Rows q, k, v;
    for (const Vec& row : fused) {
      Vec parts[3];
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t which = 0; which < 3; ++which) {
          const Vec one = head_of(row, 3 * head + which, d_head);
          parts[which].insert(parts[which].end(), one.begin(), one.end());
        }
      q.push_back(parts[0]);
      k.push_back(parts[1]);
      v.push_back(parts[2]);
    }
    const Attention how{heads, heads, d_head, 1 / std::sqrt(static_cast<double>(d_head))};
    const Rows mixed = linear(attend(how, turned(q, d_head, dims, theta, Turn::halves),
                                     turned(k, d_head, dims, theta, Turn::halves), v),
                              block + "attention.dense", d, bias);
    const bool parallel = key("use_parallel_residual", true);
    const Rows middle = plus(x, mixed);
    const Rows second = normed(parallel ? x : middle, block + "post_attention_layernorm", eps);
    const Rows hidden =
        activated(linear(second, block + "mlp.dense_h_to_4h", size("intermediate_size"), Bias::yes),
                  key<std::string>("hidden_act", "gelu"));
    x = plus(middle, linear(hidden, block + "mlp.dense_4h_to_h", d, Bias::yes));
    out.resid_post.push_back(x);
  }
  out.logits = unembedded(normed(x, "gpt_neox.final_layer_norm", eps), "embed_out",
                          "gpt_neox.embed_in.weight", key("tie_word_embeddings", false), Bias::no);
  return out;
}

inline Output Model::phi() {
  const int64_t d = size("hidden_size"), heads = size("num_attention_heads"), d_head = d / heads;
  const int64_t groups = key<int64_t>("num_key_value_heads", heads);
  const double eps = key("layer_norm_eps", 1e-5), theta = key("rope_theta", 10000.0);
  const int64_t dims = static_cast<int64_t>(static_cast<double>(d_head) * part(0.5));
  Output out;
  Rows x = lookup("model.embed_tokens.weight", size("vocab_size"), d, tokens_);
  for (int64_t layer = 0; layer < size("num_hidden_layers"); ++layer) {
    const std::string block = "model.layers." + std::to_string(layer) + ".", attention = block + "self_attn.";
    const Rows in = normed(x, block + "input_layernorm", eps);
    Rows q = linear(in, attention + "q_proj", heads * d_head, Bias::yes);
    Rows k = linear(in, attention + "k_proj", groups * d_head, Bias::yes);
    const Rows v = linear(in, attention + "v_proj", groups * d_head, Bias::yes);
    if (key("qk_layernorm", false)) {
      const auto by_head = [&](const Rows& rows, const std::string& name) {
        const Vec w = vec(name + ".weight", d_head, 1), b = vec(name + ".bias", d_head, 0);
        return each_head(rows, d_head, [&](const Vec& head, int64_t) { return layer_norm(head, w, b, eps); });
      };
      q = by_head(q, attention + "q_layernorm");
      k = by_head(k, attention + "k_layernorm");
    }
    const Attention how{heads, groups, d_head, 1 / std::sqrt(static_cast<double>(d_head))};
    const Rows mixed = linear(attend(how, turned(q, d_head, dims, theta, Turn::halves),
                                     turned(k, d_head, dims, theta, Turn::halves), v),
                              attention + "dense", d, Bias::yes);
    const Rows hidden = activated(linear(in, block + "mlp.fc1", size("intermediate_size"), Bias::yes),
                                  key<std::string>("hidden_act", "gelu_new"));
    x = plus(plus(x, mixed), linear(hidden, block + "mlp.fc2", d, Bias::yes));
    out.resid_post.push_back(x);
  }
  out.logits = unembedded(normed(x, "model.final_layernorm", eps), "lm_head", "model.embed_tokens.weight",
                          key("tie_word_embeddings", false), Bias::yes);
  return out;
}

}  // namespace varve::naive
