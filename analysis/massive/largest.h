// The few largest numbers of an array and its median, by absolute value.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace varve {

struct Largest {
  double value = 0;  // absolute
  int64_t place = 0;
};

// The `count` largest absolute values, largest first; equal ones in the order of their places. Fewer where
// there are fewer. Values that are not finite count as the largest.
template <class T>
std::vector<Largest> largest_of(std::span<const T> values, size_t count);

// The lower median of the absolute values: rank (n - 1) / 2 from below, as torch.median has it. NaN where
// there are none.
template <class T>
double lower_median(std::span<const T> values);

extern template std::vector<Largest> largest_of(std::span<const float>, size_t);
extern template std::vector<Largest> largest_of(std::span<const double>, size_t);
extern template double lower_median(std::span<const float>);
extern template double lower_median(std::span<const double>);

}  // namespace varve
