// The product of activations with a weight matrix: f32 and bf16 through our packed kernels, f64 through BLAS.
#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/kernels.h"
#include "analysis/model/packed_rows.h"

namespace varve {
namespace {

template <class T>
void add_bias(std::span<const T> bias, int64_t first, int64_t rows, int64_t columns, RowsOf<T> out) {
  if (bias.empty()) return;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      out.data[row * out.stride + column] += bias[static_cast<size_t>(first + column)];
}

// Products at least twice as deep are taken stretch by stretch: what a block and a tile give to one stretch
// stays in the caches.
int64_t stretch_of(const GemmKernel& kernel, int64_t k) {
  return kernel.multiply_stretch && k >= 2 * gemm_detail::depth_block ? gemm_detail::depth_block : k;
}

// So many rows of weights that a stretch of their packed tile stays in a second-level cache, that the tile is
// not large itself, and that there are a few pieces for every thread.
int64_t packed_tile(const GemmKernel& kernel, int64_t rows, int64_t columns) {
  constexpr int64_t cached_bytes = int64_t{1} << 20, held_bytes = int64_t{4} << 20, least = 64, pieces = 8;
  const int64_t cached = cached_bytes / std::max<int64_t>(1, kernel.panel_bytes(stretch_of(kernel, columns)));
  const int64_t held = held_bytes / std::max<int64_t>(1, kernel.panel_bytes(columns));
  const int64_t fitting = std::min(cached, held) * kernel.columns;
  const int64_t shared = rows / pieces / kernel.columns * kernel.columns;
  return std::clamp(std::min(fitting, shared), least, widest_weight_tile);
}

// Rows of activations packed at once, in equal parts: enough that packing the weights again for the next ones
// costs nothing.
int64_t packed_rows_at_once(const GemmKernel& kernel, int64_t rows, int64_t k) {
  const int64_t most = std::max(
      kernel.rows, most_packed_bytes / std::max<int64_t>(1, kernel.packed_depth(k) * kernel.value_bytes));
  const int64_t parts = std::max<int64_t>(1, (rows + most - 1) / most);
  return kernel.blocks((rows + parts - 1) / parts) * kernel.rows;
}

void packed_linear(const GemmKernel& kernel, RowsOf<const float> x, int64_t rows, const Matrix& w,
                   std::span<const float> bias, RowsOf<float> out, const Task& task) {
  struct Scratch {
    PackedBytes panels;
    std::vector<float> widened;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  const int64_t k = w.columns, tile = packed_tile(kernel, w.rows, k), stretch = stretch_of(kernel, k);
  const int64_t at_once = packed_rows_at_once(kernel, rows, k);
  PackedRows packed;
  for (int64_t begin = 0; begin < rows; begin += at_once) {
    const int64_t height = std::min(at_once, rows - begin);
    packed.pack(kernel, {x.data + begin * x.stride, x.stride}, height, k);
    parallel_for((w.rows + tile - 1) / tile, [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      const int64_t first = piece * tile, count = std::min(tile, w.rows - first);
      std::byte* const panels = own.panels.sized(kernel.panels(count) * kernel.panel_bytes(k));
      pack_weights(kernel, w, first, count, panels, own.widened);
      for (int64_t depth = 0; depth < k; depth += stretch)
        for (int64_t row = 0; row < height; row += kernel.rows) {
          if (task.stop_requested()) throw Stopped();
          const int64_t some = std::min(kernel.rows, height - row);
          const std::byte* const block = packed.block(row / kernel.rows);
          float* const to = out.data + (begin + row) * out.stride + first;
          if (stretch < k)
            kernel.multiply_stretch(some, count, k, depth, block, panels, to, out.stride);
          else
            kernel.multiply(some, count, k, block, panels, to, out.stride);
          if (depth + stretch >= k) add_bias<float>(bias, first, some, count, {to, out.stride});
        }
      if (begin + height == rows) release_rows(w, first, count);
    });
  }
}

// Small enough that two threads share a narrow matrix evenly, large enough for BLAS's own panels.
int64_t blas_tile(int64_t rows) {
  if (rows <= 1024) return 128;
  return rows <= 2048 ? 256 : 512;
}

// Every prompt is multiplied on its own, always against the same tiles: the bits of BLAS depend on both.
void blas_linear(RowsOf<const double> x, RowBegins begin, const Matrix& w, std::span<const double> bias,
                 RowsOf<double> out, const Task& task) {
  const int64_t tile = blas_tile(w.rows);
  std::vector<std::vector<double>> scratch(static_cast<size_t>(threads()));
  parallel_for((w.rows + tile - 1) / tile, [&](int64_t piece, int worker) {
    const int64_t first = piece * tile, count = std::min(tile, w.rows - first);
    const RowsOf<const double> rows = rows_in(w, first, count, scratch[static_cast<size_t>(worker)]);
    for (size_t prompt = 0; prompt + 1 < begin.size(); ++prompt) {
      if (task.stop_requested()) throw Stopped();
      const int64_t length = begin[prompt + 1] - begin[prompt];
      double* const to = out.data + begin[prompt] * out.stride + first;
      multiply_turned<double>(length, count, w.columns, 1.0, {x.data + begin[prompt] * x.stride, x.stride},
                              rows, {to, out.stride});
      add_bias<double>(bias, first, length, count, {to, out.stride});
    }
    release_rows(w, first, count);  // all prompts have met them
  });
}

}  // namespace

int64_t packed_tile_rows(Compute compute, int64_t rows, int64_t columns) {
  return std::min(rows, packed_tile(gemm_kernel(compute), rows, columns));
}

template <class T>
void linear(RowsOf<const T> x, RowBegins begin, const Matrix& w, std::span<const T> bias, RowsOf<T> out,
            const Task& task, Compute compute) {
  if (!bias.empty() && static_cast<int64_t>(bias.size()) != w.rows)
    fail("a bias of {} values does not fit a matrix of {} rows", bias.size(), w.rows);
  if constexpr (std::is_same_v<T, double>) {
    (void)compute;
    blas_linear(x, begin, w, bias, out, task);
  } else {
    const int64_t first = begin.front(), rows = begin.back() - first;
    packed_linear(gemm_kernel(compute), {x.data + first * x.stride, x.stride}, rows, w, bias,
                  {out.data + first * out.stride, out.stride}, task);
  }
}

template void linear<float>(RowsOf<const float>, RowBegins, const Matrix&, std::span<const float>,
                            RowsOf<float>, const Task&, Compute);
template void linear<double>(RowsOf<const double>, RowBegins, const Matrix&, std::span<const double>,
                             RowsOf<double>, const Task&, Compute);

}  // namespace varve
