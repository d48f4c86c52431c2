// Pathway strings, their margins, and the smoothness of a path.
#include "analysis/pathways/pathway.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

std::vector<int64_t> falling_order(std::span<const double> weights) {
  std::vector<int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return weights[static_cast<size_t>(a)] > weights[static_cast<size_t>(b)];
  });
  return order;
}

// Sums of f32 weights such as .4 + .3 miss .7 by their rounding; what lies this near counts as equal to theta
// and so does not exceed it.
constexpr double rounding = 1e-9;

}  // namespace

std::vector<int64_t> layer_path(std::span<const double> weights, double theta) {
  std::vector<int64_t> order = falling_order(weights);
  double sum = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    sum += weights[static_cast<size_t>(order[i])];
    if (sum > theta + rounding) {
      order.resize(i + 1);
      break;
    }
  }
  return order;
}

PathMargin margin_of(std::span<const double> weights, double theta) {
  const std::vector<int64_t> order = falling_order(weights);
  const size_t length = layer_path(weights, theta).size();
  PathMargin margin{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  double sum = 0;
  for (size_t i = 0; i < length; ++i) {
    const double weight = weights[static_cast<size_t>(order[i])];
    sum += weight;
    margin.theta = std::min(margin.theta, std::abs(sum - theta));
    if (i + 1 < order.size())
      margin.order = std::min(margin.order, weight - weights[static_cast<size_t>(order[i + 1])]);
  }
  return margin;
}

std::string path_text(std::span<const std::vector<int64_t>> layers) {
  std::vector<std::string> words;
  for (const std::vector<int64_t>& layer : layers) words.push_back(fmt::format("{}", fmt::join(layer, ",")));
  return fmt::format("{}", fmt::join(words, "-"));
}

std::vector<int64_t> path_symbols(std::span<const std::vector<int64_t>> layers, int64_t experts) {
  std::vector<int64_t> symbols;
  for (size_t layer = 0; layer < layers.size(); ++layer)
    for (const int64_t expert : layers[layer])
      symbols.push_back(static_cast<int64_t>(layer) * experts + expert);
  return symbols;
}

double entropy_nats(std::span<const double> weights) {
  double sum = 0, entropy = 0;
  for (const double weight : weights) sum += weight;
  if (!(sum > 0)) return missing;
  for (const double weight : weights)
    if (weight > 0) entropy -= weight / sum * std::log(weight / sum);
  return entropy;
}

Consistency consistency_of(std::span<const std::vector<double>> embeddings) {
  Consistency result;
  result.inconsistency = result.consistency = result.mean_cosine = missing;
  for (size_t l = 0; l + 1 < embeddings.size(); ++l) {
    const std::vector<double>&a = embeddings[l], &b = embeddings[l + 1];
    if (a.size() != b.size())
      fail(
          "the router rows of two layers have widths {} and {}; pathway consistency compares them and needs "
          "one residual width in all layers",
          a.size(), b.size());
    const double product = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    const double norms = std::sqrt(std::inner_product(a.begin(), a.end(), a.begin(), 0.0) *
                                   std::inner_product(b.begin(), b.end(), b.begin(), 0.0));
    if (!(norms > 0)) {
      result.zero_embedding = true;
      return result;
    }
    result.cosines.push_back(product / norms);
  }
  if (result.cosines.empty()) return result;
  const double most = *std::max_element(result.cosines.begin(), result.cosines.end());
  result.mean_cosine = std::accumulate(result.cosines.begin(), result.cosines.end(), 0.0) /
                       static_cast<double>(result.cosines.size());
  result.no_positive_cosine = !(most > 0);
  if (result.no_positive_cosine) return result;
  result.consistency = result.mean_cosine / (most + 1e-8);
  result.inconsistency = 1 - result.consistency;
  return result;
}

}  // namespace varve
