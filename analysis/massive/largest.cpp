// Order statistics of absolute values.
#include "analysis/massive/largest.h"

#include <algorithm>
#include <limits>

namespace varve {

template <class T>
std::vector<Largest> largest_of(std::span<const T> values, size_t count) {
  std::vector<Largest> best;
  double least = -1;  // of the ones kept, once there are enough
  for (size_t i = 0; i < values.size(); ++i) {
    double value = std::abs(static_cast<double>(values[i]));
    if (!(value <= least)) {
      if (std::isnan(value)) value = std::numeric_limits<double>::infinity();
      auto place = best.end();
      while (place != best.begin() && std::prev(place)->value < value) --place;
      if (place == best.end() && best.size() >= count) continue;
      best.insert(place, {value, static_cast<int64_t>(i)});
      if (best.size() > count) best.pop_back();
      if (best.size() == count && count > 0) least = best.back().value;
    }
  }
  return best;
}

template <class T>
double lower_median(std::span<const T> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<T> sizes(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    sizes[i] = std::isnan(values[i]) ? std::numeric_limits<T>::infinity() : std::abs(values[i]);
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>((sizes.size() - 1) / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return static_cast<double>(*middle);
}

template std::vector<Largest> largest_of(std::span<const float>, size_t);
template std::vector<Largest> largest_of(std::span<const double>, size_t);
template double lower_median(std::span<const float>);
template double lower_median(std::span<const double>);

}  // namespace varve
