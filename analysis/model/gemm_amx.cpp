// The micro kernel of AMX tiles: 16 x 16 sums of bf16 products in one instruction.
#include <algorithm>

#include "analysis/model/amx_tiles.h"
#include "analysis/model/bf16.h"
#include "analysis/model/gemm.h"

namespace varve {
namespace gemm_detail {
#if defined(__x86_64__) && defined(__linux__)
namespace {

// A block, for each 32 of k: two tiles [row][k].
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void pack_block_amx(const float* a, int64_t stride,
                                                                          int64_t count, int64_t k,
                                                                          std::byte* out) {
  uint16_t* to = reinterpret_cast<uint16_t*>(out);
  for (int64_t first = 0; first < k; first += depth_amx)
    for (int64_t row = 0; row < rows_amx; ++row, to += depth_amx) {
      float values[depth_amx] = {};
      if (row < count) std::copy_n(a + row * stride + first, std::min(depth_amx, k - first), values);
      for (int64_t i = 0; i < depth_amx; ++i) to[i] = to_bf16(values[i]);
    }
}

// A panel, for each 32 of k: two tiles [k / 2][column][2].
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void pack_panel_amx(const float* b, int64_t row_stride,
                                                                          int64_t depth_stride, int64_t count,
                                                                          int64_t k, std::byte* out) {
  uint32_t* to = reinterpret_cast<uint32_t*>(out);
  for (int64_t first = 0; first < k; first += depth_amx)
    for (int64_t left = 0; left < columns_amx; left += tile, to += tile_values / 2)
      pack_pairs<tile>(b + left * row_stride + first * depth_stride, row_stride, depth_stride,
                       std::clamp<int64_t>(count - left, 0, tile), std::min(depth_amx, k - first), depth_amx,
                       to);
}

[[gnu::target("amx-tile,amx-bf16")]] void panel_amx(int64_t steps, const uint16_t* a, const uint16_t* b,
                                                    float* c, int64_t stride) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t i = 0; i < steps; ++i, a += 2 * tile_values, b += 2 * tile_values) {
    _tile_loadd(4, a, 64);
    _tile_loadd(6, b, 64);
    _tile_loadd(5, a + tile_values, 64);
    _tile_loadd(7, b + tile_values, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + tile, bytes);
  _tile_stored(2, c + tile * stride, bytes);
  _tile_stored(3, c + tile * stride + tile, bytes);
}

void multiply_amx(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels, float* c,
                  int64_t stride) {
  const Tiles tiles;
  const int64_t steps = (k + depth_amx - 1) / depth_amx;
  const uint16_t* const a = reinterpret_cast<const uint16_t*>(block);
  const uint16_t* b = reinterpret_cast<const uint16_t*>(panels);
  for (int64_t first = 0; first < n; first += columns_amx, b += steps * 2 * tile_values) {
    const int64_t columns = std::min(columns_amx, n - first);
    if (m == rows_amx && columns == columns_amx) {
      panel_amx(steps, a, b, c + first, stride);
      continue;
    }
    alignas(64) float whole[rows_amx * columns_amx];
    panel_amx(steps, a, b, whole, columns_amx);
    for (int64_t row = 0; row < m; ++row)
      std::copy_n(whole + row * columns_amx, columns, c + row * stride + first);
  }
}

constexpr GemmKernel kernel_amx{"amx", Compute::bf16,  rows_amx,       columns_amx, depth_amx,
                                2,     pack_block_amx, pack_panel_amx, multiply_amx};

}  // namespace

const GemmKernel* amx_bf16() { return amx_usable() ? &kernel_amx : nullptr; }
#else
const GemmKernel* amx_bf16() { return nullptr; }
#endif
}  // namespace gemm_detail
}  // namespace varve
