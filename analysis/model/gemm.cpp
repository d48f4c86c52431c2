// The plain kernels, which every processor runs and the others are held against, and the choice among all.
#include "analysis/model/gemm.h"

#include <algorithm>
#include <cstdlib>

#include "analysis/core/error.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

constexpr int64_t plain_rows = 2, plain_columns = 16;

void pack_plain_block(const float* a, int64_t stride, int64_t count, int64_t k, std::byte* out) {
  gemm_detail::pack_values<plain_rows>(a, stride, 1, count, k, reinterpret_cast<float*>(out));
}
void pack_plain_panel(const float* b, int64_t row_stride, int64_t depth_stride, int64_t count, int64_t k,
                      std::byte* out) {
  gemm_detail::pack_values<plain_columns>(b, row_stride, depth_stride, count, k,
                                          reinterpret_cast<float*>(out));
}

// The factors rounded to bf16 but kept as floats: the product of two is exact, so this is what a processor
// with such instructions computes, up to the order of its sums.
void round_values(std::byte* packed, int64_t count) {
  float* const values = reinterpret_cast<float*>(packed);
  for (int64_t i = 0; i < count; ++i) values[i] = from_bf16(to_bf16(values[i]));
}
void pack_rounded_block(const float* a, int64_t stride, int64_t count, int64_t k, std::byte* out) {
  pack_plain_block(a, stride, count, k, out);
  round_values(out, k * plain_rows);
}
void pack_rounded_panel(const float* b, int64_t row_stride, int64_t depth_stride, int64_t count, int64_t k,
                        std::byte* out) {
  pack_plain_panel(b, row_stride, depth_stride, count, k, out);
  round_values(out, k * plain_columns);
}

// k in [first, end), one stretch.
void plain_panel(int64_t m, int64_t n, int64_t first, int64_t end, const float* a, const float* b, float* c,
                 int64_t stride) {
  float sum[plain_rows][plain_columns] = {};
  for (int64_t i = first; i < end; ++i)
#pragma GCC unroll 2
    for (int64_t row = 0; row < plain_rows; ++row)
#pragma GCC unroll 16
      for (int64_t column = 0; column < plain_columns; ++column)
        sum[row][column] += a[i * plain_rows + row] * b[i * plain_columns + column];
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      float& to = c[row * stride + column];
      to = first == 0 ? sum[row][column] : to + sum[row][column];
    }
}

void plain_stretch(int64_t m, int64_t n, int64_t k, int64_t begin, const std::byte* block,
                   const std::byte* panels, float* c, int64_t stride) {
  const int64_t end = std::min(k, begin + gemm_detail::depth_block);
  const float* const a = reinterpret_cast<const float*>(block);
  const float* b = reinterpret_cast<const float*>(panels);
  for (int64_t first = 0; first < n; first += plain_columns, b += plain_columns * k)
    plain_panel(m, std::min(plain_columns, n - first), begin, end, a, b, c + first, stride);
}

void plain_multiply(int64_t m, int64_t n, int64_t k, const std::byte* block, const std::byte* panels,
                    float* c, int64_t stride) {
  for (int64_t begin = 0; begin < k; begin += gemm_detail::depth_block)
    plain_stretch(m, n, k, begin, block, panels, c, stride);
}

constexpr GemmKernel plain_f32_kernel{"plain",          Compute::f32,     plain_rows,     plain_columns, 1, 4,
                                      pack_plain_block, pack_plain_panel, plain_multiply, plain_stretch};
constexpr GemmKernel plain_bf16_kernel{
    "plain", Compute::bf16,      plain_rows,         plain_columns,  1,
    4,       pack_rounded_block, pack_rounded_panel, plain_multiply, plain_stretch};

std::vector<const GemmKernel*> present(std::vector<const GemmKernel*> all) {
  std::erase(all, nullptr);
  return all;
}

const GemmKernel& chosen(Compute compute) {
  const std::vector<const GemmKernel*>& all = gemm_kernels(compute);
  const char* const wanted = std::getenv("VARVE_KERNEL");
  if (wanted == nullptr || *wanted == '\0') return *all.front();
  for (const GemmKernel* kernel : all)
    if (std::string(wanted) == kernel->name) return *kernel;
  // One name serves both precisions: what only the other one has leaves this one to the fastest.
  const Compute other = compute == Compute::f32 ? Compute::bf16 : Compute::f32;
  for (const GemmKernel* kernel : gemm_kernels(other))
    if (std::string(wanted) == kernel->name) return *all.front();
  std::string names;
  for (const GemmKernel* kernel : all) names += (names.empty() ? "" : ", ") + std::string(kernel->name);
  fail_usage("VARVE_KERNEL is '{}'; this processor runs: {}. Unset it for the fastest", wanted, names);
}

}  // namespace

namespace gemm_detail {
const GemmKernel* plain_f32() { return &plain_f32_kernel; }
const GemmKernel* plain_bf16() { return &plain_bf16_kernel; }
}  // namespace gemm_detail

const std::vector<const GemmKernel*>& gemm_kernels(Compute compute) {
  using namespace gemm_detail;
  // amx_split only when asked for: it is up to three times as fast as avx512 where tiles run at their full
  // rate, but where a virtual machine's host throttles them a tenth to a third slower.
  static const std::vector<const GemmKernel*> f32 =
      present({avx512_f32(), amx_f32(), avx2_f32(), plain_f32()});
  static const std::vector<const GemmKernel*> bf16 = present({amx_bf16(), avx512_bf16(), plain_bf16()});
  return compute == Compute::bf16 ? bf16 : f32;
}

const GemmKernel& gemm_kernel(Compute compute) {
  if (compute == Compute::bf16) {
    static const GemmKernel& rounded = chosen(Compute::bf16);
    return rounded;
  }
  static const GemmKernel& single = chosen(Compute::f32);
  return single;
}

std::byte* PackedBytes::sized(int64_t bytes) {
  constexpr size_t line = 64;
  if (bytes_.size() < static_cast<size_t>(bytes) + line)
    bytes_ = std::vector<std::byte>(static_cast<size_t>(bytes) + line);
  const size_t past = reinterpret_cast<uintptr_t>(bytes_.data()) % line;
  data_ = bytes_.data() + (past == 0 ? 0 : line - past);
  return data_;
}

}  // namespace varve
