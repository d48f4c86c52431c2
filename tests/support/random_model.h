// Model folders of random weights as large as a test wants, written without ever holding one in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace varve {

struct RandomModel {
  int64_t layers = 2, d_model = 64, heads = 4, d_mlp = 256, vocab = 500;
  uint64_t seed = 1;
};

// GPT-NeoX, f32, untied.
inline void write_random_model(const std::filesystem::path& folder, const RandomModel& model) {
  struct Tensor {
    std::string name, shape;
    int64_t count;
  };
  std::vector<Tensor> tensors;
  const auto matrix = [&](const std::string& name, int64_t out, int64_t in) {
    tensors.push_back({name, std::to_string(out) + "," + std::to_string(in), out * in});
  };
  const auto vector = [&](const std::string& name, int64_t count) {
    tensors.push_back({name, std::to_string(count), count});
  };
  const auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    matrix(name + ".weight", out, in);
    vector(name + ".bias", out);
  };
  const auto norm = [&](const std::string& name) {
    vector(name + ".weight", model.d_model);
    vector(name + ".bias", model.d_model);
  };
  const int64_t d = model.d_model;
  matrix("gpt_neox.embed_in.weight", model.vocab, d);
  matrix("embed_out.weight", model.vocab, d);
  norm("gpt_neox.final_layer_norm");
  for (int64_t layer = 0; layer < model.layers; ++layer) {
    const std::string block = "gpt_neox.layers." + std::to_string(layer) + ".";
    norm(block + "input_layernorm");
    norm(block + "post_attention_layernorm");
    linear(block + "attention.query_key_value", 3 * d, d);
    linear(block + "attention.dense", d, d);
    linear(block + "mlp.dense_h_to_4h", model.d_mlp, d);
    linear(block + "mlp.dense_4h_to_h", d, model.d_mlp);
  }

  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json")
      << R"({"model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "max_position_embeddings": 2048,)"
      << "\"hidden_size\":" << d << ",\"num_hidden_layers\":" << model.layers
      << ",\"num_attention_heads\":" << model.heads << ",\"intermediate_size\":" << model.d_mlp
      << ",\"vocab_size\":" << model.vocab << ",\"rotary_pct\":0.5}";

  std::string header = "{";
  int64_t at = 0;
  for (const Tensor& tensor : tensors) {
    header += (at == 0 ? "\"" : ",\"") + tensor.name + R"(":{"dtype":"F32","shape":[)" + tensor.shape +
              "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + 4 * tensor.count) +
              "]}";
    at += 4 * tensor.count;
  }
  header += "}";
  std::ofstream file(folder / "model.safetensors", std::ios::binary);
  const uint64_t length = header.size();
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << header;

  // One stretch of random values, written again and again from other places: random enough for products, and
  // made in no time.
  std::vector<float> values(size_t{1} << 18);
  uint64_t state = model.seed * 0x9e3779b97f4a7c15u;
  const auto next = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
  };
  for (float& value : values) value = (static_cast<float>(next() >> 40) / 8388608.0f - 1.0f) * 0.08f;
  for (const Tensor& tensor : tensors)
    for (int64_t left = tensor.count; left > 0;) {
      const auto first = static_cast<int64_t>(next() % (values.size() / 2));
      const int64_t count = std::min(left, static_cast<int64_t>(values.size()) - first);
      file.write(reinterpret_cast<const char*>(values.data() + first), count * 4);
      left -= count;
    }
}

}  // namespace varve
