// The Lambert W function by Halley's iteration.
#include "analysis/fit/lambert.h"

#include <cmath>
#include <limits>

namespace varve {

// Corless et al. 1996, section 4: Halley's method on w exp(w) - x, from a start that is right to a few
// percent; each step triples the digits. Beyond e the same equation is solved as w + ln w = ln x, which
// cannot overflow.
double lambert_w(double x) {
  if (!(x > 0) || std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
  const double most_steps = 40;
  if (x > std::exp(1.0)) {
    const double log_x = std::log(x);
    double w = log_x - std::log(log_x) + std::log(log_x) / log_x;
    for (int i = 0; i < most_steps; ++i) {
      const double next = w - (w + std::log(w) - log_x) * w / (w + 1);
      if (std::abs(next - w) <= 1e-16 * next) return next;
      w = next;
    }
    return w;
  }
  double w = std::log1p(x) * (1 - std::log1p(std::log1p(x)) / (2 + std::log1p(x)));
  for (int i = 0; i < most_steps; ++i) {
    const double e = std::exp(w), f = w * e - x;
    const double next = w - f / (e * (w + 1) - (w + 2) * f / (2 * w + 2));
    if (std::abs(next - w) <= 1e-16 * std::abs(next)) return next;
    w = next;
  }
  return w;
}

}  // namespace varve
