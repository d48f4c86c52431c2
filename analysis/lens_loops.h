// The loops of the lens in vectors of sixteen. Every file that includes this compiles its own, for the
// processor that its compiler options name; the bits are the same.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "analysis/lens_sums.h"
#include "analysis/model/exponential.h"

namespace varve {
namespace {

constexpr int64_t lanes = 16;

using Floats [[gnu::vector_size(64)]] = float;
using Ints [[gnu::vector_size(64)]] = int32_t;
using Doubles [[gnu::vector_size(64)]] = double;

[[gnu::always_inline]] inline void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof to); }

// exponential() of exponential.h, sixteen at a time: the same operations in the same order.
[[gnu::always_inline]] inline void exponentials(Floats& x) {
  const float shift = 12582912;
  const Floats shifted = x * 1.44269504f + shift;
  const Floats n = shifted - shift;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  const Floats g =
      0.5f + r * (0.16666576266f + r * (0.04166646674f + r * (0.00836318173f + r * 0.00139336521f)));
  const Floats fraction = 1 + (r + r * r * g);
  const Ints exponent = ((Ints)shifted - std::bit_cast<int32_t>(shift) + 127) << 23;
  const Floats value = fraction * (Floats)exponent;
  const Ints below = x<-87.0f, above = x> 88.0f;
  x = (Floats)(((Ints)value & ~(below | above)) | (above & std::bit_cast<int32_t>(HUGE_VALF)));
}

struct Lanes {
  Doubles low = {}, high = {};
};

[[gnu::always_inline]] inline void widen(const Floats& from, Lanes& to) {
#if defined(__AVX512F__)
  // gcc 12 takes a conversion of eight floats apart into two of four.
  to.low = (Doubles)_mm512_maskz_cvtps_pd(
      0xff, (__m256)__builtin_shufflevector(from, from, 0, 1, 2, 3, 4, 5, 6, 7));
  to.high = (Doubles)_mm512_maskz_cvtps_pd(
      0xff, (__m256)__builtin_shufflevector(from, from, 8, 9, 10, 11, 12, 13, 14, 15));
#else
  to.low = __builtin_convertvector(__builtin_shufflevector(from, from, 0, 1, 2, 3, 4, 5, 6, 7), Doubles);
  to.high =
      __builtin_convertvector(__builtin_shufflevector(from, from, 8, 9, 10, 11, 12, 13, 14, 15), Doubles);
#endif
}

[[gnu::always_inline]] inline double fold(const Lanes& sum) {
  double total = 0;
  for (int i = 0; i < 8; ++i) total += sum.low[i];
  for (int i = 0; i < 8; ++i) total += sum.high[i];
  return total;
}

float largest(const float* z, int64_t count) {
  float best = -std::numeric_limits<float>::infinity();
  const int64_t even = count / lanes * lanes;
  if (even > 0) {
    Floats top = {}, row;
    top += best;
    for (int64_t i = 0; i < even; i += lanes) {
      load(z + i, row);
      top = row > top ? row : top;
    }
    for (int i = 0; i < lanes; ++i) best = top[i] > best ? top[i] : best;
  }
  for (int64_t i = even; i < count; ++i) best = z[i] > best ? z[i] : best;
  return best;
}

void softmax(const float* f, float log_sum_exp, int64_t count, float* p) {
  const int64_t even = count / lanes * lanes;
  for (int64_t i = 0; i < even; i += lanes) {
    Floats row;
    load(f + i, row);
    row -= log_sum_exp;
    row = row > 0.0f ? Floats{} : row;
    exponentials(row);
    std::memcpy(p + i, &row, sizeof row);
  }
  for (int64_t i = even; i < count; ++i) {
    const float gap = f[i] - log_sum_exp;
    p[i] = exponential(gap > 0.0f ? 0.0f : gap);
  }
}

struct Totals {
  Lanes mass, mean, final_gap, lens_gap;
};

template <bool both>
[[gnu::always_inline]] inline void add_lanes(const Floats& z, float largest, const Floats& f, const Floats& p,
                                             Totals& totals) {
  const Floats gap = z - largest;
  Floats power = gap;
  exponentials(power);
  Lanes e, g;
  widen(power, e);
  widen(gap, g);
  totals.mass.low += e.low;
  totals.mass.high += e.high;
  totals.mean.low += e.low * g.low;
  totals.mean.high += e.high * g.high;
  if constexpr (!both) return;
  Lanes last, row, q;
  widen(f, last);
  widen(z, row);
  widen(p, q);
  const Doubles low = last.low - row.low, high = last.high - row.high;
  totals.final_gap.low += q.low * low;
  totals.final_gap.high += q.high * high;
  totals.lens_gap.low -= e.low * low;
  totals.lens_gap.high -= e.high * high;
}

template <bool both>
Totals totals_of(const float* z, float largest, const float* f, const float* p, int64_t count) {
  Totals totals;
  Floats row = {}, last = {}, probability = {};
  const int64_t even = count / lanes * lanes;
  for (int64_t i = 0; i < even; i += lanes) {
    load(z + i, row);
    if constexpr (both) {
      load(f + i, last);
      load(p + i, probability);
    }
    add_lanes<both>(row, largest, last, probability, totals);
  }
  if (even < count) {
    // Filled up with what adds nothing: e^(z - m) and p are zero there.
    row = Floats{} + (largest - 100);
    last = probability = Floats{};
    for (int64_t i = even; i < count; ++i) {
      row[i - even] = z[i];
      if constexpr (both) {
        last[i - even] = f[i];
        probability[i - even] = p[i];
      }
    }
    add_lanes<both>(row, largest, last, probability, totals);
  }
  return totals;
}

// f and p are given together or not at all.
LensSums sums_of(const float* z, float largest, const float* f, const float* p, int64_t count) {
  LensSums sums;
  sums.max = static_cast<double>(largest);
  if (!std::isfinite(largest)) return sums;
  const Totals totals =
      f != nullptr ? totals_of<true>(z, largest, f, p, count) : totals_of<false>(z, largest, f, p, count);
  sums.mass = fold(totals.mass);
  sums.mean = fold(totals.mean);
  sums.final_gap = fold(totals.final_gap);
  sums.lens_gap = fold(totals.lens_gap);
  return sums;
}

int64_t above(const float* z, float bound, int64_t count) {
  int32_t found = 0;
  for (int64_t i = 0; i < count; ++i) found += z[i] > bound ? 1 : 0;
  return found;
}

[[maybe_unused]] constexpr LensLoops<float> loops_here{largest, softmax, sums_of, above};

}  // namespace
}  // namespace varve
