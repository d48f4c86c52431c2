// Statistics that always carry their n and interval.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace varve {

struct Estimate {
  double value = 0, low = 0, high = 0;  // NaN where n = 0
  int64_t n = 0;
};

// Mean of all finite values with a 95 % percentile bootstrap over whole clusters (prompts), since positions
// of one prompt are not independent. values[i] belongs to cluster[i]; with one cluster the interval is NaN.
Estimate bootstrap_mean(std::span<const double> values, std::span<const int64_t> cluster, int64_t samples,
                        uint64_t seed);

double quantile(std::vector<double> values,
                double q);  // linear interpolation; NaNs left out; NaN where empty

}  // namespace varve
