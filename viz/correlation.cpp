// Pearson, Spearman, Fisher's interval, the exact permutation test and the line of least squares.
#include "viz/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "viz/draw/glyphs.h"

namespace varve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double z_95 = 1.959963984540054;
constexpr int64_t exact_below = 8;

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n,
               my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xx > 0 && yy > 0 ? std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0) : nan;
}

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&values](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (size_t k = i; k < end; ++k) out[order[k]] = static_cast<double>(i + end - 1) / 2 + 1;
    i = end;
  }
  return out;
}

// Student's t at 97.5 % by the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5); within 0.2 %
// from 3 degrees of freedom on.
double student_t(double freedom) {
  const double z = z_95, z2 = z * z;
  const double g1 = (z2 + 1) * z / 4, g2 = ((5 * z2 + 16) * z2 + 3) * z / 96,
               g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384,
               g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
  return z + (((g4 / freedom + g3) / freedom + g2) / freedom + g1) / freedom;
}

double exact_p_of(const std::vector<double>& x, std::vector<double> y, double r) {
  std::sort(y.begin(), y.end());
  int64_t all = 0, as_far = 0;
  std::vector<size_t> order(y.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<double> turned(y.size());
  do {
    for (size_t i = 0; i < order.size(); ++i) turned[i] = y[order[i]];
    ++all;
    as_far += std::abs(pearson(x, turned)) >= std::abs(r) - 1e-12;
  } while (std::next_permutation(order.begin(), order.end()));
  return static_cast<double>(as_far) / static_cast<double>(all);
}

std::string two_digits(double v) { return minus_signed(fmt::format("{:.2f}", v)); }

}  // namespace

Correlation correlation(std::span<const double> x, std::span<const double> y) {
  std::vector<double> a, b;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
    if (std::isfinite(x[i]) && std::isfinite(y[i])) a.push_back(x[i]), b.push_back(y[i]);
  Correlation c;
  c.n = static_cast<int64_t>(a.size());
  c.pearson = c.spearman = c.low = c.high = nan;
  if (c.n < 2) return c;
  const auto n = static_cast<double>(c.n);
  c.pearson = pearson(a, b);
  c.spearman = pearson(ranks(a), ranks(b));
  if (std::isnan(c.pearson)) return c;
  if (c.n >= 4 && std::abs(c.pearson) < 1) {
    const double z = std::atanh(c.pearson), half = z_95 / std::sqrt(n - 3);
    c.low = std::tanh(z - half);
    c.high = std::tanh(z + half);
  }
  if (c.n < exact_below) c.exact_p = exact_p_of(a, b, c.pearson);
  c.mean_x = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_y = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double xy = 0, left = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    c.spread_x += (a[i] - c.mean_x) * (a[i] - c.mean_x);
    xy += (a[i] - c.mean_x) * (b[i] - mean_y);
  }
  c.slope = xy / c.spread_x;
  c.at_zero = mean_y - c.slope * c.mean_x;
  for (size_t i = 0; i < a.size(); ++i) {
    const double miss = b[i] - c.at_zero - c.slope * a[i];
    left += miss * miss;
  }
  c.residual = c.n > 2 ? std::sqrt(left / (n - 2)) : nan;
  c.has_line = c.n > 2;
  return c;
}

double Correlation::band(double x) const {
  if (n < 5 || !has_line) return nan;
  const auto count = static_cast<double>(n);
  return student_t(count - 2) * residual * std::sqrt(1 / count + (x - mean_x) * (x - mean_x) / spread_x);
}

std::string Correlation::words() const {
  if (std::isnan(pearson)) return fmt::format("no correlation can be given, n = {}", show_count(n));
  std::string all = "Pearson r = " + two_digits(pearson);
  if (std::isfinite(low)) all += fmt::format(", 95 % {} to {}", two_digits(low), two_digits(high));
  all += fmt::format(", Spearman ρ = {}, n = {}", two_digits(spearman), show_count(n));
  if (exact_p >= 0) all += ", exact p = " + show_number(exact_p, 2);
  return all;
}

}  // namespace varve
