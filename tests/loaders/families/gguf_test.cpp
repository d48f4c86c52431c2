// The "gguf" family: what its metadata must say, and what is refused by name.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "loaders/family.h"
#include "tests/support/expect_error.h"

namespace varve {
namespace {

nlohmann::json metadata() {
  return {{"model_type", "gguf"},
          {"general.architecture", "llama"},
          {"llama.block_count", 1},
          {"llama.embedding_length", 8},
          {"llama.attention.head_count", 2},
          {"llama.feed_forward_length", 12},
          {"llama.context_length", 64},
          {"llama.attention.layer_norm_rms_epsilon", 1e-5}};
}

TensorShapes tensors() {
  TensorShapes shapes = {{"token_embd.weight", {11, 8}}, {"output_norm.weight", {8}}};
  for (const char* norm : {"attn_norm", "ffn_norm"}) shapes[std::string("blk.0.") + norm + ".weight"] = {8};
  for (const char* square : {"attn_q", "attn_k", "attn_v", "attn_output"})
    shapes[std::string("blk.0.") + square + ".weight"] = {8, 8};
  shapes["blk.0.ffn_gate.weight"] = shapes["blk.0.ffn_up.weight"] = {12, 8};
  shapes["blk.0.ffn_down.weight"] = {8, 12};
  return shapes;
}

TEST(GgufFamily, WithoutAnOutputMatrixTheEmbeddingIsTied) {
  const FamilyReading reading = read_family(metadata(), tensors());
  EXPECT_EQ(reading.spec.family, "gguf");
  EXPECT_TRUE(reading.spec.tied);
  EXPECT_EQ(reading.spec.d_head, 4);
  EXPECT_EQ(reading.spec.rope.theta, 10000);
  EXPECT_EQ(reading.recipe.at("blocks.0.attn.W_Q").permute, (std::vector<int64_t>{0, 2, 1, 3}));
}

TEST(GgufFamily, WhatItCannotHoldIsRefusedByName) {
  const auto refuse = [](const std::string& key, const nlohmann::json& value,
                         const std::vector<std::string>& words) {
    nlohmann::json changed = metadata();
    changed[key] = value;
    expect_error([&] { read_family(changed, tensors()); }, words);
  };
  refuse("general.architecture", "gemma", {"'gemma'", "llama and qwen2"});
  refuse("llama.rope.scaling.type", "yarn", {"'yarn'"});
  refuse("llama.rope.dimension_count", 2, {"2 of 4"});
  refuse("llama.expert_count", 8, {"mixture of experts"});
  refuse("llama.block_count", nullptr, {"llama.block_count"});
  TensorShapes scaled = tensors();
  scaled["rope_freqs.weight"] = {2};
  expect_error([&] { read_family(metadata(), scaled); }, {"rope_freqs.weight", "safetensors"});
}

}  // namespace
}  // namespace varve
