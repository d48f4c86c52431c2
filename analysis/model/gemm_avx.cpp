// Micro kernels of x86 vectors: AVX2 with FMA, AVX-512, and AVX-512 pairs of bf16.
#include <algorithm>

#include "analysis/model/gemm.h"
#include "analysis/model/gemm_turn.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// gcc 12 warns of the undefined value that its own shuffles begin with.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace varve {
namespace gemm_detail {
#if defined(__x86_64__)
namespace {

// Two vectors of a panel stay in registers beside rows * 2 sums: 6 of 16 registers' worth, or 14 of 32.
constexpr int64_t rows_256 = 6, columns_256 = 16;
constexpr int64_t rows_512 = 14, columns_512 = 32;

[[gnu::target("avx2,fma")]] void pack_block_256(const float* a, int64_t stride, int64_t count, int64_t k,
                                                std::byte* out) {
  pack_values<rows_256>(a, stride, 1, count, k, reinterpret_cast<float*>(out));
}
[[gnu::target("avx2,fma")]] void pack_panel_256(const float* b, int64_t row_stride, int64_t depth_stride,
                                                int64_t count, int64_t k, std::byte* out) {
  pack_values<columns_256>(b, row_stride, depth_stride, count, k, reinterpret_cast<float*>(out));
}

// How many k ahead of the sums a panel is fetched: it lies in the second-level cache.
constexpr int64_t ahead = 8;

// k in [begin, end): one stretch, or all of them one after the other.
template <int64_t m>
[[gnu::target("avx2,fma")]] void panel_256(int64_t n, int64_t begin, int64_t stop, const float* a,
                                           const float* b, float* c, int64_t stride) {
  for (int64_t first = begin; first < stop; first += depth_block) {
    const int64_t end = std::min(stop, first + depth_block);
    __m256 sum[m][2];
    for (auto& row : sum) row[0] = row[1] = _mm256_setzero_ps();
    for (int64_t i = first; i < end; ++i) {
      _mm_prefetch(reinterpret_cast<const char*>(b + (i + ahead) * columns_256), _MM_HINT_T0);
      const __m256 left = _mm256_loadu_ps(b + i * columns_256);
      const __m256 right = _mm256_loadu_ps(b + i * columns_256 + 8);
#pragma GCC unroll 6
      for (int64_t row = 0; row < m; ++row) {
        const __m256 value = _mm256_broadcast_ss(a + i * rows_256 + row);
        sum[row][0] = _mm256_fmadd_ps(value, left, sum[row][0]);
        sum[row][1] = _mm256_fmadd_ps(value, right, sum[row][1]);
      }
    }
    for (int64_t row = 0; row < m; ++row) {
      float* const to = c + row * stride;
      float kept[columns_256];
      _mm256_storeu_ps(kept, sum[row][0]);
      _mm256_storeu_ps(kept + 8, sum[row][1]);
      for (int64_t column = 0; column < n; ++column)
        to[column] = first == 0 ? kept[column] : to[column] + kept[column];
    }
  }
}

void panels_256(int64_t m, int64_t n, int64_t k, int64_t begin, int64_t end, const std::byte* block,
                const std::byte* panels, float* c, int64_t stride) {
  using Panel = void (*)(int64_t, int64_t, int64_t, const float*, const float*, float*, int64_t);
  constexpr Panel panel[] = {panel_256<1>, panel_256<2>, panel_256<3>,
                             panel_256<4>, panel_256<5>, panel_256<6>};
  const float* const a = reinterpret_cast<const float*>(block);
  const float* b = reinterpret_cast<const float*>(panels);
  for (int64_t first = 0; first < n; first += columns_256, b += columns_256 * k)
    panel[m - 1](std::min(columns_256, n - first), begin, end, a, b, c + first, stride);
}
void multiply_256(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels, float* c,
                  int64_t stride) {
  panels_256(m, n, k, 0, k, block, panels, c, stride);
}
void stretch_256(int64_t m, int64_t n, int64_t k, int64_t begin, const std::byte* block,
                 const std::byte* panels, float* c, int64_t stride) {
  panels_256(m, n, k, begin, std::min(k, begin + depth_block), block, panels, c, stride);
}

constexpr GemmKernel kernel_256{"avx2", Compute::f32,   rows_256,       columns_256,  1,
                                4,      pack_block_256, pack_panel_256, multiply_256, stretch_256};

// (row, i) at from[row * stride + i] to out[i][wide], 16 rows and 16 i at a time.
template <int64_t wide>
[[gnu::target("avx512f")]] void pack_turned(const float* from, int64_t stride, int64_t count, int64_t k,
                                            float* out) {
  for (int64_t i = 0; i < k; i += 16) {
    const __mmask16 there = lanes(k - i);
    for (int64_t left = 0; left < wide; left += 16) {
      __m512 rows[16];
#pragma GCC unroll 16
      for (int64_t row = 0; row < 16; ++row)
        rows[row] = left + row < count ? _mm512_maskz_loadu_ps(there, from + (left + row) * stride + i)
                                       : _mm512_setzero_ps();
      turn(rows);
      const __mmask16 kept = lanes(wide - left);
      const int64_t some = std::min<int64_t>(16, k - i);
#pragma GCC unroll 16
      for (int64_t column = 0; column < 16; ++column)
        if (column < some) _mm512_mask_storeu_ps(out + (i + column) * wide + left, kept, rows[column]);
    }
  }
}

void pack_block_512(const float* a, int64_t stride, int64_t count, int64_t k, std::byte* out) {
  pack_turned<rows_512>(a, stride, count, k, reinterpret_cast<float*>(out));
}
[[gnu::target("avx512f")]] void pack_columns_512(const float* b, int64_t depth_stride, int64_t count,
                                                 int64_t k, float* out) {
  const __mmask16 low = lanes(count), high = lanes(count - 16);
  for (int64_t i = 0; i < k; ++i, b += depth_stride, out += columns_512) {
    _mm512_storeu_ps(out, _mm512_maskz_loadu_ps(low, b));
    _mm512_storeu_ps(out + 16, _mm512_maskz_loadu_ps(high, b + 16));
  }
}
void pack_panel_512(const float* b, int64_t row_stride, int64_t depth_stride, int64_t count, int64_t k,
                    std::byte* out) {
  float* const to = reinterpret_cast<float*>(out);
  if (depth_stride == 1) return pack_turned<columns_512>(b, row_stride, count, k, to);
  pack_columns_512(b, depth_stride, count, k, to);
}

template <int64_t m>
[[gnu::target("avx512f")]] void panel_512(__mmask16 low, __mmask16 high, int64_t begin, int64_t stop,
                                          const float* a, const float* b, float* c, int64_t stride) {
  for (int64_t first = begin; first < stop; first += depth_block) {
    const int64_t end = std::min(stop, first + depth_block);
    __m512 sum[m][2];
#pragma GCC unroll 14
    for (int64_t row = 0; row < m; ++row) sum[row][0] = sum[row][1] = _mm512_setzero_ps();
    for (int64_t i = first; i < end; ++i) {
      const float* const next = b + (i + ahead) * columns_512;
      _mm_prefetch(reinterpret_cast<const char*>(next), _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(next + 16), _MM_HINT_T0);
      const __m512 left = _mm512_loadu_ps(b + i * columns_512);
      const __m512 right = _mm512_loadu_ps(b + i * columns_512 + 16);
#pragma GCC unroll 14
      for (int64_t row = 0; row < m; ++row) {
        const __m512 value = _mm512_set1_ps(a[i * rows_512 + row]);
        sum[row][0] = _mm512_fmadd_ps(value, left, sum[row][0]);
        sum[row][1] = _mm512_fmadd_ps(value, right, sum[row][1]);
      }
    }
#pragma GCC unroll 14
    for (int64_t row = 0; row < m; ++row) {
      float* const to = c + row * stride;
      if (first > 0) {
        sum[row][0] = _mm512_add_ps(_mm512_maskz_loadu_ps(low, to), sum[row][0]);
        sum[row][1] = _mm512_add_ps(_mm512_maskz_loadu_ps(high, to + 16), sum[row][1]);
      }
      _mm512_mask_storeu_ps(to, low, sum[row][0]);
      _mm512_mask_storeu_ps(to + 16, high, sum[row][1]);
    }
  }
}

void panels_512(int64_t m, int64_t n, int64_t k, int64_t begin, int64_t end, const std::byte* block,
                const std::byte* panels, float* c, int64_t stride) {
  using Panel = void (*)(__mmask16, __mmask16, int64_t, int64_t, const float*, const float*, float*, int64_t);
  constexpr Panel panel[] = {panel_512<1>,  panel_512<2>,  panel_512<3>,  panel_512<4>, panel_512<5>,
                             panel_512<6>,  panel_512<7>,  panel_512<8>,  panel_512<9>, panel_512<10>,
                             panel_512<11>, panel_512<12>, panel_512<13>, panel_512<14>};
  const float* const a = reinterpret_cast<const float*>(block);
  const float* b = reinterpret_cast<const float*>(panels);
  for (int64_t first = 0; first < n; first += columns_512, b += columns_512 * k)
    panel[m - 1](lanes(n - first), lanes(n - first - 16), begin, end, a, b, c + first, stride);
}
void multiply_512(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels, float* c,
                  int64_t stride) {
  panels_512(m, n, k, 0, k, block, panels, c, stride);
}
void stretch_512(int64_t m, int64_t n, int64_t k, int64_t begin, const std::byte* block,
                 const std::byte* panels, float* c, int64_t stride) {
  panels_512(m, n, k, begin, std::min(k, begin + depth_block), block, panels, c, stride);
}

constexpr GemmKernel kernel_512{"avx512", Compute::f32,   rows_512,       columns_512,  1,
                                4,        pack_block_512, pack_panel_512, multiply_512, stretch_512};

[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void pack_block_pairs(const float* a, int64_t stride,
                                                                            int64_t count, int64_t k,
                                                                            std::byte* out) {
  pack_pairs<rows_512>(a, stride, 1, count, k, (k + 1) / 2 * 2, reinterpret_cast<uint32_t*>(out));
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void pack_panel_pairs(
    const float* b, int64_t row_stride, int64_t depth_stride, int64_t count, int64_t k, std::byte* out) {
  pack_pairs<columns_512>(b, row_stride, depth_stride, count, k, (k + 1) / 2 * 2,
                          reinterpret_cast<uint32_t*>(out));
}

template <int64_t m>
[[gnu::target("avx512f,avx512bf16")]] void panel_pairs(__mmask16 low, __mmask16 high, int64_t pairs,
                                                       const uint32_t* a, const uint32_t* b, float* c,
                                                       int64_t stride) {
  __m512 sum[m][2];
#pragma GCC unroll 14
  for (int64_t row = 0; row < m; ++row) sum[row][0] = sum[row][1] = _mm512_setzero_ps();
  for (int64_t i = 0; i < pairs; ++i) {
    const __m512bh left = (__m512bh)_mm512_loadu_si512(b + i * columns_512);
    const __m512bh right = (__m512bh)_mm512_loadu_si512(b + i * columns_512 + 16);
#pragma GCC unroll 14
    for (int64_t row = 0; row < m; ++row) {
      const __m512bh value = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[i * rows_512 + row]));
      sum[row][0] = _mm512_dpbf16_ps(sum[row][0], value, left);
      sum[row][1] = _mm512_dpbf16_ps(sum[row][1], value, right);
    }
  }
#pragma GCC unroll 14
  for (int64_t row = 0; row < m; ++row) {
    _mm512_mask_storeu_ps(c + row * stride, low, sum[row][0]);
    _mm512_mask_storeu_ps(c + row * stride + 16, high, sum[row][1]);
  }
}

void multiply_pairs(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels,
                    float* c, int64_t stride) {
  using Panel = void (*)(__mmask16, __mmask16, int64_t, const uint32_t*, const uint32_t*, float*, int64_t);
  constexpr Panel panel[] = {panel_pairs<1>,  panel_pairs<2>,  panel_pairs<3>,  panel_pairs<4>,
                             panel_pairs<5>,  panel_pairs<6>,  panel_pairs<7>,  panel_pairs<8>,
                             panel_pairs<9>,  panel_pairs<10>, panel_pairs<11>, panel_pairs<12>,
                             panel_pairs<13>, panel_pairs<14>};
  const int64_t pairs = (k + 1) / 2;
  const uint32_t* const a = reinterpret_cast<const uint32_t*>(block);
  const uint32_t* b = reinterpret_cast<const uint32_t*>(panels);
  for (int64_t first = 0; first < n; first += columns_512, b += columns_512 * pairs)
    panel[m - 1](lanes(n - first), lanes(n - first - 16), pairs, a, b, c + first, stride);
}

constexpr GemmKernel kernel_pairs{"avx512_bf16",    Compute::bf16,    rows_512,      columns_512, 2, 2,
                                  pack_block_pairs, pack_panel_pairs, multiply_pairs};

}  // namespace

const GemmKernel* avx2_f32() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernel_256 : nullptr;
}
const GemmKernel* avx512_f32() { return __builtin_cpu_supports("avx512f") ? &kernel_512 : nullptr; }
const GemmKernel* avx512_bf16() {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") ? &kernel_pairs : nullptr;
}
#else
const GemmKernel* avx2_f32() { return nullptr; }
const GemmKernel* avx512_f32() { return nullptr; }
const GemmKernel* avx512_bf16() { return nullptr; }
#endif
}  // namespace gemm_detail
}  // namespace varve
