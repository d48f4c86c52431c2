// A small Dataset with one of everything, and a small series with weights, for the tests of the store.
#pragma once

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "analysis/store/run_store.h"

namespace varve {

inline Dataset sample_dataset() {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  Dataset data;
  Array loss({"step", "head"}, {3, 2}, std::vector<float>{1, 2, 3, 4, nan, -0.0f});
  loss.unit = "nats";
  loss.title = "loss of each step";
  data.set("loss", loss);
  data.set("exact", Array({"head", "step"}, {2, 3}, std::vector<double>{1, 0.1, 1e-300, 2, 3, 4}));
  data.set("count", Array({"step"}, {3}, std::vector<int64_t>{-1, 0, (int64_t{1} << 62) + 1}));
  data.set("flag", Array({"head"}, {2}, std::vector<uint8_t>{0, 255}));
  data.set("words", Array({"step"}, {3}, std::vector<std::string>{"eins", "zwöi", ""}));
  Array steps({"step"}, {3}, std::vector<int64_t>{0, 10, 1000});
  steps.unit = "steps";
  data.set_coord("step", steps);
  data.title = "A sample";
  data.notes = {"héllo", "second"};
  data.provenance = {{"analysis", "sample"}, {"key", "k1"}};
  data.checks = {{"sums to one", 1e-7, 1e-6, 6, true, "worst at step 10"},
                 {"odd", std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 0,
                  false, ""}};
  data.events = {{10, "drop", "largest drop"}};
  return data;
}

// The bytes of some tensors and the record of the checkpoint they make up.
struct SampleCheckpoint {
  std::vector<std::vector<std::byte>> bytes;
  CheckpointRecord record;
  std::vector<RunStore::NewTensor> tensors() const {
    std::vector<RunStore::NewTensor> all;
    for (size_t place = 0; place < bytes.size(); ++place)
      all.push_back({record.tensors[place], std::span<const std::byte>(bytes[place])});
    return all;
  }
  void add(const std::string& name, TensorType type, std::vector<int64_t> shape, uint32_t seed) {
    int64_t count = size_of(type);
    for (int64_t extent : shape) count *= extent;
    std::vector<std::byte> content(static_cast<size_t>(count));
    for (std::byte& byte : content) {
      seed = seed * 1664525u + 1013904223u;
      byte = static_cast<std::byte>(seed >> 24);
    }
    TensorRecord tensor;
    tensor.name = name;
    tensor.type = type;
    tensor.shape = shape;
    tensor.digest = tensor_digest({type, shape, content});
    record.tensors.push_back(tensor);
    bytes.push_back(std::move(content));
  }
};

// Tensor "shared" is the same at every step.
inline SampleCheckpoint sample_checkpoint(int64_t step) {
  SampleCheckpoint checkpoint;
  const auto seed = static_cast<uint32_t>(step * 7919 + 1);
  checkpoint.add("shared", TensorType::f32, {40, 50}, 12345);
  checkpoint.add("w", TensorType::bf16, {100, 33}, seed);
  checkpoint.add("b", TensorType::f16, {7}, seed + 1);
  checkpoint.add("mask", TensorType::boolean, {3, 3}, seed + 2);
  checkpoint.record.step = step;
  checkpoint.record.label = "step" + std::to_string(step);
  checkpoint.record.config = "{\"model_type\":\"sample\"}";
  checkpoint.record.digest = "of step " + std::to_string(step);
  checkpoint.record.change = step == 0 ? std::numeric_limits<double>::quiet_NaN() : 0.25;
  return checkpoint;
}

inline bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Weights of the steps, then the series.
inline void import_samples(RunStore& store, const std::vector<int64_t>& steps) {
  Task task;
  SeriesRecord series;
  series.name = "samples";
  for (int64_t step : steps) {
    const SampleCheckpoint checkpoint = sample_checkpoint(step);
    store.add_weights(checkpoint.tensors(), task);
    series.checkpoints.push_back(checkpoint.record);
  }
  store.publish_series(series);
}

inline int64_t count_broken(const RunStore& store, std::string* words = nullptr) {
  Task task;
  int64_t broken = 0;
  for (const StoreFinding& finding : store.verify(task)) {
    if (finding.broken) ++broken;
    if (words) *words += finding.what + "\n";
  }
  return broken;
}

}  // namespace varve
