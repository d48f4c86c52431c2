// The fit of the five-parameter curve, its class and its intervals.
#include "analysis/fit/growth_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "analysis/core/error.h"
#include "analysis/core/statistics.h"
#include "analysis/fit/growth_projection.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Points {
  std::vector<double> steps, values;  // finite ones
  double last = 1;                    // step, which becomes 1
  double floor = 0, range = 1;        // of the values, which become 0 to 1
};

Points points_of(std::span<const double> steps, std::span<const double> values) {
  if (steps.size() != values.size())
    fail("a fit was given {} steps and {} values; each step needs one", steps.size(), values.size());
  Points points;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!(steps[i] >= 0) || (i > 0 && !(steps[i] > steps[i - 1])))
      fail("steps must rise from 0 or later for a fit; step {} is {}", i, steps[i]);
    if (!std::isfinite(values[i])) continue;
    points.steps.push_back(steps[i]);
    points.values.push_back(values[i]);
  }
  if (points.values.empty()) return points;
  const auto [low, high] = std::minmax_element(points.values.begin(), points.values.end());
  points.floor = *low;
  points.range = *high - *low;
  points.last = std::max(points.steps.back(), 1.0);
  return points;
}

std::vector<double> normal_steps(const Points& points) {
  std::vector<double> out = points.steps;
  for (double& step : out) step /= points.last;
  return out;
}

std::vector<double> normal_values(const Points& points) {
  std::vector<double> out = points.values;
  for (double& value : out) value = (value - points.floor) / points.range;
  return out;
}

GrowthCurve curve_of(const LinearGrowth& form, const Points& points) {
  return mapped_back(plain(form), points.last, points.floor, points.range);
}

bool is_usable(const GrowthCurve& curve) {
  const std::array<double, 5> row = in_a_row(curve);
  return std::all_of(row.begin(), row.end(), [](double v) { return std::isfinite(v); }) && curve.gamma > 0 &&
         curve.lambda > 0;
}

double peak_of(const GrowthCurve& curve) {
  const double step = turning_step(curve.lambda, curve.gamma, curve.t0);
  return curve.A > 0 && step > 0 && std::isfinite(step) ? step : missing;
}

// early peak: the maximum lies in (0, 0.9 of the last step) and the curve has come down from it by more than
// 5 % of the range. log increase: the maximum lies at the last step or beyond.
GrowthClass class_of(const GrowthCurve& curve, double last, double range) {
  const double peak = peak_of(curve);
  if (std::isnan(peak)) return GrowthClass::other;
  if (peak >= last) return GrowthClass::log_increase;
  if (peak < 0.9 * last && curve(peak) - curve(last) > 0.05 * range) return GrowthClass::early_peak;
  return GrowthClass::other;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Bounds middle_95(std::vector<double> values) {
  if (values.size() < 20) return {missing, missing};
  return {quantile(values, 0.025), quantile(values, 0.975)};
}

// How far each point pulls the fit to itself: the diagonal of the hat matrix, from the five gradients made
// orthonormal one after the other.
std::vector<double> leverages(const GrowthCurve& curve, const std::vector<double>& steps) {
  const size_t n = steps.size();
  std::array<std::vector<double>, 5> columns;
  for (const double step : steps) {
    const std::array<double, 5> row = growth_gradient(curve, step);
    for (size_t k = 0; k < 5; ++k) columns[k].push_back(row[k]);
  }
  std::vector<double> pull(n, 0);
  for (size_t k = 0; k < 5; ++k) {
    std::vector<double>& mine = columns[k];
    const double before = std::sqrt(dot(mine, mine));
    for (size_t j = 0; j < 2 * k; ++j) {  // twice is enough
      const std::vector<double>& other = columns[j % k];
      const double along = dot(other, mine);
      for (size_t i = 0; i < n; ++i) mine[i] -= along * other[i];
    }
    const double length = std::sqrt(dot(mine, mine));
    const bool is_new = std::isfinite(length) && length > 1e-9 * before;
    for (double& v : mine) v = is_new ? v / length : 0;
    for (size_t i = 0; i < n; ++i) pull[i] += mine[i] * mine[i];
  }
  constexpr double most = 0.95;
  for (double& one : pull) one = std::min(one, most);
  return pull;
}

}  // namespace

std::string_view name_of(GrowthClass kind) {
  switch (kind) {
    case GrowthClass::early_peak:
      return "early peak";
    case GrowthClass::log_increase:
      return "log increase";
    case GrowthClass::other:
      return "other";
    case GrowthClass::none:
      break;
  }
  return "no fit";
}

double aic_of(double sse, int64_t n, int64_t parameters) {
  const double count = static_cast<double>(n);
  return count * std::log(std::max(sse, 1e-300) / count) + 2 * static_cast<double>(parameters);
}

GrowthFit fit_growth(std::span<const double> steps, std::span<const double> values, int64_t starts) {
  const Points points = points_of(steps, values);
  GrowthFit fit;
  fit.n = static_cast<int64_t>(points.values.size());
  if (fit.n < fewest_fit_points) {
    fit.refusal = fmt::format("{} points, and five parameters need {} or more", fit.n, fewest_fit_points);
    return fit;
  }
  const double mean = mean_of(points.values);
  double total = 0;
  for (const double v : points.values) total += (v - mean) * (v - mean);
  fit.constant_aic = aic_of(total, fit.n, 1);
  const double largest = std::max(std::abs(points.floor), std::abs(points.floor + points.range));
  constexpr double same = 1e-6;  // f32 results cannot tell less apart
  if (!(points.range > same * largest)) {
    fit.refusal = fmt::format("flat: all {} values lie within {:.1e} of each other", fit.n, points.range);
    return fit;
  }
  GrowthProjection projection(normal_steps(points), normal_values(points));
  GrowthProjection::Found best;
  best.sse = std::numeric_limits<double>::infinity();
  for (const GrowthProjection::Found& start : projection.grid(std::max<int64_t>(1, starts))) {
    const GrowthProjection::Found found = projection.polished(start.place, 200);
    if (found.sse < best.sse && is_usable(curve_of(found.form, points))) best = found;
  }
  if (!std::isfinite(best.sse)) {
    fit.refusal = "no start led to a curve with finite parameters";
    return fit;
  }
  fit.sse = best.sse * points.range * points.range;
  fit.aic = aic_of(fit.sse, fit.n, 5);
  if (fit.aic >= fit.constant_aic) {
    fit.refusal = fmt::format("flat: a constant explains {} points as well (AIC {:.1f} against {:.1f})",
                              fit.n, fit.constant_aic, fit.aic);
    return fit;
  }
  fit.r2 = 1 - fit.sse / total;
  fit.curve = curve_of(best.form, points);
  fit.at_bound = best.at_bound;
  fit.kind = class_of(fit.curve, points.steps.back(), points.range);
  fit.peak_step = peak_of(fit.curve);
  return fit;
}

// Wild bootstrap (Wu 1986, Liu 1988) with Rademacher signs; each residual is divided by 1 - leverage, which
// makes up for the pull of its point on the fit (HC3).
GrowthIntervals growth_intervals(const GrowthFit& fit, std::span<const double> steps,
                                 std::span<const double> values, int64_t resamples, uint64_t seed) {
  GrowthIntervals out;
  out.parameters.fill({missing, missing});
  out.peak_step = {missing, missing};
  out.curve.assign(steps.size(), {missing, missing});
  if (!fit.fitted()) return out;
  const Points points = points_of(steps, values);
  const std::vector<double> pull = leverages(fit.curve, points.steps);
  std::vector<double> fitted, residual;
  for (size_t i = 0; i < points.steps.size(); ++i) {
    const double value = fit.curve(points.steps[i]);
    fitted.push_back((value - points.floor) / points.range);
    residual.push_back((points.values[i] - value) / points.range / (1 - pull[i]));
  }
  GrowthProjection projection(normal_steps(points), normal_values(points));
  const LinearGrowth form = linear(fit.curve);
  const GrowthProjection::Place start{std::log(form.beta * points.last), std::log(form.tau / points.last)};
  std::mt19937_64 random(seed);
  std::array<std::vector<double>, 5> rows;
  std::vector<double> peaks, drawn(fitted.size());
  std::vector<std::vector<double>> curves(steps.size());
  for (int64_t sample = 0; sample < resamples; ++sample) {
    uint64_t bits = 0;
    for (size_t i = 0; i < drawn.size(); ++i) {
      if (i % 64 == 0) bits = random();
      drawn[i] = fitted[i] + ((bits >> (i % 64) & 1) != 0 ? residual[i] : -residual[i]);
    }
    projection.set_values(drawn);
    const GrowthCurve curve = curve_of(projection.polished(start, 30).form, points);
    if (!is_usable(curve)) continue;
    ++out.resamples;
    const std::array<double, 5> row = in_a_row(curve);
    for (size_t k = 0; k < 5; ++k) rows[k].push_back(row[k]);
    if (const double peak = peak_of(curve); std::isfinite(peak)) peaks.push_back(peak);
    for (size_t i = 0; i < steps.size(); ++i) curves[i].push_back(curve(steps[i]));
  }
  for (size_t k = 0; k < 5; ++k) out.parameters[k] = middle_95(std::move(rows[k]));
  if (std::isfinite(fit.peak_step) && 10 * peaks.size() >= 9 * static_cast<size_t>(out.resamples))
    out.peak_step = middle_95(std::move(peaks));
  for (size_t i = 0; i < steps.size(); ++i) out.curve[i] = middle_95(std::move(curves[i]));
  return out;
}

}  // namespace varve
