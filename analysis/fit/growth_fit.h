// Fits the five-parameter curve to a series, or says why it cannot be fitted.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/fit/growth_curve.h"

namespace varve {

enum class GrowthClass { early_peak, log_increase, other, none };
std::string_view name_of(GrowthClass kind);  // "early peak", "log increase", "other", "no fit"

struct GrowthFit {
  std::string refusal;  // why there are no numbers; empty where there are
  int64_t n = 0;        // points used: those with a finite value
  GrowthCurve curve;
  double r2 = 0, sse = 0, aic = 0;  // aic = n ln(sse / n) + 2 * 5
  double constant_aic = 0;
  bool at_bound = false;  // a parameter ran to the edge of what was searched: it is not identified
  GrowthClass kind = GrowthClass::none;
  double peak_step = 0;  // of the maximum; NaN where there is none after step 0
  bool fitted() const { return refusal.empty(); }
};

inline constexpr int64_t fewest_fit_points = 8;  // five parameters and three points that can disagree

// steps: not negative, rising. Values that are not finite are left out. A grid of starts for the two
// parameters that are not linear, the best of them polished by Levenberg-Marquardt on the projected residual.
GrowthFit fit_growth(std::span<const double> steps, std::span<const double> values, int64_t starts = 3);

struct Bounds {
  double low = 0, high = 0;  // NaN where there is no interval
};

struct GrowthIntervals {
  std::array<Bounds, 5> parameters;  // in the order of growth_names
  Bounds peak_step;           // among the resamples that have a peak; NaN where fewer than 90 % have one
  std::vector<Bounds> curve;  // at every step given, whether it had a value or not
  int64_t resamples = 0;      // that could be fitted
};

// 95 % percentile intervals by the wild bootstrap: residuals keep their places and get random signs, so that
// noise may differ from step to step.
GrowthIntervals growth_intervals(const GrowthFit& fit, std::span<const double> steps,
                                 std::span<const double> values, int64_t resamples, uint64_t seed);

// AIC of least squares with Gaussian errors.
double aic_of(double sse, int64_t n, int64_t parameters);

}  // namespace varve
