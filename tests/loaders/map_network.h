// One small network laid out as TransformerLens has it, its mapping, and what it computes by its definition.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loaders/map.h"
#include "tests/loaders/families/naive_math.h"
#include "tests/support/site_values.h"
#include "tests/support/tiny_model.h"

namespace varve::mapped {

using naive::Rows;
using naive::Vec;

inline constexpr double tolerance = 1e-10;  // both sides compute in double

inline constexpr int64_t heads = 2, d_head = 3, d_model = 6, d_mlp = 10, vocab = 7, context = 4;
inline const std::vector<int64_t> prompt = {3, 1, 5, 6};

inline TensorShapes shapes_of(const TinyTensors& tensors) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : tensors.tensors) shapes[name] = tensor.first;
  return shapes;
}

inline FamilyReading read(const std::string& map, const TinyTensors& tensors) {
  return read_mapped({map, "net.toml"}, shapes_of(tensors));
}

inline Weights weights_of(const FamilyReading& reading, const TinyTensors& tensors) {
  auto kept = std::make_shared<const TinyTensors>(tensors);
  return Weights(reading.spec, reading.recipe, [kept](const std::string& name) {
    const auto& tensor = kept->tensors.at(name);
    return RawTensor{RawType::f32, tensor.first, std::as_bytes(std::span(tensor.second))};
  });
}

inline std::vector<double> logits_of(const std::string& map, const TinyTensors& tensors) {
  const Weights weights = weights_of(read(map, tensors), tensors);
  return seen_sites(weights, {prompt}, {"logits"}, Compute::f64)("logits");
}

inline void expect_equal(const std::vector<double>& got, const Rows& want) {
  size_t at = 0;
  for (const Vec& row : want)
    for (double value : row) ASSERT_NEAR(got.at(at++), value, tolerance);
  EXPECT_EQ(at, got.size());
}

// A tensor's entry, row-major.
inline double at(const TinyTensors& all, const std::string& name, const std::vector<int64_t>& index) {
  const auto& [shape, values] = all.tensors.at(name);
  int64_t flat = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) flat = flat * shape[axis] + index[axis];
  return static_cast<double>(values[static_cast<size_t>(flat)]);
}

// One layer without norms as TransformerLens names and lays it out: everything [in, out], one matrix a head.
inline TinyTensors lens_network() {
  TinyTensors all;
  all.add("embed.W_E", {vocab, d_model}, 1);
  all.add("pos_embed.W_pos", {context, d_model}, 0.5);
  for (const char* letter : {"Q", "K", "V"}) {
    all.add(std::string("blocks.0.attn.W_") + letter, {heads, d_model, d_head}, 0.8);
    all.add(std::string("blocks.0.attn.b_") + letter, {heads, d_head}, 0.3);
  }
  all.add("blocks.0.attn.W_O", {heads, d_head, d_model}, 0.8);
  all.add("blocks.0.attn.b_O", {d_model}, 0.3);
  all.add("blocks.0.mlp.W_in", {d_model, d_mlp}, 0.8);
  all.add("blocks.0.mlp.b_in", {d_mlp}, 0.3);
  all.add("blocks.0.mlp.W_out", {d_mlp, d_model}, 0.8);
  all.add("blocks.0.mlp.b_out", {d_model}, 0.3);
  all.add("unembed.W_U", {d_model, vocab}, 0.8);
  all.add("unembed.b_U", {vocab}, 0.3);
  all.add("blocks.0.attn.mask", {context, context}, 1);
  return all;
}

inline const std::string model_part = R"(
ignore = ["*.mask"]
[model]
heads = 2
d_model = 6
d_mlp = 10
vocab = 7
context = 4
positions = "learned"
activation = "relu"
norm = "none"
)";

inline const std::string lens_map = model_part + R"([tensors]
"embed.W_E" = "embed.W_E"
"pos_embed.W_pos" = "pos_embed.W_pos"
"blocks.{layer}.attn.W_Q" = { from = "blocks.{layer}.attn.W_Q", permute = [0, 2, 1] }
"blocks.{layer}.attn.W_K" = { from = "blocks.{layer}.attn.W_K", permute = [0, 2, 1] }
"blocks.{layer}.attn.W_V" = { from = "blocks.{layer}.attn.W_V", permute = [0, 2, 1] }
"blocks.{layer}.attn.b_Q" = "blocks.{layer}.attn.b_Q"
"blocks.{layer}.attn.b_K" = "blocks.{layer}.attn.b_K"
"blocks.{layer}.attn.b_V" = "blocks.{layer}.attn.b_V"
"blocks.{layer}.attn.W_O" = { from = "blocks.{layer}.attn.W_O", permute = [2, 0, 1] }
"blocks.{layer}.attn.b_O" = "blocks.{layer}.attn.b_O"
"blocks.{layer}.mlp.W_in" = { from = "blocks.{layer}.mlp.W_in", transpose = true }
"blocks.{layer}.mlp.b_in" = "blocks.{layer}.mlp.b_in"
"blocks.{layer}.mlp.W_out" = { from = "blocks.{layer}.mlp.W_out", transpose = true }
"blocks.{layer}.mlp.b_out" = "blocks.{layer}.mlp.b_out"
"unembed.W_U" = { from = "unembed.W_U", transpose = true }
"unembed.b_U" = "unembed.b_U"
)";

// The network above as its definition says, index by index.
inline Rows lens_logits(const TinyTensors& all) {
  Rows x, q, k, v;
  for (size_t pos = 0; pos < prompt.size(); ++pos) {
    x.emplace_back();
    for (int64_t i = 0; i < d_model; ++i)
      x.back().push_back(at(all, "embed.W_E", {prompt[pos], i}) +
                         at(all, "pos_embed.W_pos", {static_cast<int64_t>(pos), i}));
  }
  const auto projected = [&](const Vec& row, const std::string& letter) {
    Vec out;
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t j = 0; j < d_head; ++j) {
        double sum = at(all, "blocks.0.attn.b_" + letter, {head, j});
        for (int64_t i = 0; i < d_model; ++i)
          sum += row[static_cast<size_t>(i)] * at(all, "blocks.0.attn.W_" + letter, {head, i, j});
        out.push_back(sum);
      }
    return out;
  };
  for (const Vec& row : x) {
    q.push_back(projected(row, "Q"));
    k.push_back(projected(row, "K"));
    v.push_back(projected(row, "V"));
  }
  const Rows z = naive::attend({heads, heads, d_head, 1 / std::sqrt(static_cast<double>(d_head))}, q, k, v);
  Rows logits;
  for (size_t pos = 0; pos < prompt.size(); ++pos) {
    Vec middle = x[pos];
    for (int64_t i = 0; i < d_model; ++i) {
      double& sum = middle[static_cast<size_t>(i)];
      sum += at(all, "blocks.0.attn.b_O", {i});
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t j = 0; j < d_head; ++j)
          sum += z[pos][static_cast<size_t>(head * d_head + j)] * at(all, "blocks.0.attn.W_O", {head, j, i});
    }
    Vec last = middle;
    for (int64_t i = 0; i < d_model; ++i) last[static_cast<size_t>(i)] += at(all, "blocks.0.mlp.b_out", {i});
    for (int64_t h = 0; h < d_mlp; ++h) {
      double hidden = at(all, "blocks.0.mlp.b_in", {h});
      for (int64_t i = 0; i < d_model; ++i)
        hidden += middle[static_cast<size_t>(i)] * at(all, "blocks.0.mlp.W_in", {i, h});
      for (int64_t i = 0; i < d_model; ++i)
        last[static_cast<size_t>(i)] += std::max(hidden, 0.0) * at(all, "blocks.0.mlp.W_out", {h, i});
    }
    logits.emplace_back();
    for (int64_t token = 0; token < vocab; ++token) {
      double sum = at(all, "unembed.b_U", {token});
      for (int64_t i = 0; i < d_model; ++i)
        sum += last[static_cast<size_t>(i)] * at(all, "unembed.W_U", {i, token});
      logits.back().push_back(sum);
    }
  }
  return logits;
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t found = text.find(what);
  EXPECT_NE(found, std::string::npos) << what;
  return text.replace(found, what.size(), with);
}

}  // namespace varve::mapped
