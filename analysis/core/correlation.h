// Correlations over few points, with everything needed not to believe them too soon.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/statistics.h"

namespace varve {

// Below this many points a correlation carries a warning.
inline constexpr int64_t few_points = 8;

struct Coefficient {
  double value = 0;          // NaN where one side does not vary or there are fewer than three points
  double low = 0, high = 0;  // 95 % percentile bootstrap over points; NaN where it cannot be had
  double p = 0;              // two-sided permutation p
};

struct Correlation {
  int64_t n = 0;
  Coefficient pearson, spearman;
  bool exact = false;        // p over all orders (n up to 10), else over random ones
  int64_t permutations = 0;  // how many were looked at
};

double pearson(std::span<const double> x, std::span<const double> y);  // NaN where one side does not vary
std::vector<double> ranks_of(std::span<const double> values);          // from 1, equals share their mean

// Pairs with a number missing are left out. resamplings: of the bootstrap, and of random orders where n is
// too large for all of them.
Correlation correlate(std::span<const double> x, std::span<const double> y, int64_t resamplings,
                      uint64_t seed);

// "n = 4 points: ..." where n is too small to conclude from, else empty.
std::string warning_of(const Correlation& correlation);

// Mean over pairs of samples, each resampled as a whole: a pair (i, j) counts w_i w_j times where sample i
// was drawn w_i times. `error` is the bootstrap's standard deviation.
struct PairEstimate : Estimate {
  double error = 0;
};
// values[k] belongs to the pair of samples (first[k], second[k]); missing ones are left out. Several sets of
// values over the same pairs share the draws.
std::vector<PairEstimate> bootstrap_pair_means(std::span<const std::vector<double>> sets,
                                               std::span<const int64_t> first,
                                               std::span<const int64_t> second, int64_t samples,
                                               uint64_t seed);

}  // namespace varve
