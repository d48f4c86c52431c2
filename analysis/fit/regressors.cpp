// Linear models with a penalty, and ensembles of trees.
#include "analysis/fit/regressors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/fit/regression_tree.h"

namespace varve {
namespace {

class Linear : public Regressor {
 public:
  // penalty: of the standardised coefficients, per row. Coordinate descent solves both kinds.
  Linear(const TrainingRows& rows, double absolute, double squared) {
    const size_t n = rows.features.size(), width = rows.features.front().size();
    centre_.assign(width, 0);
    scale_.assign(width, 0);
    weights_.assign(width, 0);
    const auto count = static_cast<double>(n);
    for (const Row& row : rows.features)
      for (size_t k = 0; k < width; ++k) centre_[k] += row[k] / count;
    for (const Row& row : rows.features)
      for (size_t k = 0; k < width; ++k) scale_[k] += (row[k] - centre_[k]) * (row[k] - centre_[k]) / count;
    for (double& one : scale_) one = one > 1e-24 ? std::sqrt(one) : 0;
    offset_ = std::accumulate(rows.targets.begin(), rows.targets.end(), 0.0) / count;
    // Only products of columns matter: gram [k, j] of the standardised features, along [k] with the targets.
    std::vector<double> gram(width * width, 0), along(width, 0), scaled(width);
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < width; ++k)
        scaled[k] = scale_[k] > 0 ? (rows.features[i][k] - centre_[k]) / scale_[k] : 0;
      for (size_t k = 0; k < width; ++k) {
        along[k] += scaled[k] * (rows.targets[i] - offset_) / count;
        for (size_t j = 0; j < width; ++j) gram[k * width + j] += scaled[k] * scaled[j] / count;
      }
    }
    constexpr int most_rounds = 2000;
    for (int round = 0; round < most_rounds; ++round) {
      double moved = 0;
      for (size_t k = 0; k < width; ++k) {
        if (scale_[k] == 0) continue;
        double wanted = along[k] + weights_[k];
        for (size_t j = 0; j < width; ++j) wanted -= gram[k * width + j] * weights_[j];
        const double shrunk = std::max(0.0, std::abs(wanted) - absolute) * (wanted < 0 ? -1 : 1);
        const double next = shrunk / (1 + squared);
        moved = std::max(moved, std::abs(next - weights_[k]));
        weights_[k] = next;
      }
      if (moved < 1e-9) break;
    }
  }

  double predict(const Row& features) const override {
    double sum = offset_;
    for (size_t k = 0; k < weights_.size(); ++k)
      if (scale_[k] > 0) sum += weights_[k] * (features[k] - centre_[k]) / scale_[k];
    return sum;
  }

 private:
  Row centre_, scale_, weights_;
  double offset_ = 0;
};

class Forest : public Regressor {
 public:
  Forest(const TrainingRows& rows, uint64_t seed) {
    std::mt19937_64 random(seed);
    const size_t n = rows.features.size();
    const auto third = static_cast<int64_t>(std::max<size_t>(1, rows.features.front().size() / 3));
    constexpr int trees = 100;
    for (int tree = 0; tree < trees; ++tree) {
      std::vector<size_t> drawn;
      for (size_t i = 0; i < n; ++i) drawn.push_back(random() % n);
      trees_.emplace_back(rows, std::move(drawn), TreeShape{8, 2, third}, random);
    }
  }
  double predict(const Row& features) const override {
    double sum = 0;
    for (const RegressionTree& tree : trees_) sum += tree.predict(features);
    return sum / static_cast<double>(trees_.size());
  }

 private:
  std::vector<RegressionTree> trees_;
};

class Boosting : public Regressor {
 public:
  Boosting(const TrainingRows& rows, uint64_t seed) {
    std::mt19937_64 random(seed);
    TrainingRows left = rows;
    const size_t n = rows.targets.size();
    start_ = std::accumulate(rows.targets.begin(), rows.targets.end(), 0.0) / static_cast<double>(n);
    for (double& one : left.targets) one -= start_;
    std::vector<size_t> all(n);
    std::iota(all.begin(), all.end(), size_t{0});
    constexpr int trees = 100;
    for (int tree = 0; tree < trees; ++tree) {
      trees_.emplace_back(left, all, TreeShape{3, 2, 0}, random);
      for (size_t i = 0; i < n; ++i) left.targets[i] -= rate * trees_.back().predict(rows.features[i]);
    }
  }
  double predict(const Row& features) const override {
    double sum = start_;
    for (const RegressionTree& tree : trees_) sum += rate * tree.predict(features);
    return sum;
  }

 private:
  static constexpr double rate = 0.1;
  double start_ = 0;
  std::vector<RegressionTree> trees_;
};

std::unique_ptr<Regressor> linear_model(bool is_lasso, const TrainingRows& rows, double penalty) {
  return std::make_unique<Linear>(rows, is_lasso ? penalty : 0, is_lasso ? 0 : penalty);
}

// The penalty with the least squared error over five folds; rows are dealt in turn, after a shuffle by seed.
double chosen_penalty(bool is_lasso, const TrainingRows& rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  const size_t n = rows.targets.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  double spread = 0, mean = std::accumulate(rows.targets.begin(), rows.targets.end(), 0.0) / double(n);
  for (const double one : rows.targets) spread += (one - mean) * (one - mean) / static_cast<double>(n);
  double best = 0, least = std::numeric_limits<double>::infinity();
  for (double penalty = 1e-4; penalty < 200; penalty *= 4) {
    const double scaled = is_lasso ? penalty / 200 * std::sqrt(spread) : penalty;
    double error = 0;
    for (size_t fold = 0; fold < 5; ++fold) {
      TrainingRows rest;
      std::vector<size_t> held;
      for (size_t i = 0; i < n; ++i) {
        if (i % 5 == fold) {
          held.push_back(order[i]);
          continue;
        }
        rest.features.push_back(rows.features[order[i]]);
        rest.targets.push_back(rows.targets[order[i]]);
      }
      const auto model = linear_model(is_lasso, rest, scaled);
      for (const size_t row : held) {
        const double off = model->predict(rows.features[row]) - rows.targets[row];
        error += off * off;
      }
    }
    if (error < least) least = error, best = scaled;
  }
  return best;
}

}  // namespace

const std::vector<std::string>& regressor_names() {
  static const std::vector<std::string> names = {"ridge", "lasso", "forest", "boosting"};
  return names;
}

std::unique_ptr<Regressor> trained(const std::string& kind, const TrainingRows& rows, uint64_t seed) {
  if (rows.features.size() != rows.targets.size())
    fail("a regressor was given {} rows and {} targets; each row needs one", rows.features.size(),
         rows.targets.size());
  constexpr size_t fewest = 5;
  if (rows.targets.size() < fewest)
    fail("{} rows are too few to train on; {} or more are needed", rows.targets.size(), fewest);
  if (kind == "forest") return std::make_unique<Forest>(rows, seed);
  if (kind == "boosting") return std::make_unique<Boosting>(rows, seed);
  if (kind != "ridge" && kind != "lasso")
    fail("there is no regressor '{}'; there are ridge, lasso, forest and boosting", kind);
  const bool is_lasso = kind == "lasso";
  return linear_model(is_lasso, rows, chosen_penalty(is_lasso, rows, seed));
}

double r2_of(const std::vector<double>& predicted, const std::vector<double>& actual) {
  double mean = 0, sse = 0, sst = 0;
  for (const double one : actual) mean += one / static_cast<double>(actual.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    sse += (predicted[i] - actual[i]) * (predicted[i] - actual[i]);
    sst += (actual[i] - mean) * (actual[i] - mean);
  }
  return sst > 0 ? 1 - sse / sst : std::nan("");
}

}  // namespace varve
