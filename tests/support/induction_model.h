// A GPT-2 folder built by hand whose two attention layers do induction and nothing else.
//
// The stream has three parts: a token's own place among `tokens`, a position's among `context`, and the place
// of the token before, which starts empty. Head L0H0 looks one position back and writes the token it finds
// to the third part; head L1H1 looks for keys whose third part is its own token and gives their token back.
// L0H1 and L1H0 have no weights, so they attend evenly; MLPs are zero. Every row of the stream has as many
// ones as the others, so layer norms only scale it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/support/safetensors_writer.h"

namespace varve::by_hand {

inline constexpr int64_t tokens = 16, context = 33, d_head = 40, width = 80;

inline SmallModel induction_model() {
  SmallModel made;
  made.config = R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 2, "n_embd": 80,
  "n_head": 2, "n_inner": 4, "n_positions": 33, "n_ctx": 33, "vocab_size": 16, "activation_function": "relu",
  "layer_norm_epsilon": 1e-5})";
  F32Tensors& all = made.tensors;
  const auto fill = [&all](const std::string& name, std::vector<int64_t> shape, float value) {
    size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
    all[name] = {std::move(shape), std::vector<float>(count, value)};
  };
  const auto at = [&all](const std::string& name, int64_t row, int64_t column) -> float& {
    F32Tensor& tensor = all.at(name);
    return tensor.values[static_cast<size_t>(row * tensor.shape[1] + column)];
  };
  fill("transformer.wte.weight", {tokens, width}, 0);
  fill("transformer.wpe.weight", {context, width}, 0);
  for (int64_t id = 0; id < tokens; ++id) at("transformer.wte.weight", id, id) = 1;
  for (int64_t pos = 0; pos < context; ++pos) at("transformer.wpe.weight", pos, tokens + pos) = 1;
  for (int64_t layer = 0; layer < 2; ++layer) {
    const std::string block = "transformer.h." + std::to_string(layer) + ".";
    for (const char* norm : {"ln_1", "ln_2"}) {
      fill(block + norm + ".weight", {width}, 1);
      fill(block + norm + ".bias", {width}, 0);
    }
    fill(block + "attn.c_attn.weight", {width, 3 * width}, 0);  // [from, q k v of both heads]
    fill(block + "attn.c_attn.bias", {3 * width}, 0);
    fill(block + "attn.c_proj.weight", {width, width}, 0);
    fill(block + "attn.c_proj.bias", {width}, 0);
    fill(block + "mlp.c_fc.weight", {width, 4}, 0);
    fill(block + "mlp.c_fc.bias", {4}, 0);
    fill(block + "mlp.c_proj.weight", {4, width}, 0);
    fill(block + "mlp.c_proj.bias", {width}, 0);
  }
  fill("transformer.ln_f.weight", {width}, 1);
  fill("transformer.ln_f.bias", {width}, 0);
  constexpr float sharp = 10;  // scores lie tens apart: the softmax takes one key alone
  const std::string first = "transformer.h.0.attn.", second = "transformer.h.1.attn.";
  const int64_t past = tokens + context;  // the third part
  for (int64_t pos = 0; pos + 1 < context; ++pos) {
    at(first + "c_attn.weight", tokens + pos + 1, pos) = sharp;  // queries of L0H0: the position before
    at(first + "c_attn.weight", tokens + pos, width + pos) = 1;  // keys: the own position
  }
  for (int64_t id = 0; id < tokens; ++id) {
    at(first + "c_attn.weight", id, 2 * width + id) = 0.2f;  // a norm scales a one to about five
    at(first + "c_proj.weight", id, past + id) = 1;
    at(second + "c_attn.weight", id, d_head + id) = sharp;             // queries of L1H1: the own token
    at(second + "c_attn.weight", past + id, width + d_head + id) = 1;  // keys: the token before
    at(second + "c_attn.weight", id, 2 * width + d_head + id) = 1;
    at(second + "c_proj.weight", d_head + id, id) = 1;
  }
  return made;
}

}  // namespace varve::by_hand
