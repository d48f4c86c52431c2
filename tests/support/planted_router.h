// Model folders whose routers follow a table: token -> probability of each expert, layer by layer.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/safetensors_writer.h"

namespace varve {

struct PlantedRouter {
  int64_t layers = 3, tokens = 8, experts = 6, chosen = 2;
  // Probabilities of all experts at a token, positive, summing to 1.
  std::function<std::vector<double>(int64_t layer, int64_t token)> probabilities;
};

// An OLMoE model whose residual stream stays the one-hot embedding: attention and experts write zeros. The
// router's logits are then the logarithms of the table.
inline void write_planted_router(const std::filesystem::path& folder, const PlantedRouter& planted) {
  const int64_t d = planted.tokens;
  SmallModel model;
  model.config =
      R"({"architectures": ["OlmoeForCausalLM"], "model_type": "olmoe", "hidden_size": )" +
      std::to_string(d) + R"(, "num_hidden_layers": )" + std::to_string(planted.layers) +
      R"(, "num_attention_heads": 1, "num_key_value_heads": 1, "intermediate_size": 2, "vocab_size": )" +
      std::to_string(d) + R"(, "max_position_embeddings": 64, "num_experts": )" +
      std::to_string(planted.experts) + R"(, "num_experts_per_tok": )" + std::to_string(planted.chosen) +
      R"(, "norm_topk_prob": false, "rms_norm_eps": 1e-20, "tie_word_embeddings": false})";
  F32Tensors& all = model.tensors;
  const auto filled = [](std::vector<int64_t> shape, float value) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    return F32Tensor{std::move(shape), std::vector<float>(static_cast<size_t>(count), value)};
  };
  const auto identity = [&] {
    F32Tensor one = filled({d, d}, 0);
    for (int64_t i = 0; i < d; ++i) one.values[static_cast<size_t>(i * d + i)] = 1;
    return one;
  };
  all["model.embed_tokens.weight"] = identity();
  all["lm_head.weight"] = counted({d, d}, 0.5);
  all["model.norm.weight"] = filled({d}, 1);
  for (int64_t layer = 0; layer < planted.layers; ++layer) {
    const std::string block = "model.layers." + std::to_string(layer) + ".";
    for (const char* norm :
         {"input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm"})
      all[block + norm + ".weight"] = filled({d}, 1);
    for (const char* part : {"q", "k", "v"}) all[block + "self_attn." + part + "_proj.weight"] = identity();
    all[block + "self_attn.o_proj.weight"] = filled({d, d}, 0);
    F32Tensor gate = filled({planted.experts, d}, 0);
    for (int64_t token = 0; token < d; ++token) {
      const std::vector<double> p = planted.probabilities(layer, token);
      // A one-hot vector's root mean square is 1 / sqrt(d), and the norm divides by it.
      for (int64_t e = 0; e < planted.experts; ++e)
        gate.values[static_cast<size_t>(e * d + token)] =
            static_cast<float>(std::log(p[static_cast<size_t>(e)]) / std::sqrt(static_cast<double>(d)));
    }
    all[block + "mlp.gate.weight"] = gate;
    for (int64_t e = 0; e < planted.experts; ++e) {
      const std::string expert = block + "mlp.experts." + std::to_string(e) + ".";
      all[expert + "gate_proj.weight"] = filled({2, d}, 1);
      all[expert + "up_proj.weight"] = filled({2, d}, 1);
      all[expert + "down_proj.weight"] = filled({d, 2}, 0);
    }
  }
  write_model(folder, model);
}

}  // namespace varve
