// A model built by hand that has one massive activation at a known place, or none.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "tests/support/safetensors_writer.h"

namespace varve::planted {

inline constexpr int64_t layer = 1, dim = 5, token = 7;

// Three blocks of width 8 that add nothing, but for one neuron of block 1: it sees token 7 by its first
// feature and writes to feature 5 alone.
inline SmallModel model(float size) {
  SmallModel made;
  made.config =
      R"({"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 8, "num_hidden_layers": 3,
  "num_attention_heads": 2, "intermediate_size": 12, "vocab_size": 11, "max_position_embeddings": 32, "rotary_pct": 0.5,
  "hidden_act": "relu", "use_parallel_residual": false})";
  F32Tensors& all = made.tensors;
  const auto fill = [&all](const std::string& name, std::vector<int64_t> shape, float value) {
    size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
    all[name] = {std::move(shape), std::vector<float>(count, value)};
  };
  const auto linear = [&fill](const std::string& name, int64_t out, int64_t in) {
    fill(name + ".weight", {out, in}, 0);
    fill(name + ".bias", {out}, 0);
  };
  all["gpt_neox.embed_in.weight"] = counted({11, 8}, 0.5);
  for (int64_t id = 0; id < 11; ++id)
    for (int64_t k = 0; k < 8; ++k) {
      float& entry = all["gpt_neox.embed_in.weight"].values[static_cast<size_t>(id * 8 + k)];
      entry *= k % 2 == 0 ? -1 : 1;
      if (k == 0 && id == token) entry = 2;
    }
  all["embed_out.weight"] = counted({11, 8}, 1);
  for (size_t i = 0; i < 88; ++i)
    all["embed_out.weight"].values[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i)));
  for (const std::string& norm : {std::string("gpt_neox.final_layer_norm")}) {
    fill(norm + ".weight", {8}, 1);
    fill(norm + ".bias", {8}, 0);
  }
  for (int64_t l = 0; l < 3; ++l) {
    const std::string block = "gpt_neox.layers." + std::to_string(l) + ".";
    for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) {
      fill(block + norm + ".weight", {8}, 1);
      fill(block + norm + ".bias", {8}, 0);
    }
    linear(block + "attention.query_key_value", 24, 8);
    linear(block + "attention.dense", 8, 8);
    linear(block + "mlp.dense_h_to_4h", 12, 8);
    linear(block + "mlp.dense_4h_to_h", 8, 12);
  }
  const std::string mlp = "gpt_neox.layers." + std::to_string(layer) + ".mlp.";
  all[mlp + "dense_h_to_4h.weight"].values[0] = 1;  // neuron 0 reads feature 0, positive in token 7 only
  all[mlp + "dense_4h_to_h.weight"].values[dim * 12] = size;
  return made;
}

}  // namespace varve::planted
