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

// So many rows of weights that their packed tile stays in a second-level cache, and that there are a few
// pieces for every thread.
int64_t packed_tile(const GemmKernel& kernel, const Matrix& w) {
  constexpr int64_t tile_bytes = int64_t{1} << 20, least = 64, pieces = 8;
  const int64_t fitting = tile_bytes / std::max<int64_t>(1, kernel.panel_bytes(w.columns)) * kernel.columns;
  const int64_t shared = w.rows / pieces / kernel.columns * kernel.columns;
  return std::clamp(std::min(fitting, shared), least, widest_weight_tile);
}

// Rows of activations packed at once: enough that packing the weights again for the next ones costs nothing.
int64_t packed_rows_at_once(const GemmKernel& kernel, int64_t k) {
  const int64_t rows = most_packed_bytes / std::max<int64_t>(1, kernel.packed_depth(k) * kernel.value_bytes);
  return std::max(kernel.rows, rows / kernel.rows * kernel.rows);
}

void packed_linear(const GemmKernel& kernel, RowsOf<const float> x, int64_t rows, const Matrix& w,
                   std::span<const float> bias, RowsOf<float> out, const Task& task) {
  struct Scratch {
    PackedBytes panels;
    std::vector<float> widened;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  const int64_t tile = packed_tile(kernel, w), at_once = packed_rows_at_once(kernel, w.columns);
  PackedRows packed;
  for (int64_t begin = 0; begin < rows; begin += at_once) {
    const int64_t height = std::min(at_once, rows - begin);
    packed.pack(kernel, {x.data + begin * x.stride, x.stride}, height, w.columns);
    parallel_for((w.rows + tile - 1) / tile, [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      const int64_t first = piece * tile, count = std::min(tile, w.rows - first);
      std::byte* const panels = own.panels.sized(kernel.panels(count) * kernel.panel_bytes(w.columns));
      pack_weights(kernel, w, first, count, panels, own.widened);
      for (int64_t row = 0; row < height; row += kernel.rows) {
        if (task.stop_requested()) throw Stopped();
        const int64_t some = std::min(kernel.rows, height - row);
        float* const to = out.data + (begin + row) * out.stride + first;
        kernel.multiply(some, count, w.columns, packed.block(row / kernel.rows), panels, to, out.stride);
        add_bias<float>(bias, first, some, count, {to, out.stride});
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
