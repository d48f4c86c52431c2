// Matrices packed for a micro kernel: rows of activations once for all weights, rows of weights tile by tile.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/model/gemm.h"
#include "analysis/model/kernels.h"

namespace varve {

// Activations in blocks of kernel.rows; packed by all threads.
class PackedRows {
 public:
  void pack(const GemmKernel& kernel, RowsOf<const float> x, int64_t rows, int64_t k);
  const std::byte* block(int64_t index) const { return bytes_.data() + index * block_bytes_; }

 private:
  PackedBytes bytes_;
  int64_t block_bytes_ = 0;
};

// Rows [first, first + count) of w as panels one after the other, widened on the way; `scratch` is a panel of
// floats.
void pack_weights(const GemmKernel& kernel, const Matrix& w, int64_t first, int64_t count, std::byte* out,
                  std::vector<float>& scratch);

}  // namespace varve
