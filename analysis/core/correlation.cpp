// Pearson and Spearman with permutation p and bootstrap intervals, and means over pairs of samples.
#include "analysis/core/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t most_exact = 10;  // 3.6 million orders: some hundredths of a second

// Values less their mean, divided by their norm; empty where they do not vary.
std::vector<double> standardised(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  std::vector<double> out(values.begin(), values.end());
  double square = 0, largest = 0;
  for (double& value : out) {
    largest = std::max(largest, std::abs(value));
    value -= mean;
    square += value * value;
  }
  // Equal numbers may leave a rounding of their mean behind.
  if (!(std::sqrt(square / n) > 1e-14 * largest)) return {};
  for (double& value : out) value /= std::sqrt(square);
  return out;
}

double product(const std::vector<double>& x, const std::vector<double>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

struct PermutationTest {
  double p_pearson = missing, p_spearman = missing;
  bool exact = false;
  int64_t count = 0;
};

// How often an order of y gives as large a coefficient as its own order; of rounding a little is forgiven.
PermutationTest permutation_test(const std::vector<double>& x, const std::vector<double>& y,
                                 const std::vector<double>& rank_x, const std::vector<double>& rank_y,
                                 int64_t resamplings, std::mt19937_64& random) {
  constexpr double slack = 1e-12;
  const double r = std::abs(product(x, y)) - slack, rho = std::abs(product(rank_x, rank_y)) - slack;
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int64_t as_large_r = 0, as_large_rho = 0;
  PermutationTest test;
  const auto look = [&] {
    double one = 0, other = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      one += x[i] * y[order[i]];
      other += rank_x[i] * rank_y[order[i]];
    }
    as_large_r += std::abs(one) >= r ? 1 : 0;
    as_large_rho += std::abs(other) >= rho ? 1 : 0;
    ++test.count;
  };
  test.exact = static_cast<int64_t>(x.size()) <= most_exact;
  if (test.exact) {
    do look();
    while (std::next_permutation(order.begin(), order.end()));
  } else {
    look();  // the order there is counts as one of them, so that p is never zero
    for (int64_t i = 0; i < resamplings; ++i) {
      for (size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random() % k]);
      look();
    }
  }
  test.p_pearson = static_cast<double>(as_large_r) / static_cast<double>(test.count);
  test.p_spearman = static_cast<double>(as_large_rho) / static_cast<double>(test.count);
  return test;
}

}  // namespace

double pearson(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) fail("{} values cannot be correlated with {}", x.size(), y.size());
  if (x.size() < 2) return missing;
  const std::vector<double> a = standardised(x), b = standardised(y);
  return a.empty() || b.empty() ? missing : std::clamp(product(a, b), -1.0, 1.0);
}

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (size_t k = i; k < end; ++k) ranks[order[k]] = static_cast<double>(i + end + 1) / 2;
    i = end;
  }
  return ranks;
}

Correlation correlate(std::span<const double> x, std::span<const double> y, int64_t resamplings,
                      uint64_t seed) {
  if (x.size() != y.size()) fail("{} values cannot be correlated with {}", x.size(), y.size());
  std::vector<double> a, b;
  for (size_t i = 0; i < x.size(); ++i)
    if (std::isfinite(x[i]) && std::isfinite(y[i])) a.push_back(x[i]), b.push_back(y[i]);
  Correlation result;
  result.n = static_cast<int64_t>(a.size());
  result.pearson = result.spearman = {missing, missing, missing, missing};
  if (result.n < 3) return result;
  const std::vector<double> rank_a = ranks_of(a), rank_b = ranks_of(b);
  result.pearson.value = pearson(a, b);
  result.spearman.value = pearson(rank_a, rank_b);
  if (std::isnan(result.pearson.value)) return result;
  std::mt19937_64 random(seed);
  const PermutationTest test = permutation_test(standardised(a), standardised(b), standardised(rank_a),
                                                standardised(rank_b), resamplings, random);
  result.pearson.p = test.p_pearson;
  result.spearman.p = test.p_spearman;
  result.exact = test.exact;
  result.permutations = test.count;
  std::vector<double> rs, rhos, draw_a(a.size()), draw_b(a.size());
  for (int64_t sample = 0; sample < resamplings; ++sample) {
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t chosen = random() % a.size();
      draw_a[i] = a[chosen], draw_b[i] = b[chosen];
    }
    // Draws in which one side does not vary have no coefficient.
    if (const double r = pearson(draw_a, draw_b); !std::isnan(r)) {
      rs.push_back(r);
      rhos.push_back(pearson(ranks_of(draw_a), ranks_of(draw_b)));
    }
  }
  result.pearson.low = quantile(rs, 0.025), result.pearson.high = quantile(rs, 0.975);
  result.spearman.low = quantile(rhos, 0.025), result.spearman.high = quantile(rhos, 0.975);
  return result;
}

std::string warning_of(const Correlation& correlation) {
  if (correlation.n >= few_points) return "";
  if (correlation.n < 3) return fmt::format("n = {}: too few points for any correlation.", correlation.n);
  double orders = 1;
  for (int64_t i = 2; i <= correlation.n; ++i) orders *= static_cast<double>(i);
  return fmt::format(
      "Only n = {} points: no p below {:.2g} is possible, and a coefficient near 1 is no evidence by itself.",
      correlation.n, std::min(1.0, 2 / orders));
}

std::vector<PairEstimate> bootstrap_pair_means(std::span<const std::vector<double>> sets,
                                               std::span<const int64_t> first,
                                               std::span<const int64_t> second, int64_t samples,
                                               uint64_t seed) {
  if (first.size() != second.size()) fail("pairs of {} and {} samples", first.size(), second.size());
  std::map<int64_t, size_t> place;
  for (size_t k = 0; k < first.size(); ++k) place[first[k]] = place[second[k]] = 0;
  size_t next = 0;
  for (auto& [sample, at] : place) at = next++;
  std::vector<size_t> one, other;
  for (size_t k = 0; k < first.size(); ++k) one.push_back(place[first[k]]), other.push_back(place[second[k]]);

  // Missing values count nothing: neither in a sum nor in its weight.
  std::vector<std::vector<double>> values, present;
  for (const std::vector<double>& set : sets) {
    if (set.size() != first.size()) fail("{} values were given for {} pairs", set.size(), first.size());
    std::vector<double>& clean = values.emplace_back(set);
    std::vector<double>& mask = present.emplace_back();
    if (std::all_of(set.begin(), set.end(), [](double value) { return std::isfinite(value); })) continue;
    mask.assign(set.size(), 1);
    for (size_t k = 0; k < set.size(); ++k)
      if (!std::isfinite(set[k])) clean[k] = mask[k] = 0;
  }
  std::vector<double> weight(first.size(), 1);  // of each pair
  const auto mean_of = [&](size_t set, double whole) {
    const double mass = present[set].empty() ? whole : product(weight, present[set]);
    return mass > 0 ? product(weight, values[set]) / mass : missing;
  };
  std::vector<PairEstimate> estimates(sets.size());
  std::vector<std::vector<double>> means(sets.size());
  for (size_t set = 0; set < sets.size(); ++set) {
    estimates[set].value = mean_of(set, static_cast<double>(first.size()));
    estimates[set].n =
        std::count_if(sets[set].begin(), sets[set].end(), [](double v) { return std::isfinite(v); });
    estimates[set].low = estimates[set].high = estimates[set].error = missing;
  }
  if (place.size() < 3) return estimates;
  std::mt19937_64 random(seed);
  std::vector<double> drawn(place.size());
  for (int64_t sample = 0; sample < samples; ++sample) {
    std::fill(drawn.begin(), drawn.end(), 0.0);
    for (size_t i = 0; i < drawn.size(); ++i) drawn[random() % drawn.size()] += 1;
    double whole = 0;
    for (size_t k = 0; k < weight.size(); ++k) whole += weight[k] = drawn[one[k]] * drawn[other[k]];
    for (size_t set = 0; set < sets.size(); ++set)
      if (const double mean = mean_of(set, whole); !std::isnan(mean)) means[set].push_back(mean);
  }
  for (size_t set = 0; set < sets.size(); ++set) {
    const std::vector<double>& all = means[set];
    if (all.size() < 2) continue;
    const double centre = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    double square = 0;
    for (const double mean : all) square += (mean - centre) * (mean - centre);
    estimates[set].error = std::sqrt(square / static_cast<double>(all.size() - 1));
    estimates[set].low = quantile(all, 0.025);
    estimates[set].high = quantile(all, 0.975);
  }
  return estimates;
}

}  // namespace varve
