// Packs rows of activations and of weights; weights that are not f32 are widened a panel at a time.
#include "analysis/model/packed_rows.h"

#include <algorithm>

#include "analysis/core/pool.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

bool aligned_f32(const Matrix& w) {
  return w.type == RawType::f32 && reinterpret_cast<uintptr_t>(w.base) % alignof(float) == 0;
}

void pack_one(const GemmKernel& kernel, const Matrix& w, int64_t first, int64_t count, std::byte* out,
              std::vector<float>& scratch) {
  const int64_t k = w.columns;
  if (aligned_f32(w) && (w.column_stride == 1 || w.row_stride == 1)) {
    const float* const from = reinterpret_cast<const float*>(w.base) + first * w.row_stride;
    return kernel.pack_panel(from, w.row_stride, w.column_stride, count, k, out);
  }
  scratch.resize(static_cast<size_t>(kernel.columns * k));
  if (w.row_stride != 1) {
    widen_rows(w, first, count, scratch.data());
    return kernel.pack_panel(scratch.data(), k, 1, count, k, out);
  }
  // A stored transpose: what belongs to one k lies side by side.
  const auto size = static_cast<int64_t>(bytes_of(w.type));
  for (int64_t i = 0; i < k; ++i)
    widen(w.type, w.base + (first + i * w.column_stride) * size, 1, count,
          scratch.data() + i * kernel.columns);
  kernel.pack_panel(scratch.data(), 1, kernel.columns, count, k, out);
}

}  // namespace

void PackedRows::pack(const GemmKernel& kernel, RowsOf<const float> x, int64_t rows, int64_t k) {
  constexpr int64_t blocks_per_piece = 4;
  block_bytes_ = kernel.block_bytes(k);
  const int64_t blocks = kernel.blocks(rows);
  std::byte* const out = bytes_.sized(blocks * block_bytes_);
  parallel_for((blocks + blocks_per_piece - 1) / blocks_per_piece, [&](int64_t piece, int) {
    const int64_t end = std::min(blocks, (piece + 1) * blocks_per_piece);
    for (int64_t block = piece * blocks_per_piece; block < end; ++block) {
      const int64_t first = block * kernel.rows;
      kernel.pack_block(x.data + first * x.stride, x.stride, std::min(kernel.rows, rows - first), k,
                        out + block * block_bytes_);
    }
  });
}

void pack_weights(const GemmKernel& kernel, const Matrix& w, int64_t first, int64_t count, std::byte* out,
                  std::vector<float>& scratch) {
  const int64_t bytes = kernel.panel_bytes(w.columns);
  for (int64_t at = 0; at < count; at += kernel.columns, out += bytes)
    pack_one(kernel, w, first + at, std::min(kernel.columns, count - at), out, scratch);
}

}  // namespace varve
