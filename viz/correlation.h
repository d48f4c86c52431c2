// How two series of numbers go together, with n, interval and, where few, an exact test.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace varve {

struct Correlation {
  int64_t n = 0;                          // pairs of finite numbers
  double pearson = 0, low = 0, high = 0;  // 95 % interval by Fisher's z; NaN below 4 pairs
  double spearman = 0;                    // of ranks, ties share theirs
  double exact_p = -1;  // two-sided, over all permutations; -1 where there are 8 pairs or more
  // The line of least squares y = at_zero + slope x and what its band needs.
  double slope = 0, at_zero = 0, mean_x = 0, spread_x = 0, residual = 0;
  bool has_line = false;
  // Half the width of the 95 % band of the line at x (Student's t with n - 2); NaN below 5 pairs.
  double band(double x) const;
  // "Pearson r = −0.97, 95 % −1.00 – −0.80, Spearman ρ = −0.96, n = 7, exact p = 0.0008"
  std::string words() const;
};

// Pairs with a number that is not finite are left out. Constant series give NaN correlations.
Correlation correlation(std::span<const double> x, std::span<const double> y);

}  // namespace varve
