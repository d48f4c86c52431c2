// ModelSpec as JSON, its sanity checks, and the one map from query heads to key heads.
#include "analysis/model/spec.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "analysis/core/error.h"

namespace varve {
namespace {

using nlohmann::json;

template <class Value>
using Names = std::vector<std::pair<Value, std::string_view>>;

Names<Norm> names_of(Norm) { return {{Norm::layer, "layer"}, {Norm::rms, "rms"}, {Norm::none, "none"}}; }
Names<Activation> names_of(Activation) {
  return {{Activation::gelu, "gelu"},
          {Activation::gelu_tanh, "gelu_tanh"},
          {Activation::silu, "silu"},
          {Activation::relu, "relu"},
          {Activation::quick_gelu, "quick_gelu"},
          {Activation::relu_squared, "relu_squared"},
          {Activation::square, "square"},
          {Activation::tanh, "tanh"},
          {Activation::sigmoid, "sigmoid"},
          {Activation::identity, "identity"}};
}
Names<Positions> names_of(Positions) {
  return {{Positions::none, "none"}, {Positions::learned, "learned"}, {Positions::rotary, "rotary"}};
}
Names<RopeScaling> names_of(RopeScaling) {
  return {{RopeScaling::none, "none"},
          {RopeScaling::linear, "linear"},
          {RopeScaling::dynamic, "dynamic"},
          {RopeScaling::llama3, "llama3"},
          {RopeScaling::yarn, "yarn"}};
}

// Every field once; the writer and the reader are both visitors of this list.
template <class TheRope, class Visit>
void each_rope_field(TheRope& rope, Visit&& visit) {
  visit("theta", rope.theta);
  visit("dims", rope.dims);
  visit("interleaved", rope.interleaved);
  visit("scaling", rope.scaling);
  visit("factor", rope.factor);
  visit("low_freq_factor", rope.low_freq_factor);
  visit("high_freq_factor", rope.high_freq_factor);
  visit("original_context", rope.original_context);
  visit("beta_fast", rope.beta_fast);
  visit("beta_slow", rope.beta_slow);
  visit("attention_factor", rope.attention_factor);
  visit("truncate", rope.truncate);
}

template <class Spec, class Visit>
void each_size(Spec& spec, Visit&& visit) {
  visit("layers", spec.layers);
  visit("d_model", spec.d_model);
  visit("heads", spec.heads);
  visit("kv_heads", spec.kv_heads);
  visit("d_head", spec.d_head);
  visit("d_mlp", spec.d_mlp);
  visit("vocab", spec.vocab);
  visit("context", spec.context);
}

template <class Spec, class Visit>
void each_choice(Spec& spec, Visit&& visit) {
  visit("family", spec.family);
  visit("architecture", spec.architecture);
  visit("norm", spec.norm);
  visit("norm_eps", spec.norm_eps);
  visit("norm_offset", spec.norm_offset);
  visit("norm_has_gain", spec.norm_has_gain);
  visit("norm_has_bias", spec.norm_has_bias);
  visit("activation", spec.activation);
  visit("gated_mlp", spec.gated_mlp);
  visit("positions", spec.positions);
  visit("rope", spec.rope);
  visit("parallel", spec.parallel);
  visit("shared_parallel_norm", spec.shared_parallel_norm);
  visit("tied", spec.tied);
  visit("attention_scale", spec.attention_scale);
  visit("scale_by_layer", spec.scale_by_layer);
  visit("window", spec.window);
  visit("qk_norm_per_head", spec.qk_norm_per_head);
  visit("qk_norm_full", spec.qk_norm_full);
  visit("clip_qkv", spec.clip_qkv);
  visit("pre_norm", spec.pre_norm);
  visit("post_norm", spec.post_norm);
  visit("embed_scale", spec.embed_scale);
  visit("logit_scale", spec.logit_scale);
  visit("logit_softcap", spec.logit_softcap);
  visit("attention_softcap", spec.attention_softcap);
  visit("experts", spec.experts);
  visit("experts_per_token", spec.experts_per_token);
  visit("d_expert", spec.d_expert);
  visit("d_shared", spec.d_shared);
  visit("renormalise", spec.renormalise);
  visit("shared_gate", spec.shared_gate);
  visit("sparse_layers", spec.sparse_layers);
  visit("causal", spec.causal);
  visit("attention", spec.attention);
  visit("mlp", spec.mlp);
  visit("residual", spec.residual);
  visit("final_norm", spec.final_norm);
  visit("norm_after_sum", spec.norm_after_sum);
  visit("d_embed", spec.d_embed);
  visit("vocab_out", spec.vocab_out);
  visit("joined_tokens", spec.joined_tokens);
}

struct Write {
  json& out;
  template <class Value>
  void operator()(const char* key, const Value& value) const {
    if constexpr (std::is_enum_v<Value>) {
      for (const auto& [one, name] : names_of(value))
        if (one == value) out[key] = name;
    } else if constexpr (std::is_same_v<Value, Rope>) {
      out[key] = json::object();
      each_rope_field(value, Write{out[key]});
    } else {
      out[key] = value;
    }
  }
};

struct Read {
  const json& in;
  std::string where;  // "" or "rope."
  bool required = false;

  template <class Value>
  void operator()(const char* key, Value& value) const {
    const auto found = in.find(key);
    if (found == in.end()) {
      if (required) fail("model description: the key '{}{}' is missing", where, key);
      return;
    }
    if constexpr (std::is_enum_v<Value>) {
      read_name(key, *found, value);
    } else if constexpr (std::is_same_v<Value, Rope>) {
      if (!found->is_object()) wrong(key, *found, "an object");
      each_rope_field(value, Read{*found, std::string(key) + "."});
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (!found->is_boolean()) wrong(key, *found, "true or false");
      value = found->get<bool>();
    } else if constexpr (std::is_same_v<Value, int64_t>) {
      if (!found->is_number_integer()) wrong(key, *found, "a whole number");
      value = found->get<int64_t>();
    } else if constexpr (std::is_same_v<Value, double>) {
      if (!found->is_number()) wrong(key, *found, "a number");
      value = found->get<double>();
    } else if constexpr (std::is_same_v<Value, std::string>) {
      if (!found->is_string()) wrong(key, *found, "text");
      value = found->get<std::string>();
    } else {
      const bool whole = found->is_array() && std::all_of(found->begin(), found->end(), [](const json& one) {
                           return one.is_number_integer();
                         });
      if (!whole) wrong(key, *found, "a list of whole numbers");
      value = found->get<Value>();
    }
  }

  template <class Value>
  void read_name(const char* key, const json& found, Value& value) const {
    std::string known;
    for (const auto& [one, name] : names_of(value)) {
      if (found.is_string() && found.get<std::string>() == name) {
        value = one;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    wrong(key, found, "one of " + known);
  }

  [[noreturn]] void wrong(const char* key, const json& found, const std::string& want) const {
    fail("model description: '{}{}' is {} but should be {}", where, key, found.dump(), want);
  }
};

// Larger sizes than these are damage, not models; they also keep every product of two below 2^62.
constexpr int64_t largest_size = int64_t{1} << 31;
constexpr int64_t most_layers = 100000;

void need_between(const char* what, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail("model description: {} is {} but must lie between {} and {}", what, value, low, high);
}

void check_experts(const ModelSpec& spec) {
  need_between("experts", spec.experts, 0, largest_size);
  if (spec.experts == 0) {
    if (!spec.sparse_layers.empty()) fail("model description: sparse layers are listed but experts is 0");
    return;
  }
  need_between("experts_per_token", spec.experts_per_token, 1, spec.experts);
  need_between("d_expert", spec.d_expert, 1, largest_size);
  need_between("d_shared", spec.d_shared, 0, largest_size);
  for (int64_t layer : spec.sparse_layers) need_between("a sparse layer", layer, 0, spec.layers - 1);
}

void check_shape_of_blocks(const ModelSpec& spec) {
  need_between("d_embed", spec.d_embed, 0, largest_size);
  need_between("joined_tokens", spec.joined_tokens, 1, largest_size);
  need_between("vocab_out", spec.vocab_out, 0, spec.vocab);
  if (spec.tied && spec.vocab_out > 0 && spec.vocab_out != spec.vocab)
    fail("model description: tied embeddings have {} rows, but vocab_out is {}", spec.vocab, spec.vocab_out);
  const bool normed = spec.pre_norm || spec.post_norm || spec.norm_after_sum;
  if (!normed && spec.norm != Norm::none)
    fail("model description: neither norms before nor after the modules, but norm is not 'none'");
  if (normed && spec.norm == Norm::none) fail("model description: norms have a place but norm is 'none'");
  if (spec.norm_after_sum && (spec.pre_norm || spec.post_norm || spec.parallel))
    fail("model description: norm_after_sum stands alone, without pre_norm, post_norm and parallel");
  if (!spec.attention && !spec.mlp) fail("model description: blocks have neither attention nor MLP");
  if (spec.parallel && !(spec.attention && spec.mlp && spec.residual))
    fail("model description: parallel blocks need attention, MLP and a residual stream");
  for (int64_t window : spec.window)
    if (window > 0 && !spec.causal) fail("model description: a window needs causal attention");
}

}  // namespace

std::string to_json(const ModelSpec& spec) {
  json out = json::object();
  each_size(spec, Write{out});
  each_choice(spec, Write{out});
  return out.dump();
}

ModelSpec spec_from_json(const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) fail("model description: this is not a JSON object");
  ModelSpec spec;
  each_size(spec, Read{in, "", true});
  each_choice(spec, Read{in, ""});
  check(spec);
  return spec;
}

void check(const ModelSpec& spec) {
  each_size(spec, [](const char* what, const int64_t& value) { need_between(what, value, 1, largest_size); });
  need_between("layers", spec.layers, 1, most_layers);
  if (spec.heads % spec.kv_heads != 0)
    fail("model description: {} query heads cannot share {} key heads evenly", spec.heads, spec.kv_heads);
  if (!(spec.norm_eps >= 0)) fail("model description: norm_eps is {}", spec.norm_eps);
  if (spec.positions == Positions::rotary) {
    need_between("rope.dims", spec.rope.dims, 2, spec.d_head);
    if (spec.rope.dims % 2 != 0) fail("model description: rope.dims is {}, not even", spec.rope.dims);
    if (!(spec.rope.theta > 0)) fail("model description: rope.theta is {}", spec.rope.theta);
    if (!(spec.rope.factor > 0)) fail("model description: rope.factor is {}", spec.rope.factor);
  }
  if (!spec.window.empty() && static_cast<int64_t>(spec.window.size()) != spec.layers)
    fail("model description: {} windows for {} layers", spec.window.size(), spec.layers);
  for (int64_t window : spec.window) need_between("a window", window, 0, largest_size);
  if (spec.shared_parallel_norm && !spec.parallel)
    fail("model description: a shared parallel norm needs parallel blocks");
  if (!(spec.clip_qkv >= 0)) fail("model description: clip_qkv is {}", spec.clip_qkv);
  check_experts(spec);
  check_shape_of_blocks(spec);
}

int64_t output_vocab(const ModelSpec& spec) { return spec.vocab_out > 0 ? spec.vocab_out : spec.vocab; }

bool is_sparse(const ModelSpec& spec, int64_t layer) {
  return std::find(spec.sparse_layers.begin(), spec.sparse_layers.end(), layer) != spec.sparse_layers.end();
}

int64_t kv_head_of(const ModelSpec& spec, int64_t head) { return head / (spec.heads / spec.kv_heads); }

}  // namespace varve
