// f32 products by AMX: every factor is cut into three bf16 whose sum it is, bit for bit, and of the nine
// products of pieces the six that matter in f32 are added (Henry, Tang, Heinecke 2019, arXiv:1904.06376,
// section 3).
//
// How exact: 24 bits are three times 8, so nothing is lost in cutting; what is left out is below 2^-23 of a
// product. A tile adds sixteen pairs before they join an element, so fewer sums round than in a chain of f32.
// Pieces below 2^-126 count as zero, so factors smaller than 2^-110 keep fewer bits; a factor that is not
// finite gives an element that is not finite, NaN where plain arithmetic may say infinity.
#include <algorithm>
#include <cstring>

#include "analysis/model/amx_tiles.h"
#include "analysis/model/gemm.h"
#include "analysis/model/gemm_turn.h"

namespace varve {
namespace gemm_detail {
#if defined(__x86_64__) && defined(__linux__)
namespace {

constexpr int64_t pieces = 3;
constexpr int64_t step_values = pieces * 2 * tile_values;  // of 32 k: high, middle, low, two tiles each
// Before a panel: how many of its pieces hold anything. Weights stored as bf16 have one, as f16 two.
constexpr int64_t header_bytes = 64;

// Sixteen values cut; each piece in the upper half of its lane.
struct Cut {
  __m512i piece[pieces];
};
[[gnu::target("avx512f"), gnu::always_inline]] inline Cut cut(__m512 values) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  const __m512i exponent = _mm512_set1_epi32(0x7f800000);
  const __m512i bits = _mm512_castps_si512(values);
  const __mmask16 finite = _mm512_cmpneq_epi32_mask(_mm512_and_si512(bits, exponent), exponent);
  const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
  Cut out;
  out.piece[0] = _mm512_and_si512(bits, upper);
  // A NaN whose upper half would read as infinity stays one.
  out.piece[0] = _mm512_mask_or_epi32(out.piece[0], nan, out.piece[0], _mm512_set1_epi32(0x00400000));
  const __m512 rest = _mm512_maskz_sub_ps(finite, values, _mm512_castsi512_ps(out.piece[0]));
  out.piece[1] = _mm512_and_si512(_mm512_castps_si512(rest), upper);
  out.piece[2] = _mm512_castps_si512(_mm512_sub_ps(rest, _mm512_castsi512_ps(out.piece[1])));
  return out;
}

// Neighbouring values side by side: the first sixteen and the next, as thirty-two of bf16.
[[gnu::target("avx512f"), gnu::always_inline]] inline __m512i joined(__m512i first, __m512i second) {
  const __m256i low = _mm512_cvtepi32_epi16(_mm512_srli_epi32(first, 16));
  const __m256i high = _mm512_cvtepi32_epi16(_mm512_srli_epi32(second, 16));
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

// Thirty-two k of one row, `there` of them given.
[[gnu::target("avx512f"), gnu::always_inline]] inline void cut_row(const float* from, int64_t there,
                                                                   __m512i (&out)[pieces]) {
  const Cut first = cut(_mm512_maskz_loadu_ps(lanes(there), from));
  const Cut second = cut(_mm512_maskz_loadu_ps(lanes(there - 16), from + 16));
#pragma GCC unroll 3
  for (int64_t i = 0; i < pieces; ++i) out[i] = joined(first.piece[i], second.piece[i]);
}

// A block, for each 32 of k and each piece: two tiles [row][k].
[[gnu::target("avx512f")]] void pack_block_split(const float* a, int64_t stride, int64_t count, int64_t k,
                                                 std::byte* out) {
  for (int64_t first = 0; first < k; first += depth_amx, out += 2 * step_values)
    for (int64_t row = 0; row < rows_amx; ++row) {
      __m512i cuts[pieces] = {};
      if (row < count) cut_row(a + row * stride + first, k - first, cuts);
#pragma GCC unroll 3
      for (int64_t i = 0; i < pieces; ++i)
        _mm512_storeu_si512(out + 2 * (i * 2 * tile_values + row * depth_amx), cuts[i]);
    }
}

// One tile [k / 2][column][2] of every piece from 16 columns of which each has its k side by side.
[[gnu::target("avx512f")]] void panel_tile_rows(const float* b, int64_t row_stride, int64_t count,
                                                int64_t there, std::byte* out, __m512i (&seen)[pieces]) {
  __m512 turned[pieces][16];
#pragma GCC unroll 16
  for (int64_t column = 0; column < tile; ++column) {
    __m512i cuts[pieces] = {};
    if (column < count) cut_row(b + column * row_stride, there, cuts);
    for (int64_t i = 0; i < pieces; ++i) {
      seen[i] = _mm512_or_si512(seen[i], cuts[i]);
      turned[i][column] = _mm512_castsi512_ps(cuts[i]);
    }
  }
  for (int64_t i = 0; i < pieces; ++i) {
    turn(turned[i]);
    for (int64_t pair = 0; pair < tile; ++pair)
      _mm512_storeu_ps(out + 2 * (i * 2 * tile_values + pair * depth_amx), turned[i][pair]);
  }
}

// The same where the columns of one k lie side by side.
[[gnu::target("avx512f")]] void panel_tile_columns(const float* b, int64_t depth_stride, int64_t count,
                                                   int64_t there, std::byte* out, __m512i (&seen)[pieces]) {
  const __mmask16 given = lanes(count);
  for (int64_t pair = 0; pair < tile; ++pair) {
    Cut even{}, odd{};
    if (2 * pair < there) even = cut(_mm512_maskz_loadu_ps(given, b + 2 * pair * depth_stride));
    if (2 * pair + 1 < there) odd = cut(_mm512_maskz_loadu_ps(given, b + (2 * pair + 1) * depth_stride));
#pragma GCC unroll 3
    for (int64_t i = 0; i < pieces; ++i) {
      const __m512i both = _mm512_or_si512(_mm512_srli_epi32(even.piece[i], 16), odd.piece[i]);
      seen[i] = _mm512_or_si512(seen[i], both);
      _mm512_storeu_si512(out + 2 * (i * 2 * tile_values + pair * depth_amx), both);
    }
  }
}

[[gnu::target("avx512f")]] void pack_panel_split(const float* b, int64_t row_stride, int64_t depth_stride,
                                                 int64_t count, int64_t k, std::byte* out) {
  __m512i seen[pieces] = {};
  std::byte* to = out + header_bytes;
  for (int64_t first = 0; first < k; first += depth_amx, to += 2 * step_values)
    for (int64_t left = 0; left < columns_amx; left += tile) {
      const float* const from = b + left * row_stride + first * depth_stride;
      const int64_t columns = std::clamp<int64_t>(count - left, 0, tile);
      std::byte* const here = to + 2 * (left / tile * tile_values);
      if (depth_stride == 1)
        panel_tile_rows(from, row_stride, columns, k - first, here, seen);
      else
        panel_tile_columns(from, depth_stride, columns, k - first, here, seen);
    }
  int64_t filled = 1;
  for (int64_t i = 1; i < pieces; ++i)
    // A piece of nothing but minus zeros is nothing too.
    if (_mm512_test_epi32_mask(seen[i], _mm512_set1_epi32(0x7fff7fff)) != 0) filled = i + 1;
  std::memcpy(out, &filled, sizeof filled);
}

// Products of piece `left` of the block and piece `right` of the panel, what lies in the registers being
// kept.
#define VARVE_LEFT(piece)                              \
  _tile_loadd(4, a + (2 * (piece)) * tile_values, 64); \
  _tile_loadd(5, a + (2 * (piece) + 1) * tile_values, 64)
#define VARVE_RIGHT(piece)                             \
  _tile_loadd(6, b + (2 * (piece)) * tile_values, 64); \
  _tile_loadd(7, b + (2 * (piece) + 1) * tile_values, 64)
#define VARVE_ADD()        \
  _tile_dpbf16ps(0, 4, 6); \
  _tile_dpbf16ps(2, 5, 6); \
  _tile_dpbf16ps(1, 4, 7); \
  _tile_dpbf16ps(3, 5, 7)

// The order is such that most steps load one side only. What an absent piece would have added is zero.
template <int64_t filled>
[[gnu::target("amx-tile,amx-bf16")]] void panel_split(int64_t steps, bool begun, const uint16_t* a,
                                                      const uint16_t* b, float* c, int64_t stride) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  if (begun) {
    _tile_loadd(0, c, bytes);
    _tile_loadd(1, c + tile, bytes);
    _tile_loadd(2, c + tile * stride, bytes);
    _tile_loadd(3, c + tile * stride + tile, bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t i = 0; i < steps; ++i, a += step_values, b += step_values) {
    VARVE_LEFT(0);
    if constexpr (filled > 2) {
      VARVE_RIGHT(2);
      VARVE_ADD();
    }
    if constexpr (filled > 1) {
      VARVE_RIGHT(1);
      VARVE_ADD();
      VARVE_LEFT(1);
      VARVE_ADD();
      VARVE_RIGHT(0);
      VARVE_ADD();
    } else {
      VARVE_LEFT(1);
      VARVE_RIGHT(0);
      VARVE_ADD();
    }
    VARVE_LEFT(2);
    VARVE_ADD();
    VARVE_LEFT(0);
    VARVE_ADD();
  }
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + tile, bytes);
  _tile_stored(2, c + tile * stride, bytes);
  _tile_stored(3, c + tile * stride + tile, bytes);
}
#undef VARVE_LEFT
#undef VARVE_RIGHT
#undef VARVE_ADD

void panels_split(int64_t m, int64_t n, int64_t k, int64_t begin, int64_t end, const std::byte* block,
                  const std::byte* panels, float* c, int64_t stride) {
  using Panel = void (*)(int64_t, bool, const uint16_t*, const uint16_t*, float*, int64_t);
  constexpr Panel panel[] = {panel_split<1>, panel_split<2>, panel_split<3>};
  const Tiles tiles;
  const int64_t all = (k + depth_amx - 1) / depth_amx, first_step = begin / depth_amx;
  const int64_t steps = (end + depth_amx - 1) / depth_amx - first_step;
  const auto* const a = reinterpret_cast<const uint16_t*>(block) + first_step * step_values;
  for (int64_t first = 0; first < n; first += columns_amx, panels += header_bytes + 2 * all * step_values) {
    int64_t filled = 0;
    std::memcpy(&filled, panels, sizeof filled);
    const auto* const b = reinterpret_cast<const uint16_t*>(panels + header_bytes) + first_step * step_values;
    const int64_t columns = std::min(columns_amx, n - first);
    if (m == rows_amx && columns == columns_amx) {
      panel[filled - 1](steps, begin > 0, a, b, c + first, stride);
      continue;
    }
    alignas(64) float whole[rows_amx * columns_amx] = {};
    for (int64_t row = 0; row < m && begin > 0; ++row)
      std::copy_n(c + row * stride + first, columns, whole + row * columns_amx);
    panel[filled - 1](steps, begin > 0, a, b, whole, columns_amx);
    for (int64_t row = 0; row < m; ++row)
      std::copy_n(whole + row * columns_amx, columns, c + row * stride + first);
  }
}

void multiply_split(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels,
                    float* c, int64_t stride) {
  panels_split(m, n, k, 0, k, block, panels, c, stride);
}
void stretch_split(int64_t m, int64_t n, int64_t k, int64_t begin, const std::byte* block,
                   const std::byte* panels, float* c, int64_t stride) {
  panels_split(m, n, k, begin, std::min(k, begin + depth_block), block, panels, c, stride);
}
static_assert(depth_block % depth_amx == 0);

constexpr GemmKernel kernel_split{"amx_split",    Compute::f32,  rows_amx,         columns_amx,
                                  depth_amx,      2 * pieces,    pack_block_split, pack_panel_split,
                                  multiply_split, stretch_split, header_bytes};

}  // namespace

const GemmKernel* amx_f32() { return amx_usable() ? &kernel_split : nullptr; }
#else
const GemmKernel* amx_f32() { return nullptr; }
#endif
}  // namespace gemm_detail
}  // namespace varve
