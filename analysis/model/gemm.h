// Products of packed matrices: one micro kernel for each instruction set, chosen when the program runs.
//
// Why a row has the same bits in any company: every element of the product is one chain of sums over k in
// stretches of a fixed length, whatever rows and columns are computed beside it, and short blocks are filled
// with zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/model/bf16.h"
#include "analysis/model/compute.h"

namespace varve {

// c [m, n] = a [m, k] b^T, b [n, k]. Rows of a lie in blocks of `rows`, rows of b in panels of `columns`.
struct GemmKernel {
  const char* name = "";  // "avx512"
  Compute compute = Compute::f32;
  int64_t rows = 0, columns = 0;
  int64_t depth = 1;  // k is filled up to a multiple of this
  int64_t value_bytes = 4;
  // A block of count <= rows rows of k values, `stride` apart.
  void (*pack_block)(const float* a, int64_t stride, int64_t count, int64_t k, std::byte* out);
  // A panel of count <= columns rows of b: value (row, i) lies at b[row * row_stride + i * depth_stride], and
  // one of the strides is 1.
  void (*pack_panel)(const float* b, int64_t row_stride, int64_t depth_stride, int64_t count, int64_t k,
                     std::byte* out);
  // m <= rows of one block against n columns of panels that lie one after the other.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels, float* c,
                   int64_t c_stride);
  // The same one stretch of depth_block after the other, begin being the first k of one: what an element has
  // summed so far lies in c. For deep products, whose blocks would leave the nearest cache; nullptr where
  // sums cannot be interrupted.
  void (*multiply_stretch)(int64_t m, int64_t n, int64_t k, int64_t begin, const std::byte* block,
                           const std::byte* panels, float* c, int64_t c_stride) = nullptr;
  int64_t panel_header = 0;  // bytes before the values of each panel

  int64_t packed_depth(int64_t k) const { return (k + depth - 1) / depth * depth; }
  int64_t block_bytes(int64_t k) const { return rows * packed_depth(k) * value_bytes; }
  int64_t panel_bytes(int64_t k) const { return panel_header + columns * packed_depth(k) * value_bytes; }
  int64_t blocks(int64_t count) const { return (count + rows - 1) / rows; }
  int64_t panels(int64_t count) const { return (count + columns - 1) / columns; }
};

// All that this processor can run, the one to take first, plain last; compute is f32 or bf16.
const std::vector<const GemmKernel*>& gemm_kernels(Compute compute);
// The first, or the one the variable VARVE_KERNEL names (plain, avx2, avx512, amx_split, avx512_bf16, amx);
// a name this processor cannot run is an Error (usage).
const GemmKernel& gemm_kernel(Compute compute);

// Bytes on a cache line, as tile and vector loads like them.
class PackedBytes {
 public:
  std::byte* sized(int64_t bytes);  // what was in it is lost where it grows
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }

 private:
  std::vector<std::byte> bytes_;
  std::byte* data_ = nullptr;
};

namespace gemm_detail {
// Products are summed over so many k before they join the element: shorter chains round less.
inline constexpr int64_t depth_block = 512;

// (row, i) to out[i][wide], zeros behind the last row.
template <int64_t wide>
[[gnu::always_inline]] inline void pack_values(const float* from, int64_t row_stride, int64_t depth_stride,
                                               int64_t count, int64_t k, float* out) {
  if (depth_stride != 1) {
    for (int64_t i = 0; i < k; ++i)
      for (int64_t row = 0; row < wide; ++row)
        out[i * wide + row] = row < count ? from[i * depth_stride + row * row_stride] : 0.0f;
    return;
  }
  constexpr int64_t stretch = 16;
  for (int64_t first = 0; first < k; first += stretch) {
    const int64_t end = first + stretch < k ? first + stretch : k;
    for (int64_t row = 0; row < count; ++row)
      for (int64_t i = first; i < end; ++i) out[i * wide + row] = from[row * row_stride + i];
    for (int64_t i = first; i < end; ++i)
      for (int64_t row = count; row < wide; ++row) out[i * wide + row] = 0;
  }
}

// Neighbouring i in pairs of bf16: out[i / 2][wide], the even one in the lower half; zeros up to `depth`,
// which is even, and behind the last row.
template <int64_t wide>
[[gnu::always_inline]] inline void pack_pairs(const float* from, int64_t row_stride, int64_t depth_stride,
                                              int64_t count, int64_t k, int64_t depth, uint32_t* out) {
  constexpr int64_t stretch = 32;
  for (int64_t first = 0; first < depth; first += stretch) {
    const int64_t end = first + stretch < depth ? first + stretch : depth;
    const int64_t there = k < end ? k : end;
    // What the pairs are made of, widened to the whole stretch.
    float values[wide * stretch] = {};
    for (int64_t row = 0; row < count && depth_stride == 1; ++row)
      for (int64_t i = first; i < there; ++i) values[row * stretch + i - first] = from[row * row_stride + i];
    for (int64_t i = first; i < there && depth_stride != 1; ++i)
      for (int64_t row = 0; row < count; ++row)
        values[row * stretch + i - first] = from[i * depth_stride + row * row_stride];
    uint32_t pairs[wide * stretch / 2];
    for (int64_t i = 0; i < wide * stretch / 2; ++i)
      pairs[i] = to_bf16(values[2 * i]) | static_cast<uint32_t>(to_bf16(values[2 * i + 1])) << 16;
    for (int64_t pair = 0; pair < (end - first) / 2; ++pair)
      for (int64_t row = 0; row < wide; ++row)
        out[(first / 2 + pair) * wide + row] = pairs[row * stretch / 2 + pair];
  }
}

// Each nullptr where the program was built for, or runs on, a processor without it.
const GemmKernel* plain_f32();
const GemmKernel* plain_bf16();
const GemmKernel* avx2_f32();
const GemmKernel* avx512_f32();
const GemmKernel* amx_f32();
const GemmKernel* avx512_bf16();
const GemmKernel* amx_bf16();
}  // namespace gemm_detail

}  // namespace varve
