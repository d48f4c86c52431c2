// Makes the large results on which drawing is timed; same numbers every time.
#include "viz/scenes.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <fmt/ranges.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

// A generator of its own: the library's distributions may differ between machines.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}
  double unit() {  // 0 to 1, splitmix64
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
  }
  double bell() { return unit() + unit() + unit() + unit() - 2; }

 private:
  uint64_t state_;
};

Dataset long_line() {
  constexpr int64_t n = 1'000'000;
  Noise noise(1);
  std::vector<float> loss(n);
  std::vector<int64_t> steps(n);
  for (int64_t i = 0; i < n; ++i) {
    steps[static_cast<size_t>(i)] = i;
    loss[static_cast<size_t>(i)] = static_cast<float>(2.6 + 8 / (1 + static_cast<double>(i) / 4000) +
                                                      0.4 * noise.bell() + (noise.unit() < 1e-5 ? 4 : 0));
  }
  Dataset data;
  data.title = "Loss of a million steps";
  Array values({"step"}, {n}, std::move(loss));
  values.unit = "nats";
  values.title = "loss";
  data.set("loss", std::move(values));
  data.set_coord("step", Array({"step"}, {n}, std::move(steps)));
  return data;
}

Dataset large_map() {
  constexpr int64_t n = 4096;
  Noise noise(2);
  std::vector<float> values(static_cast<size_t>(n * n));
  for (int64_t y = 0; y < n; ++y)
    for (int64_t x = 0; x < n; ++x)
      values[static_cast<size_t>(y * n + x)] =
          static_cast<float>(std::sin(static_cast<double>(x) / 170) * std::cos(static_cast<double>(y) / 90) +
                             0.3 * noise.bell());
  Dataset data;
  data.title = "Similarity of 4,096 features";
  Array array({"src", "dst"}, {n, n}, std::move(values));
  array.title = "cosine";
  data.set("similarity", std::move(array));
  return data;
}

// As each query's four largest: all weights would be four billion.
Dataset many_heads() {
  constexpr int64_t layers = 32, heads = 32, tokens = 2048, ranks = 4;
  Noise noise(3);
  const auto size = static_cast<size_t>(layers * heads * tokens * ranks);
  std::vector<float> weights(size);
  std::vector<int64_t> keys(size);
  size_t at = 0;
  for (int64_t head = 0; head < layers * heads; ++head) {
    const int64_t kind = head % 5;
    for (int64_t query = 0; query < tokens; ++query)
      for (int64_t r = 0; r < ranks; ++r, ++at) {
        const int64_t far = kind == 0   ? r
                            : kind == 1 ? 1 + r
                            : kind == 2 ? 64 + 31 * r
                            : kind == 3 ? query - r
                                        : static_cast<int64_t>(noise.unit() * static_cast<double>(query + 1));
        keys[at] = query - far < 0 ? 0 : query - far;
        weights[at] = static_cast<float>((0.3 + 0.5 * noise.unit()) / static_cast<double>(r + 1));
      }
  }
  Dataset data;
  data.title = "Attention of 1,024 heads";
  const std::vector<std::string> axes = {"layer", "head", "query", "rank"};
  const std::vector<int64_t> shape = {layers, heads, tokens, ranks};
  Array pattern(axes, shape, std::move(weights));
  pattern.title = "attention";
  pattern.unit = "probability";
  data.set("pattern", std::move(pattern));
  data.set("pattern_key", Array(axes, shape, std::move(keys)));
  return data;
}

Dataset many_series() {
  constexpr int64_t series = 10'000;
  std::vector<int64_t> steps = {0};
  for (int64_t s = 1; s <= 512; s *= 2) steps.push_back(s);
  for (int64_t s = 1000; s <= 143000; s += 1000) steps.push_back(s);
  const auto count = static_cast<int64_t>(steps.size());
  Noise noise(4);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(series * count));
  for (int64_t i = 0; i < series; ++i) {
    const double end = noise.unit(), from = 2 + 2.5 * noise.unit();
    for (const int64_t step : steps)
      values.push_back(
          static_cast<float>(end / (1 + std::exp(5 * (from - std::log10(1.0 + static_cast<double>(step))))) +
                             0.01 * noise.bell()));
  }
  Dataset data;
  data.title = "10,000 samples over training";
  Array array({"sample", "step"}, {series, count}, std::move(values));
  array.title = "probability of the true token";
  data.set("probability", std::move(array));
  data.set_coord("step", Array({"step"}, {count}, std::move(steps)));
  return data;
}

}  // namespace

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> all = {
      {"line-1m", "a line of a million points", "lines", {}, 1.5, long_line},
      {"map-4096", "a heat map of 4096 x 4096", "heat-map", {}, 1.5, large_map},
      {"map-4096-near", "the same, nine screens wide", "heat-map", {}, 9, large_map},
      {"tiles-1024", "32 x 32 heads of 2,048 tokens", "attention-tiles", {}, 1.5, many_heads},
      {"tiles-1024-near", "the same, eight screens wide", "attention-tiles", {}, 8, many_heads},
      {"series-10k", "10,000 series of 154 points", "lines", {{"series", "sample"}}, 1.5, many_series},
  };
  return all;
}

const Scene& scene_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Scene& scene : scenes()) {
    if (scene.name == name) return scene;
    names.push_back(scene.name);
  }
  fail_usage("there is no scene '{}'; there are {}", name, fmt::join(names, ", "));
}

Point panned(int64_t i, double zoom, double width) {
  constexpr int64_t there = 60;  // frames until the hand turns round
  constexpr double step = 7;     // pixels a frame
  const int64_t phase = i % (2 * there), far = phase < there ? phase : 2 * there - phase;
  const double reach = std::min(step * static_cast<double>(far), width * (zoom - 1));
  return {-reach, -reach / 3};
}

}  // namespace varve
