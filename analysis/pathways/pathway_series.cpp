// Distances between the pathways of sample pairs, checkpoint by checkpoint.
#include "analysis/pathways/pathway_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/pathway.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// The paths of all samples at one checkpoint.
struct Paths {
  std::vector<std::vector<std::vector<int64_t>>> layers;  // [prompt][layer]
  std::vector<std::string> text;
  std::vector<std::vector<int64_t>> symbols;
  std::vector<double> entropy;  // mean over layers, nats
  int64_t near_theta = 0, near_order = 0;
};

// Every distance of every pair: one row a kind.
enum Kind : size_t { in_characters, in_experts, characters_share, experts_share, first_layer };

class PathwaySeries {
 public:
  PathwaySeries(const Array& weights, const Groups& groups, const PathwayConfig& config, Task& task)
      : weights_(weights), groups_(groups), config_(config), task_(task) {
    if (weights.axes() != std::vector<std::string>{"step", "layer", "prompt", "expert"})
      fail("pathways need weights over step, layer, prompt and expert");
    steps_ = weights.extent("step");
    layers_ = weights.extent("layer");
    prompts_ = weights.extent("prompt");
    experts_ = weights.extent("expert");
    sets_ = pair_sets(groups, config.pairs, config.seed);
    if (sets_.empty())
      fail("pathway distances compare samples, and there are {}; give two or more", prompts_);
    shown_ = spread_over_groups(groups, config.matrix);
    for (size_t i = 0; i < shown_.size(); ++i)
      for (size_t k = i + 1; k < shown_.size(); ++k) shown_pairs_.emplace_back(shown_[i], shown_[k]);
  }

  Dataset made() {
    const auto sets = static_cast<int64_t>(sets_.size());
    for (size_t kind = 0; kind < 4; ++kind)
      whole_.emplace_back(over_pairs, std::vector<int64_t>{steps_, sets});
    layer_.emplace(std::vector<std::string>{"step", "layer", "pairs"},
                   std::vector<int64_t>{steps_, layers_, sets});
    noise_.assign(static_cast<size_t>(steps_ * sets), missing);
    entropy_r_ = noise_;
    lengths_.assign(static_cast<size_t>(steps_ * layers_ * prompts_), 0);
    top_ = lengths_;
    for (int64_t step = 0; step < steps_; ++step) {
      Task part = task_.part(static_cast<double>(step) / static_cast<double>(steps_),
                             static_cast<double>(step + 1) / static_cast<double>(steps_));
      take(step, part);
    }
    return result();
  }

 private:
  const std::vector<std::string> over_pairs{"step", "pairs"};

  Paths paths_at(int64_t step) {
    Paths paths;
    paths.layers.resize(static_cast<size_t>(prompts_));
    paths.entropy.assign(static_cast<size_t>(prompts_), 0);
    std::vector<double> weights(static_cast<size_t>(experts_));
    for (int64_t layer = 0; layer < layers_; ++layer)
      for (int64_t p = 0; p < prompts_; ++p) {
        const int64_t row = (step * layers_ + layer) * prompts_ + p;
        for (int64_t e = 0; e < experts_; ++e)
          weights[static_cast<size_t>(e)] = weights_.number(row * experts_ + e);
        std::vector<int64_t> path = layer_path(weights, config_.theta);
        const PathMargin margin = margin_of(weights, config_.theta);
        paths.near_theta += margin.theta < config_.tie ? 1 : 0;
        paths.near_order += margin.order < config_.tie ? 1 : 0;
        paths.entropy[static_cast<size_t>(p)] += entropy_nats(weights) / static_cast<double>(layers_);
        lengths_[static_cast<size_t>(row)] = static_cast<int64_t>(path.size());
        top_[static_cast<size_t>(row)] = path.empty() ? -1 : path.front();
        paths.layers[static_cast<size_t>(p)].push_back(std::move(path));
      }
    for (const auto& path : paths.layers) {
      paths.text.push_back(path_text(path));
      paths.symbols.push_back(path_symbols(path, experts_));
    }
    return paths;
  }

  std::vector<std::vector<double>> distances(const Paths& paths, const PairSet& set, Task& task) const {
    std::vector<std::vector<double>> all(first_layer + static_cast<size_t>(layers_),
                                         std::vector<double>(set.pairs.size()));
    const std::vector<int64_t> characters = edit_distances(paths.text, set.pairs, task);
    parallel_for(static_cast<int64_t>(set.pairs.size()), [&](int64_t pair, int) {
      const auto k = static_cast<size_t>(pair);
      const auto i = static_cast<size_t>(set.pairs[k].first), j = static_cast<size_t>(set.pairs[k].second);
      const auto share = [](double distance, size_t a, size_t b) {
        return a + b == 0 ? 0 : distance / static_cast<double>(std::max(a, b));
      };
      all[in_characters][k] = static_cast<double>(characters[k]);
      all[characters_share][k] = share(all[in_characters][k], paths.text[i].size(), paths.text[j].size());
      all[in_experts][k] = static_cast<double>(edit_distance(paths.symbols[i], paths.symbols[j]));
      all[experts_share][k] = share(all[in_experts][k], paths.symbols[i].size(), paths.symbols[j].size());
      for (size_t layer = 0; layer < static_cast<size_t>(layers_); ++layer)
        all[first_layer + layer][k] =
            static_cast<double>(edit_distance(paths.layers[i][layer], paths.layers[j][layer]));
    });
    return all;
  }

  void take(int64_t step, Task& task) {
    const Paths paths = paths_at(step);
    near_theta_.push_back(paths.near_theta);
    near_order_.push_back(paths.near_order);
    Task quiet = task.part(0, 0);
    take_matrix(step, paths, quiet);
    for (size_t s = 0; s < sets_.size(); ++s) {
      const PairSet& set = sets_[s];
      Task part = task.part(static_cast<double>(s) / static_cast<double>(sets_.size()),
                            static_cast<double>(s + 1) / static_cast<double>(sets_.size()));
      const std::vector<std::vector<double>> all = distances(paths, set, part);
      std::vector<int64_t> first, second;
      std::vector<double> entropy;
      for (const auto& [i, j] : set.pairs) {
        first.push_back(i);
        second.push_back(j);
        entropy.push_back((paths.entropy[static_cast<size_t>(i)] + paths.entropy[static_cast<size_t>(j)]) /
                          2);
      }
      const std::vector<PairEstimate> means =
          bootstrap_pair_means(all, first, second, config_.bootstrap, config_.seed);
      const auto sets = static_cast<int64_t>(sets_.size()), at = step * sets + static_cast<int64_t>(s);
      for (size_t kind = 0; kind < first_layer; ++kind) whole_[kind].put(at, means[kind]);
      for (int64_t layer = 0; layer < layers_; ++layer)
        layer_->put((step * layers_ + layer) * sets + static_cast<int64_t>(s),
                    means[first_layer + static_cast<size_t>(layer)]);
      entropy_r_[static_cast<size_t>(at)] = pearson(entropy, all[in_characters]);
      noise_[static_cast<size_t>(at)] = difference_of_halves(all[in_characters]);
      for (size_t k = 0; k < set.pairs.size(); ++k) {
        double sum = 0;
        for (size_t layer = 0; layer < static_cast<size_t>(layers_); ++layer)
          sum += all[first_layer + layer][k];
        beyond_ = std::max(beyond_, all[in_experts][k] - sum);
        ++compared_;
      }
    }
  }

  // Every pair of the samples that are shown, as a symmetric matrix.
  void take_matrix(int64_t step, const Paths& paths, Task& task) {
    const size_t count = shown_.size();
    if (count < 2) return;
    const std::vector<int64_t> characters = edit_distances(paths.text, shown_pairs_, task);
    matrix_.resize(static_cast<size_t>(steps_) * count * count, 0);
    double* const here = matrix_.data() + static_cast<size_t>(step) * count * count;
    size_t pair = 0;
    for (size_t i = 0; i < count; ++i)
      for (size_t k = i + 1; k < count; ++k, ++pair) {
        const auto longer = std::max(paths.text[static_cast<size_t>(shown_[i])].size(),
                                     paths.text[static_cast<size_t>(shown_[k])].size());
        const double share =
            longer == 0 ? 0 : static_cast<double>(characters[pair]) / static_cast<double>(longer);
        here[i * count + k] = here[k * count + i] = share;
      }
  }

  void add_matrix(Dataset& series) {
    const auto count = static_cast<int64_t>(shown_.size());
    if (count < 2) return;
    series.set("pair_distance",
               titled({"step", "sample", "sample_2"}, {steps_, count, count}, std::move(matrix_),
                      "edit distance of two samples' path strings over the longer string", "share"));
    std::vector<std::string> names;
    for (const int64_t i : shown_) {
      const int64_t g = groups_.of[static_cast<size_t>(i)];
      names.push_back(groups_.given && g >= 0 ? fmt::format("{} {}", groups_.names[static_cast<size_t>(g)], i)
                                              : fmt::format("{}", i));
    }
    series.set_coord("sample", Array({"sample"}, {count}, names));
    series.set_coord("sample_2", Array({"sample_2"}, {count}, names));
    if (count < prompts_)
      series.notes.push_back(fmt::format(
          "pair_distance holds {} of {} samples, spread evenly over each group; the means are over all pairs "
          "drawn.",
          count, show_count(prompts_)));
  }

  // Same checkpoint, other pairs: how much a mean moves by the choice of pairs alone.
  static double difference_of_halves(const std::vector<double>& values) {
    double sum[2] = {0, 0}, n[2] = {0, 0};
    for (size_t k = 0; k < values.size(); ++k) sum[k % 2] += values[k], n[k % 2] += 1;
    return n[1] > 0 ? std::abs(sum[0] / n[0] - sum[1] / n[1]) : missing;
  }

  Dataset result() {
    Dataset series;
    series.title = "Pathways over the series";
    whole_[in_characters].into(series, "distance", "mean edit distance of whole path strings", "characters");
    whole_[in_experts].into(series, "distance_experts", "mean edit distance of whole paths", "experts");
    whole_[characters_share].into(series, "distance_normalised",
                                  "mean edit distance of whole path strings over the longer string", "share");
    whole_[experts_share].into(series, "distance_experts_normalised",
                               "mean edit distance of whole paths over the longer path", "share");
    layer_->into(series, "distance_layer", "mean edit distance of one layer's path", "experts");
    const auto sets = static_cast<int64_t>(sets_.size());
    series.set("distance_noise",
               titled(over_pairs, {steps_, sets}, std::move(noise_),
                      "noise floor: difference between the means of two halves of the pairs", "characters"));
    series.set("entropy_distance_r",
               titled(over_pairs, {steps_, sets}, std::move(entropy_r_),
                      "Pearson r between a pair's mean routing entropy and its distance", "r"));
    const std::vector<int64_t> per_sample{steps_, layers_, prompts_};
    series.set("path_length", titled({"step", "layer", "prompt"}, per_sample, std::move(lengths_),
                                     "experts in the layer's path", "experts"));
    series.set("top_expert", titled({"step", "layer", "prompt"}, per_sample, std::move(top_),
                                    "the expert with the largest weight", "expert"));
    series.set("near_theta",
               titled({"step"}, {steps_}, near_theta_,
                      "layer paths whose sum comes nearer to theta than the setting tie", "paths"));
    series.set("near_order", titled({"step"}, {steps_}, near_order_,
                                    "layer paths with two neighbours nearer than the setting tie", "paths"));
    std::vector<std::string> names, labels;
    std::vector<int64_t> counts;
    for (const PairSet& set : sets_) {
      names.push_back(set.name);
      counts.push_back(static_cast<int64_t>(set.pairs.size()));
    }
    for (const int64_t g : groups_.of) labels.push_back(g < 0 ? "" : groups_.names[static_cast<size_t>(g)]);
    series.set("pair_count",
               titled({"pairs"}, {sets}, counts, "pairs compared, the same at every step", "pairs"));
    series.set("sample_group", titled({"prompt"}, {prompts_}, labels, "group of the sample", ""));
    series.set_coord("pairs", Array({"pairs"}, {sets}, names));
    series.checks.push_back({"whole path distance is at most the sum over layers", beyond_, 0, compared_,
                             beyond_ <= 0, "both in experts; worst pair"});
    add_matrix(series);
    add_notes(series);
    return series;
  }

  void add_notes(Dataset& series) const {
    series.notes.push_back(
        fmt::format("Paths hold the experts whose summed weight exceeds theta = {}; pairs are the same at "
                    "every step; intervals "
                    "are 95 % over {} draws of whole samples, since pairs share samples.",
                    config_.theta, config_.bootstrap));
    const auto worst = [](const std::vector<int64_t>& counts) {
      return counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    };
    if (worst(near_theta_) > 0 || worst(near_order_) > 0)
      series.notes.push_back(fmt::format(
          "Near ties: at the worst step {} of {} layer paths come nearer to theta than {}, and {} hold two "
          "neighbours nearer than that; rounding could give these another string.",
          show_count(worst(near_theta_)), show_count(layers_ * prompts_), config_.tie,
          show_count(worst(near_order_))));
  }

  const Array& weights_;
  const Groups& groups_;
  PathwayConfig config_;
  Task& task_;
  int64_t steps_ = 0, layers_ = 0, prompts_ = 0, experts_ = 0, compared_ = 0;
  double beyond_ = 0;
  std::vector<PairSet> sets_;
  std::vector<Estimates> whole_;
  std::optional<Estimates> layer_;
  std::vector<double> noise_, entropy_r_;
  std::vector<int64_t> lengths_, top_, near_theta_, near_order_;
  std::vector<int64_t> shown_;  // samples of the matrix, group by group
  std::vector<SamplePair> shown_pairs_;
  std::vector<double> matrix_;
};

}  // namespace

Dataset pathway_distances(const Array& weights, const Groups& groups, const PathwayConfig& config,
                          Task& task) {
  return PathwaySeries(weights, groups, config, task).made();
}

}  // namespace varve
