// Rival curves: each is linear in K, so K is projected out and the rest searched.
#include "analysis/fit/rivals.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "analysis/fit/growth_fit.h"

namespace varve {
namespace {

struct Points {
  std::vector<double> steps, values;
  double total = 0;  // sum of squares about the mean
};

// The sum of squares left once the best K is taken out.
template <class Shape>
double left_of(const Points& points, const Shape& shape) {
  double ss = 0, sv = 0, vv = 0;
  for (size_t i = 0; i < points.steps.size(); ++i) {
    const double s = shape(points.steps[i]), v = points.values[i];
    ss += s * s;
    sv += s * v;
    vv += v * v;
  }
  return ss > 0 ? std::max(0.0, vv - sv * sv / ss) : vv;
}

// Downhill by steps that grow where they lead down and halve where no neighbour is lower (compass search).
double lowest(const std::function<double(double, double)>& height, double x, double y, double reach_x,
              double reach_y) {
  constexpr int most_places = 800;
  constexpr double closest = 1e-6;  // of a logarithm
  double here = height(x, y);
  for (int places = 0; places < most_places && std::max(reach_x, reach_y) > closest;) {
    const std::array<std::array<double, 2>, 8> moves = {{{reach_x, 0},
                                                         {-reach_x, 0},
                                                         {0, reach_y},
                                                         {0, -reach_y},
                                                         {reach_x, reach_y},
                                                         {-reach_x, -reach_y},
                                                         {reach_x, -reach_y},
                                                         {-reach_x, reach_y}}};
    const double before = here;
    for (const auto& [dx, dy] : moves) {
      if (dx == 0 && dy == 0) continue;
      ++places;
      const double there = height(x + dx, y + dy);
      if (!(there < here)) continue;
      here = there;
      x += dx;
      y += dy;
      break;
    }
    const double factor = here < before ? 1.6 : 0.5;
    reach_x *= factor;
    reach_y *= factor;
  }
  return here;
}

double first_order(const Points& points) {
  const auto height = [&points](double log_time, double) {
    const double time = std::exp(std::clamp(log_time, -14.0, 5.0));
    return left_of(points, [time](double t) { return -std::expm1(-t / time); });
  };
  double best = std::numeric_limits<double>::infinity(), at = 0;
  constexpr double apart = 0.5;
  for (double log_time = -13; log_time <= 4; log_time += apart)
    if (const double sse = height(log_time, 0); sse < best) best = sse, at = log_time;
  return lowest(height, at, 0, apart / 2, 0);
}

double second_order(const Points& points) {
  const auto height = [&points](double log_frequency, double log_damping) {
    const double w = std::exp(std::clamp(log_frequency, -4.0, 12.0));
    const double z = std::exp(std::clamp(log_damping, -5.0, 4.0));
    return left_of(points, [w, z](double t) { return second_order_step(t, w, z); });
  };
  double best = std::numeric_limits<double>::infinity(), at_w = 0, at_z = 0;
  constexpr double apart = 0.75;
  for (double w = -3; w <= 11; w += apart)
    for (double z = -4; z <= 3.5; z += apart)
      if (const double sse = height(w, z); sse < best) best = sse, at_w = w, at_z = z;
  return lowest(height, at_w, at_z, apart / 2, apart / 2);
}

}  // namespace

double second_order_step(double t, double w, double z) {
  const double wt = w * t;
  if (std::abs(z - 1) < 1e-6) return 1 - std::exp(-wt) * (1 + wt);
  if (z < 1) {
    const double root = std::sqrt(1 - z * z);
    return 1 - std::exp(-z * wt) * (std::cos(root * wt) + z / root * std::sin(root * wt));
  }
  const double root = std::sqrt(z * z - 1), fast = z + root, slow = 1 / fast;
  return 1 - (fast * std::exp(-slow * wt) - slow * std::exp(-fast * wt)) / (fast - slow);
}

std::array<RivalFit, 3> fit_rivals(std::span<const double> steps, std::span<const double> values) {
  Points points;
  double sum = 0, last = 1;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    points.steps.push_back(steps[i]);
    points.values.push_back(values[i]);
    sum += values[i];
    last = std::max(last, steps[i]);
  }
  std::array<RivalFit, 3> fits;
  const auto n = static_cast<int64_t>(points.values.size());
  if (n < fewest_fit_points) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    fits.fill({none, none, none});
    return fits;
  }
  for (double& step : points.steps) step /= last;
  const double mean = sum / static_cast<double>(n);
  for (const double v : points.values) points.total += (v - mean) * (v - mean);
  const std::array<double, 3> sse = {first_order(points), second_order(points), points.total};
  for (size_t k = 0; k < 3; ++k) {
    const std::array<int64_t, 3> parameters = {2, 3, 1};
    fits[k] = {sse[k], points.total > 0 ? 1 - sse[k] / points.total : std::nan(""),
               aic_of(sse[k], n, parameters[k])};
  }
  return fits;
}

}  // namespace varve
