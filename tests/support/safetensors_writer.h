// Writes safetensors files and small model folders, right or wrong on purpose.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace varve {

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file from a header and data as they are, whatever they say.
inline std::string raw_safetensors(const std::string& header, const std::string& data) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i));
  return file + header + data;
}

struct F32Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using F32Tensors = std::map<std::string, F32Tensor>;

inline std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : ",") + std::to_string(extent);
  return "[" + text + "]";
}

inline std::string safetensors_of(const F32Tensors& tensors) {
  std::string header, data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size(), bytes = tensor.values.size() * sizeof(float);
    data.append(reinterpret_cast<const char*>(tensor.values.data()), bytes);
    header += (header.empty() ? "" : ",") + ("\"" + name) +
              "\":{\"dtype\":\"F32\",\"shape\":" + shape_text(tensor.shape) + ",\"data_offsets\":[" +
              std::to_string(begin) + "," + std::to_string(begin + bytes) + "]}";
  }
  return raw_safetensors("{" + header + "}", data);
}

// Values that differ everywhere and with the seed: seed + place / 1000.
inline F32Tensor counted(std::vector<int64_t> shape, double seed) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  F32Tensor tensor{std::move(shape), {}};
  for (int64_t i = 0; i < count; ++i)
    tensor.values.push_back(static_cast<float>(seed + static_cast<double>(i) / 1000));
  return tensor;
}

struct SmallModel {
  std::string config;
  F32Tensors tensors;
};

// Two layers of width 8 with 2 heads, vocabulary 11.
inline SmallModel small_neox(double seed = 1) {
  SmallModel model;
  model.config =
      R"({"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 8, "num_hidden_layers": 2,
  "num_attention_heads": 2, "intermediate_size": 12, "vocab_size": 11, "max_position_embeddings": 32, "rotary_pct": 0.5})";
  F32Tensors& all = model.tensors;
  const auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    all[name + ".weight"] = counted({out, in}, seed);
    all[name + ".bias"] = counted({out}, seed);
  };
  const auto norm = [&](const std::string& name) {
    all[name + ".weight"] = counted({8}, seed);
    all[name + ".bias"] = counted({8}, seed);
  };
  all["gpt_neox.embed_in.weight"] = counted({11, 8}, seed);
  all["embed_out.weight"] = counted({11, 8}, seed + 1);
  norm("gpt_neox.final_layer_norm");
  for (const char* layer : {"gpt_neox.layers.0.", "gpt_neox.layers.1."}) {
    const std::string block = layer;
    norm(block + "input_layernorm");
    norm(block + "post_attention_layernorm");
    linear(block + "attention.query_key_value", 24, 8);
    linear(block + "attention.dense", 8, 8);
    linear(block + "mlp.dense_h_to_4h", 12, 8);
    linear(block + "mlp.dense_4h_to_h", 8, 12);
  }
  return model;
}

// One layer of width 8 with 2 heads, vocabulary 11, context 6; tied.
inline SmallModel small_gpt2(double seed = 1) {
  SmallModel model;
  model.config =
      R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 2,
  "n_positions": 6, "vocab_size": 11})";
  F32Tensors& all = model.tensors;
  const auto linear = [&](const std::string& name, int64_t in, int64_t out) {
    all[name + ".weight"] = counted({in, out}, seed);
    all[name + ".bias"] = counted({out}, seed);
  };
  all["wte.weight"] = counted({11, 8}, seed);
  all["wpe.weight"] = counted({6, 8}, seed);
  for (const char* norm : {"ln_f", "h.0.ln_1", "h.0.ln_2"}) {
    all[std::string(norm) + ".weight"] = counted({8}, seed);
    all[std::string(norm) + ".bias"] = counted({8}, seed);
  }
  linear("h.0.attn.c_attn", 8, 24);
  linear("h.0.attn.c_proj", 8, 8);
  linear("h.0.mlp.c_fc", 8, 32);
  linear("h.0.mlp.c_proj", 32, 8);
  return model;
}

// One layer of width 8 with 4 query and 2 key heads of width 4, vocabulary 11; untied. Qwen2 has the biases.
inline SmallModel small_llama(double seed = 1, const std::string& model_type = "llama",
                              bool qkv_bias = false) {
  SmallModel model;
  model.config = R"({"model_type": ")" + model_type + R"(", "hidden_size": 8, "num_hidden_layers": 1,
  "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 12, "vocab_size": 11,
  "max_position_embeddings": 64})";
  F32Tensors& all = model.tensors;
  const std::string block = "model.layers.0.";
  all["model.embed_tokens.weight"] = counted({11, 8}, seed);
  all["lm_head.weight"] = counted({11, 8}, seed + 1);
  for (const std::string& norm :
       {std::string("model.norm"), block + "input_layernorm", block + "post_attention_layernorm"})
    all[norm + ".weight"] = counted({8}, seed);
  const std::pair<const char*, int64_t> projections[] = {{"q", 16}, {"k", 8}, {"v", 8}};
  for (const auto& [letter, out] : projections) {
    all[block + "self_attn." + letter + "_proj.weight"] = counted({out, 8}, seed);
    if (qkv_bias) all[block + "self_attn." + letter + "_proj.bias"] = counted({out}, seed);
  }
  all[block + "self_attn.o_proj.weight"] = counted({8, 16}, seed);
  all[block + "mlp.gate_proj.weight"] = counted({12, 8}, seed);
  all[block + "mlp.up_proj.weight"] = counted({12, 8}, seed);
  all[block + "mlp.down_proj.weight"] = counted({8, 12}, seed);
  return model;
}

inline void write_model(const std::filesystem::path& folder, const SmallModel& model) {
  write_text(folder / "config.json", model.config);
  write_text(folder / "model.safetensors", safetensors_of(model.tensors));
}

}  // namespace varve
