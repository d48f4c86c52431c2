// The range of values that colours span, and the scale that follows from it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/statistics.h"
#include "viz/pick.h"

namespace varve {
namespace {

// Of millions every n-th is enough to place a percentile, and keeps large maps quick; counts stay exact.
constexpr size_t enough_for_percentiles = 200'000;

template <class T>
Spread spread(std::span<const T> values, const std::string& range, Centre centre) {
  Spread spread;
  double low = std::numeric_limits<double>::infinity(), high = -low, least = low;
  for (const T value : values) {
    const auto v = static_cast<double>(value);
    if (!std::isfinite(v)) continue;
    ++spread.finite;
    low = std::min(low, v);
    high = std::max(high, v);
    if (v > 0) least = std::min(least, v);
  }
  if (spread.finite == 0) return spread;
  spread.lowest = low;
  spread.highest = high;
  spread.least_positive = std::isfinite(least) ? least : 0;
  if (range == "robust") {
    std::vector<double> sample;
    const size_t every = values.size() / enough_for_percentiles + 1;
    for (size_t i = 0; i < values.size(); i += every)
      if (std::isfinite(static_cast<double>(values[i]))) sample.push_back(static_cast<double>(values[i]));
    const double robust_low = quantile(sample, 0.02), robust_high = quantile(sample, 0.98);
    // Nearly all values equal: percentiles would hide the others.
    if (robust_high > robust_low) low = robust_low, high = robust_high;
  }
  if (centre == Centre::zero) {
    const double reach = std::max(std::abs(low), std::abs(high));
    high = reach > 0 ? reach : 1;
    low = -high;
  }
  spread.low = low;
  spread.high = high;
  if (spread.lowest < low || spread.highest > high)
    for (const T value : values) {
      const auto v = static_cast<double>(value);
      if (!std::isfinite(v)) continue;
      spread.below += v < low;
      spread.above += v > high;
    }
  return spread;
}

}  // namespace

Spread spread_of(const std::vector<double>& values, const std::string& range) {
  return spread<double>(values, range, Centre::none);
}

Spread spread_of(const Array& values, const std::string& range, Centre centre) {
  if (!is_numeric(values)) return {};
  return std::visit(
      [&](const auto& all) {
        using T = typename std::decay_t<decltype(all)>::value_type;
        if constexpr (std::is_same_v<T, std::string>) {
          return Spread();
        } else {
          return spread<T>(all, range, centre);
        }
      },
      values.values());
}

ColorScale color_scale(const Theme& theme, const std::string& map, const std::vector<double>& values,
                       const std::string& range, const std::string& unit, bool log) {
  const Centre centre = color_map(map, theme).diverging ? Centre::zero : Centre::none;
  return color_scale(theme, map, spread<double>(values, range, centre), unit, log);
}

ColorScale color_scale(const Theme& theme, const std::string& map, const Spread& spread,
                       const std::string& unit, bool log) {
  ColorScale scale;
  scale.map = &color_map(map, theme);
  scale.low = spread.low;
  scale.high = spread.high;
  scale.below = spread.below;
  scale.above = spread.above;
  const bool is_share = unit == "probability" || unit == "share";
  const bool stays_in_one = spread.lowest >= 0 && spread.highest <= 1;
  if (is_share && stays_in_one && !log && !scale.map->diverging) {
    scale.low = 0;
    scale.high = 1;
    scale.below = scale.above = 0;
  } else if (log && !scale.map->diverging) {
    scale.log = spread.least_positive > 0 && scale.high > 0;
    if (scale.log) {
      scale.low = scale.low > 0 ? scale.low : spread.least_positive;
      if (!(scale.high > scale.low)) scale.high = scale.low * 2;
    }
  }
  if (!(scale.high > scale.low)) {
    const double widen = scale.low == 0 ? 1 : std::abs(scale.low) * 0.1;
    scale.high = scale.low + widen;
  }
  return scale;
}

}  // namespace varve
