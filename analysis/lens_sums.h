// The sums over one stretch of the vocabulary that every number of the lens is made of.
#pragma once

#include <cstdint>
#include <limits>

namespace varve {

// With m = max z, e_i = e^(z_i - m), f the last layer's logits and p its softmax:
struct LensSums {
  double max = -std::numeric_limits<double>::infinity();
  double mass = 0;       // sum e
  double mean = 0;       // sum e (z - m)
  double final_gap = 0;  // sum p (f - z)
  double lens_gap = 0;   // sum e (z - f)
};

// Two stretches joined; the caller fixes the order.
LensSums join(const LensSums& a, const LensSums& b);

// The same bits on every processor: sums run in sixteen lanes of fixed places, in double.
template <class T>
struct LensLoops {
  T (*largest)(const T* z, int64_t count);
  // p = e^(f - log-sum-exp of f)
  void (*softmax)(const T* f, T log_sum_exp, int64_t count, T* p);
  // f and p may be absent together.
  LensSums (*sums)(const T* z, T largest, const T* f, const T* p, int64_t count);
  int64_t (*above)(const T* z, T bound, int64_t count);  // how many z > bound
};
template <class T>
const LensLoops<T>& lens_loops();  // the widest this processor has

// How many kinds this processor can run, for tests: 0 is plain, each further one wider.
int lens_loop_kinds();
const LensLoops<float>& lens_loops_of_kind(int kind);

// To be called on such a processor only.
const LensLoops<float>& lens_loops_avx2();
const LensLoops<float>& lens_loops_avx512();

}  // namespace varve
