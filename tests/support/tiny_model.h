// Small random models built in memory: a spec, and weights that fit it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/model/weights.h"

namespace varve {

// Tensors by name, f32; recipes take them whole.
struct TinyTensors {
  std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>> tensors;

  std::vector<float>& add(const std::string& name, std::vector<int64_t> shape, double spread,
                          double centre = 0) {
    size_t count = 1;
    for (int64_t extent : shape) count *= static_cast<size_t>(extent);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(centre + spread * uniform());
    auto& slot = tensors[name];
    slot = {std::move(shape), std::move(values)};
    return slot.second;
  }

  Weights weights(const ModelSpec& spec) const {
    TensorRecipe recipe;
    for (const auto& [name, tensor] : tensors) recipe[name] = {name, {}, -1, 0, 0, {}, tensor.first};
    auto kept = std::make_shared<const TinyTensors>(*this);
    return Weights(spec, recipe, [kept](const std::string& name) {
      const auto found = kept->tensors.find(name);
      if (found == kept->tensors.end()) fail("no tensor '{}'", name);
      return RawTensor{RawType::f32, found->second.first, std::as_bytes(std::span(found->second.second))};
    });
  }

  uint64_t state = 1;
  double uniform() {  // [-1, 1), splitmix64
    uint64_t mixed = (state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1p-52 - 1;
  }
};

inline ModelSpec tiny_spec() {
  ModelSpec spec;
  spec.layers = 2;
  spec.d_model = 24;
  spec.heads = 3;
  spec.kv_heads = 3;
  spec.d_head = 8;
  spec.d_mlp = 40;
  spec.vocab = 50;
  spec.context = 4096;
  spec.rope.dims = 8;
  return spec;
}

// Every tensor the spec asks for, with weights large enough that attention is far from even.
inline TinyTensors tiny_tensors(const ModelSpec& spec, uint64_t seed = 1) {
  TinyTensors all;
  all.state = seed;
  const int64_t d = spec.d_model, q = spec.heads * spec.d_head, kv = spec.kv_heads * spec.d_head;
  const double spread = 2 / std::sqrt(static_cast<double>(d));
  const auto norm = [&](const std::string& name, int64_t width) {
    if (spec.norm_has_gain) all.add(name + ".w", {width}, 0.3, 1);
    if (spec.norm_has_bias && spec.norm == Norm::layer) all.add(name + ".b", {width}, 0.1);
  };
  const auto expert = [&](const std::string& name, int64_t hidden) {
    all.add(name + "W_in", {hidden, d}, spread);
    if (spec.gated_mlp) all.add(name + "W_gate", {hidden, d}, spread);
    all.add(name + "W_out", {d, hidden}, spread);
  };
  all.add("embed.W_E", {spec.vocab, d}, 1);
  if (spec.positions == Positions::learned) all.add("pos_embed.W_pos", {spec.context, d}, 0.5);
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer), attn = block + "attn.", mlp = block + "mlp.";
    if (spec.pre_norm) norm(block + "ln1", d);
    if (spec.pre_norm && !spec.shared_parallel_norm) norm(block + "ln2", d);
    if (spec.post_norm) norm(block + "ln1_post", d);
    if (spec.post_norm) norm(block + "ln2_post", d);
    all.add(attn + "W_Q", {q, d}, spread);
    all.add(attn + "W_K", {kv, d}, spread);
    all.add(attn + "W_V", {kv, d}, spread);
    all.add(attn + "W_O", {d, q}, spread);
    all.add(attn + "b_Q", {q}, 0.1);
    all.add(attn + "b_K", {kv}, 0.1);
    all.add(attn + "b_V", {kv}, 0.1);
    all.add(attn + "b_O", {d}, 0.1);
    if (!is_sparse(spec, layer)) {
      expert(mlp, spec.d_mlp);
      all.add(mlp + "b_out", {d}, 0.1);
      continue;
    }
    all.add(mlp + "W_router", {spec.experts, d}, spread);
    for (int64_t one = 0; one < spec.experts; ++one)
      expert(fmt::format("{}experts.{}.", mlp, one), spec.d_expert);
    if (spec.d_shared > 0) expert(mlp + "shared.", spec.d_shared);
    if (spec.shared_gate) all.add(mlp + "shared.gate", {1, d}, spread);
  }
  norm("ln_final", d);
  if (!spec.tied) all.add("unembed.W_U", {spec.vocab, d}, spread);
  return all;
}

}  // namespace varve
