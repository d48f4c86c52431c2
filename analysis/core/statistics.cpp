// Means with honest intervals, and quantiles.
#include "analysis/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct Cluster {
  double sum = 0;
  int64_t n = 0;
};

// Only clusters with at least one finite value, in the order of their names.
std::vector<Cluster> clusters_of(std::span<const double> values, std::span<const int64_t> cluster) {
  std::map<int64_t, Cluster> named;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    Cluster& mine = named[cluster[i]];
    mine.sum += values[i];
    ++mine.n;
  }
  std::vector<Cluster> all;
  for (const auto& [name, each] : named) all.push_back(each);
  return all;
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  if (!(q >= 0 && q <= 1)) fail("the quantile {} was asked for; it must lie in 0 to 1", q);
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return not_a_number;
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const double share = place - static_cast<double>(below);
  if (share == 0 || values[below] == values[below + 1]) return values[below];
  return values[below] * (1 - share) + values[below + 1] * share;
}

// Cluster bootstrap (Efron and Tibshirani 1993, chapter 8): whole clusters are drawn with replacement,
// and each sample's mean is the sum of its values over their number.
Estimate bootstrap_mean(std::span<const double> values, std::span<const int64_t> cluster, int64_t samples,
                        uint64_t seed) {
  if (values.size() != cluster.size())
    fail("{} values were given with {} cluster names; each value needs one", values.size(), cluster.size());
  if (samples < 1) fail("a bootstrap of {} samples was asked for; give 1 or more", samples);
  const std::vector<Cluster> clusters = clusters_of(values, cluster);
  Cluster whole;
  for (const Cluster& each : clusters) {
    whole.sum += each.sum;
    whole.n += each.n;
  }
  Estimate estimate{not_a_number, not_a_number, not_a_number, whole.n};
  if (whole.n == 0) return estimate;
  estimate.value = whole.sum / static_cast<double>(whole.n);
  if (clusters.size() < 2) return estimate;

  // The generator's output is fixed by the standard, its distributions are not; the remainder's bias is below
  // clusters / 2^64.
  std::mt19937_64 random(seed);
  std::vector<double> means;
  means.reserve(static_cast<size_t>(samples));
  for (int64_t sample = 0; sample < samples; ++sample) {
    Cluster drawn;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const Cluster& each = clusters[random() % clusters.size()];
      drawn.sum += each.sum;
      drawn.n += each.n;
    }
    means.push_back(drawn.sum / static_cast<double>(drawn.n));
  }
  estimate.low = quantile(means, 0.025);
  estimate.high = quantile(std::move(means), 0.975);
  return estimate;
}

}  // namespace varve
