// A copy of a GPT-NeoX folder in bf16 with some heads silenced: what they would write is set to zero.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace varve {

inline void copy_with_silent_heads(const std::filesystem::path& from, const std::filesystem::path& to,
                                   const std::vector<std::pair<int64_t, int64_t>>& layer_and_head) {
  std::filesystem::create_directories(to);
  std::ifstream config_in(from / "config.json");
  const std::string config{std::istreambuf_iterator<char>(config_in), {}};
  std::ofstream(to / "config.json") << config;
  std::ifstream in(from / "model.safetensors", std::ios::binary);
  std::string file{std::istreambuf_iterator<char>(in), {}};
  size_t size = 0;
  for (size_t i = 0; i < 8; ++i) size |= static_cast<size_t>(static_cast<uint8_t>(file[i])) << (8 * i);
  const nlohmann::json header = nlohmann::json::parse(file.substr(8, size));
  const auto heads = nlohmann::json::parse(config)["num_attention_heads"].get<size_t>();
  for (const auto& [layer, head] : layer_and_head) {
    const auto& dense = header.at("gpt_neox.layers." + std::to_string(layer) + ".attention.dense.weight");
    const auto width = dense.at("shape").at(0).get<size_t>();
    const size_t begin = 8 + size + dense.at("data_offsets").at(0).get<size_t>(), each = width / heads;
    for (size_t row = 0; row < width; ++row)
      for (size_t i = 0; i < 2 * each; ++i)  // two bytes a number
        file[begin + 2 * (row * width + static_cast<size_t>(head) * each) + i] = '\0';
  }
  std::ofstream(to / "model.safetensors", std::ios::binary) << file;
}

}  // namespace varve
