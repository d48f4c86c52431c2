// A made-up lens result with plausible tokens, for tests of views: same seed, same numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/layer_axis.h"

namespace varve::testing_support {

inline const std::vector<std::string>& lens_words() {
  static const std::vector<std::string> words = {
      "When",  " Mary", " and",   " John", " went", " to",  " the", " store", ",",  " John",
      " gave", " a",    " drink", " to",   " Mary", " you", " Ann", " was",   "\n", " keeper"};
  return words;
}

// layers counts the model's layers: the lens has one more, the embedding. Prompt p is `positions` - p long.
inline Dataset lens_data(int64_t layers = 12, int64_t positions = 14, int64_t prompts = 2,
                         uint64_t seed = 1) {
  constexpr int64_t ranks = 5;
  const int64_t rows = layers + 1;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  const auto size = static_cast<size_t>(rows * prompts * positions);
  const std::vector<std::string>& words = lens_words();
  std::vector<std::string> top(size * ranks), text(static_cast<size_t>(prompts * positions));
  std::vector<int64_t> ids(size * ranks, -1), tokens(text.size(), -1), lengths;
  std::vector<float> top_prob(size * ranks, nan), prob(size, nan), loss(size, nan), entropy(size, nan),
      kl(size, nan), kl_back(size, nan), rank(size, nan), rank_final(size, nan);
  for (int64_t p = 0; p < prompts; ++p) {
    const int64_t length = std::max<int64_t>(0, positions - p);
    lengths.push_back(length);
    for (int64_t s = 0; s < length; ++s) {
      const auto place = static_cast<size_t>(p * positions + s);
      tokens[place] = s % static_cast<int64_t>(words.size());
      text[place] = words[static_cast<size_t>(tokens[place])];
      const double ease = 0.1 + 0.9 * unit(random), from = 2 + 6 * unit(random);
      for (int64_t l = 0; l < rows; ++l) {
        const auto at = static_cast<size_t>((l * prompts + p) * positions + s);
        const double depth = static_cast<double>(l) * 12 / std::max<double>(1, static_cast<double>(layers));
        const double known = ease / (1 + std::exp(from - depth)) * (0.85 + 0.15 * unit(random));
        double rest = 1;
        for (int64_t r = 0; r < ranks; ++r) {
          const auto cell = at * ranks + static_cast<size_t>(r);
          const bool is_true = r == 0 && known > 0.25;
          const auto word = is_true ? (s + 1) % static_cast<int64_t>(words.size())
                                    : static_cast<int64_t>(unit(random) * static_cast<double>(words.size()));
          ids[cell] = std::min<int64_t>(word, static_cast<int64_t>(words.size()) - 1);
          top[cell] = words[static_cast<size_t>(ids[cell])];
          const double share = r == 0 ? std::max(known, 0.2) : rest * 0.4;
          top_prob[cell] = static_cast<float>(share);
          rest -= share;
        }
        entropy[at] = static_cast<float>(8 * (1 - known) + unit(random));
        kl[at] = static_cast<float>(l + 1 == rows ? 0 : 6 * (1 - known) * unit(random));
        kl_back[at] = static_cast<float>(l + 1 == rows ? 0 : 7 * (1 - known) * unit(random));
        rank_final[at] =
            static_cast<float>(l + 1 == rows ? 1 : 1 + std::floor(300 * (1 - known) * unit(random)));
        if (s + 1 == length) continue;
        prob[at] = static_cast<float>(known);
        loss[at] = static_cast<float>(-std::log(std::max(known, 1e-5)));
        rank[at] = static_cast<float>(1 + std::floor(500 * std::pow(1 - known, 4)));
      }
    }
  }
  Dataset data;
  data.title = "Logit lens";
  data.provenance = {{"analysis", "logit-lens"}, {"key", "5f3a91c2d0"}, {"compute", "f32"}};
  data.checks.push_back({"last layer = model output", 0, 0, 14, true, ""});
  const auto numbers = [&](const char* name, std::vector<float> values, const char* title, const char* what) {
    Array array({"layer", "prompt", "pos"}, {rows, prompts, positions}, std::move(values));
    array.title = title;
    array.unit = what;
    data.set(name, std::move(array));
  };
  numbers("prob_true", prob, "probability of the true next token", "probability");
  numbers("cross_entropy", loss, "cross-entropy of the true next token", "nats");
  numbers("entropy", entropy, "entropy of the layer's distribution", "nats");
  numbers("kl_final_lens", kl, "KL(final || layer)", "nats");
  numbers("kl_lens_final", kl_back, "KL(layer || final)", "nats");
  numbers("rank_true", rank, "rank of the true next token, 1 = best", "rank");
  numbers("rank_final", rank_final, "rank of the model's own answer, 1 = best", "rank");
  const std::vector<std::string> axes = {"layer", "prompt", "pos", "rank"};
  const std::vector<int64_t> shape = {rows, prompts, positions, ranks};
  data.set("top_id", Array(axes, shape, std::move(ids)));
  data.set("top_text", Array(axes, shape, std::move(top)));
  data.set("top_prob", Array(axes, shape, std::move(top_prob)));
  data.set("tokens", Array({"prompt", "pos"}, {prompts, positions}, std::move(tokens)));
  data.set("token_text", Array({"prompt", "pos"}, {prompts, positions}, std::move(text)));
  data.set("lengths", Array({"prompt"}, {prompts}, std::move(lengths)));
  std::vector<int64_t> ticks;
  for (int64_t l = 0; l < rows; ++l) ticks.push_back(l);
  Array layer_ticks({"layer"}, {rows}, std::move(ticks));
  layer_ticks.unit = blocks_applied;
  data.set_coord("layer", std::move(layer_ticks));
  return data;
}

// Checkpoint steps as published series have them: 0, powers of two, then every thousand.
inline std::vector<int64_t> series_steps(int64_t last = 143000) {
  std::vector<int64_t> steps = {0};
  for (int64_t s = 1; s <= std::min<int64_t>(512, last); s *= 2) steps.push_back(s);
  for (int64_t s = 1000; s <= last; s += 1000) steps.push_back(s);
  return steps;
}

// What the lens says over a series: means with intervals at each (step, layer).
inline Dataset lens_series_data(int64_t layers = 12, uint64_t seed = 2) {
  const std::vector<int64_t> steps = series_steps();
  const int64_t rows = layers + 1, count = static_cast<int64_t>(steps.size());
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, 0.02);
  Dataset data;
  data.title = "Logit lens over the series";
  data.notes.push_back("Intervals: 95 % bootstrap over 128 prompts, 1000 resamplings.");
  data.provenance = {{"analysis", "logit-lens"}, {"key", "77aa01beef"}, {"compute", "f32"}};
  data.checks.push_back({"last layer = model output", 0, 0, 14, true, ""});
  data.events.push_back({64, "unigram", "loss below unigram entropy"});
  data.events.push_back({1000, "induction forms", "largest second difference"});
  std::vector<double> share, loss;
  for (const int64_t step : steps)
    for (int64_t l = 0; l < rows; ++l) {
      const double trained = 1 / (1 + std::exp(3.2 - 1.1 * std::log10(1.0 + static_cast<double>(step))));
      const double depth = static_cast<double>(l) / static_cast<double>(layers);
      share.push_back(std::clamp(0.75 * trained * std::pow(depth, 1.5) + 0.2 * noise(random), 0.0, 1.0));
      loss.push_back(10.9 - 8 * trained * (0.25 + 0.75 * depth) + noise(random));
    }
  const auto set = [&](const std::string& name, const std::vector<double>& values, double half,
                       const char* title, const char* what) {
    for (const auto& [suffix, shift] :
         {std::pair("", 0.0), std::pair("_low", -half), std::pair("_high", half)}) {
      std::vector<double> moved = values;
      for (double& v : moved) v += shift;
      Array array({"step", "layer"}, {count, rows}, std::move(moved));
      array.title = title;
      array.unit = what;
      data.set(name + suffix, std::move(array));
    }
    data.set(name + "_n", Array({"step", "layer"}, {count, rows}, std::vector<int64_t>(values.size(), 128)));
  };
  set("top1_share", share, 0.03, "share of positions whose best token is the true one", "share");
  set("cross_entropy", loss, 0.15, "cross-entropy of the true next token", "nats");
  data.set_coord("step", Array({"step"}, {count}, steps));
  std::vector<int64_t> ticks;
  for (int64_t l = 0; l < rows; ++l) ticks.push_back(l);
  Array layer_ticks({"layer"}, {rows}, std::move(ticks));
  layer_ticks.unit = blocks_applied;
  data.set_coord("layer", std::move(layer_ticks));
  return data;
}

}  // namespace varve::testing_support
