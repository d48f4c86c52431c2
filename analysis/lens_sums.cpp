// The loops for double and the choice among those for float.
#include "analysis/lens_sums.h"

#include <algorithm>
#include <cmath>

#include "analysis/lens_loops.h"

namespace varve {
namespace {

double largest_double(const double* z, int64_t count) {
  double best = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i) best = z[i] > best ? z[i] : best;
  return best;
}

void softmax_double(const double* f, double log_sum_exp, int64_t count, double* p) {
  for (int64_t i = 0; i < count; ++i) p[i] = std::exp(std::min(f[i] - log_sum_exp, 0.0));
}

LensSums sums_double(const double* z, double largest, const double* f, const double* p, int64_t count) {
  LensSums sums;
  sums.max = largest;
  if (!std::isfinite(largest)) return sums;
  for (int64_t i = 0; i < count; ++i) {
    const double e = std::exp(z[i] - largest);
    sums.mass += e;
    sums.mean += e * (z[i] - largest);
    if (f == nullptr) continue;
    sums.final_gap += p[i] * (f[i] - z[i]);
    sums.lens_gap += e * (z[i] - f[i]);
  }
  return sums;
}

int64_t above_double(const double* z, double bound, int64_t count) {
  return std::count_if(z, z + count, [bound](double value) { return value > bound; });
}

}  // namespace

LensSums join(const LensSums& a, const LensSums& b) {
  if (!(b.max > -std::numeric_limits<double>::infinity())) return a;
  if (!(a.max > -std::numeric_limits<double>::infinity())) return b;
  const double top = std::max(a.max, b.max);
  const double scale_a = a.max == top ? 1 : std::exp(a.max - top);
  const double scale_b = b.max == top ? 1 : std::exp(b.max - top);
  LensSums joined;
  joined.max = top;
  joined.mass = a.mass * scale_a + b.mass * scale_b;
  joined.mean = (a.mean + a.mass * (a.max - top)) * scale_a + (b.mean + b.mass * (b.max - top)) * scale_b;
  joined.final_gap = a.final_gap + b.final_gap;
  joined.lens_gap = a.lens_gap * scale_a + b.lens_gap * scale_b;
  return joined;
}

int lens_loop_kinds() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return 3;
  if (__builtin_cpu_supports("avx2")) return 2;
#endif
  return 1;
}

const LensLoops<float>& lens_loops_of_kind(int kind) {
#if defined(__x86_64__)
  if (kind == 2) return lens_loops_avx512();
  if (kind == 1) return lens_loops_avx2();
#endif
  (void)kind;
  return loops_here;
}

template <>
const LensLoops<float>& lens_loops<float>() {
  static const LensLoops<float>& widest = lens_loops_of_kind(lens_loop_kinds() - 1);
  return widest;
}

template <>
const LensLoops<double>& lens_loops<double>() {
  static constexpr LensLoops<double> only{largest_double, softmax_double, sums_double, above_double};
  return only;
}

}  // namespace varve
