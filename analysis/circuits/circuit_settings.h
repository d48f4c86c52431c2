// How a circuit is scored, chosen and run: the settings of `circuit`, which its trajectory has, too.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/circuits/task_metric.h"
#include "analysis/core/settings.h"

namespace varve {

struct CircuitSettings {
  std::string method = "eap-ig-inputs";
  std::string metric = "logit-diff";
  int64_t steps = 5;
  std::string choose = "top";
  double size = 0.05;
  std::string rank = "magnitude";
  double threshold = 0.1;
  std::string threshold_mode = "relative";
  std::string ablation = "patching";
  std::string curve = "yes";
  int64_t random = 3;
  int64_t folds = 2;
  int64_t seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("method", method, "how edges are scored",
          Choices{"eap", "eap-ig-inputs", "eap-ig-activations", "clean-corrupted", "exact"});
    visit("metric", metric, "what is read at each pair's answer", metric_choices());
    visit("steps", steps, "points of the integrated gradients", Range{1, 1000});
    visit("choose", choose,
          "the best edges, the best that lead to the output one after the other, or all from a "
          "threshold",
          Choices{"top", "greedy", "threshold"});
    visit("size", size, "edges to choose before pruning: up to 1 a share of all, above it a number",
          Range{1e-6, 1e9});
    visit("rank", rank, "by the magnitude of scores, or by how much an edge holds the metric up",
          Choices{"magnitude", "value"});
    visit("threshold", threshold, "least score of an edge, for choose=threshold", Range{0, 1e9});
    visit("threshold_mode", threshold_mode, "beside the largest score, or as it is",
          Choices{"relative", "raw"});
    visit("ablation", ablation,
          "what edges outside the circuit carry: the corrupted run's values, means over the "
          "clean prompts, or nothing",
          Choices{"patching", "mean", "zero"});
    visit("curve", curve, "whether to measure faithfulness at the ten standard sizes", Choices{"yes", "no"});
    visit("random", random, "random circuits of each size to compare with", Range{0, 100});
    visit("folds", folds, "into how many parts the pairs are dealt for the noise floor", Range{1, 16});
    visit("seed", seed, "seed of the random circuits", Range{0, 1e15});
  }
};

}  // namespace varve
