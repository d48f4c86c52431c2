// Every micro kernel this processor runs against the plain double loop, and the laws that results rest on.
#include "analysis/model/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/model/widen.h"

namespace varve {
namespace {

std::vector<float> values(int64_t count, double seed) {
  std::vector<float> all(static_cast<size_t>(count));
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<float>(std::sin(seed + static_cast<double>(i * i % 9973)));
  return all;
}

std::vector<const GemmKernel*> all_kernels() {
  std::vector<const GemmKernel*> all = gemm_kernels(Compute::f32);
  const std::vector<const GemmKernel*>& rounded = gemm_kernels(Compute::bf16);
  all.insert(all.end(), rounded.begin(), rounded.end());
  return all;
}

enum class Stored { by_row, turned };
enum class Depth { whole, stretches };

// a [m, k] b^T through the kernel, block by block and panel by panel.
std::vector<float> product(const GemmKernel& kernel, const std::vector<float>& a, const std::vector<float>& b,
                           int64_t m, int64_t n, int64_t k, Stored stored = Stored::by_row,
                           Depth depth = Depth::whole) {
  PackedBytes block, panels;
  panels.sized(kernel.panels(n) * kernel.panel_bytes(k));
  block.sized(kernel.block_bytes(k));
  for (int64_t first = 0; first < n; first += kernel.columns) {
    std::byte* const out = panels.data() + first / kernel.columns * kernel.panel_bytes(k);
    const int64_t count = std::min(kernel.columns, n - first);
    if (stored == Stored::by_row)
      kernel.pack_panel(b.data() + first * k, k, 1, count, k, out);
    else
      kernel.pack_panel(b.data() + first, 1, n, count, k, out);
  }
  std::vector<float> c(static_cast<size_t>(m * n), NAN);
  for (int64_t row = 0; row < m; row += kernel.rows) {
    const int64_t count = std::min(kernel.rows, m - row);
    kernel.pack_block(a.data() + row * k, k, count, k, block.data());
    if (depth == Depth::whole)
      kernel.multiply(count, n, k, block.data(), panels.data(), c.data() + row * n, n);
    for (int64_t begin = 0; begin < k && depth == Depth::stretches; begin += gemm_detail::depth_block)
      kernel.multiply_stretch(count, n, k, begin, block.data(), panels.data(), c.data() + row * n, n);
  }
  return c;
}

struct Size {
  int64_t m, n, k;
};
constexpr Size sizes[] = {{1, 1, 1}, {2, 3, 5}, {14, 32, 64}, {15, 33, 65}, {37, 100, 77}, {33, 70, 1100}};

TEST(Gemm, EveryKernelEqualsThePlainLoop) {
  for (const GemmKernel* kernel : all_kernels())
    for (const auto& [m, n, k] : sizes) {
      std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
      const std::vector<float> c = product(*kernel, a, b, m, n, k);
      if (kernel->compute == Compute::bf16) {
        for (float& value : a) value = from_bf16(to_bf16(value));
        for (float& value : b) value = from_bf16(to_bf16(value));
      }
      // A chain of k roundings, each half a unit in the last place of a sum no larger than that of the
      // magnitudes.
      const auto rounding = [&](double magnitudes) {
        return 0x1p-24 * static_cast<double>(k + 1) * magnitudes;
      };
      for (int64_t row = 0; row < m; ++row)
        for (int64_t column = 0; column < n; ++column) {
          double sum = 0, magnitudes = 0;
          for (int64_t i = 0; i < k; ++i) {
            const double product = static_cast<double>(a[static_cast<size_t>(row * k + i)]) *
                                   static_cast<double>(b[static_cast<size_t>(column * k + i)]);
            sum += product;
            magnitudes += std::abs(product);
          }
          ASSERT_NEAR(c[static_cast<size_t>(row * n + column)], sum, rounding(magnitudes))
              << kernel->name << " " << name_of(kernel->compute) << " " << m << " x " << n << " x " << k;
        }
    }
}

TEST(Gemm, ARowHasTheSameBitsAloneAndInAnyCompany) {
  for (const GemmKernel* kernel : all_kernels()) {
    const int64_t m = 2 * kernel->rows + 3, n = 2 * kernel->columns + 5, k = 600;
    const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
    const std::vector<float> together = product(*kernel, a, b, m, n, k);
    for (int64_t row = 0; row < m; ++row) {
      const std::vector<float> own(a.begin() + row * k, a.begin() + (row + 1) * k);
      const std::vector<float> alone = product(*kernel, own, b, 1, n, k);
      ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * n)) << kernel->name;
    }
  }
}

TEST(Gemm, AColumnHasTheSameBitsAloneAndInAnyCompany) {
  for (const GemmKernel* kernel : all_kernels()) {
    const int64_t m = kernel->rows + 1, n = 2 * kernel->columns + 5, k = 600;
    const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
    const std::vector<float> together = product(*kernel, a, b, m, n, k);
    for (int64_t column = 0; column < n; ++column) {
      const std::vector<float> own(b.begin() + column * k, b.begin() + (column + 1) * k);
      const std::vector<float> alone = product(*kernel, a, own, m, 1, k);
      for (int64_t row = 0; row < m; ++row)
        ASSERT_EQ(alone[static_cast<size_t>(row)], together[static_cast<size_t>(row * n + column)])
            << kernel->name;
    }
  }
}

TEST(Gemm, AStoredTransposeGivesTheSameBits) {
  for (const GemmKernel* kernel : all_kernels()) {
    const int64_t m = 5, n = 75, k = 83;
    const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
    std::vector<float> turned(b.size());
    for (int64_t column = 0; column < n; ++column)
      for (int64_t i = 0; i < k; ++i)
        turned[static_cast<size_t>(i * n + column)] = b[static_cast<size_t>(column * k + i)];
    EXPECT_EQ(product(*kernel, a, b, m, n, k), product(*kernel, a, turned, m, n, k, Stored::turned))
        << kernel->name;
  }
}

TEST(Gemm, StretchByStretchGivesTheSameBits) {
  for (const GemmKernel* kernel : all_kernels()) {
    if (!kernel->multiply_stretch) continue;
    for (const int64_t k : {100, 512, 1100}) {
      const int64_t m = kernel->rows + 1, n = kernel->columns + 3;
      const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
      EXPECT_EQ(product(*kernel, a, b, m, n, k),
                product(*kernel, a, b, m, n, k, Stored::by_row, Depth::stretches))
          << kernel->name << " " << k;
    }
  }
}

// All vector kernels of f32 make the same chain of fused sums.
TEST(Gemm, VectorKernelsOfOnePrecisionAgreeBitForBit) {
  const std::vector<const GemmKernel*>& all = gemm_kernels(Compute::f32);
  const int64_t m = 20, n = 70, k = 700;
  const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
  for (size_t i = 1; i + 1 < all.size(); ++i)
    EXPECT_EQ(product(*all[0], a, b, m, n, k), product(*all[i], a, b, m, n, k)) << all[i]->name;
}

TEST(Gemm, PlainIsAlwaysThere) {
  for (Compute compute : {Compute::f32, Compute::bf16})
    EXPECT_STREQ(gemm_kernels(compute).back()->name, "plain");
}

TEST(Bf16, RoundsToTheNearestAndHalvesToEven) {
  EXPECT_EQ(from_bf16(to_bf16(1.0f)), 1.0f);
  EXPECT_EQ(from_bf16(to_bf16(1.0f + 0x1p-8f)), 1.0f);            // half way: down to even
  EXPECT_EQ(from_bf16(to_bf16(1.0f + 0x3p-8f)), 1.0f + 0x1p-6f);  // half way: up to even
  EXPECT_EQ(from_bf16(to_bf16(1.0f + 0x1.2p-8f)), 1.0f + 0x1p-7f);
  EXPECT_EQ(from_bf16(to_bf16(-INFINITY)), -INFINITY);
  EXPECT_EQ(from_bf16(to_bf16(3.4e38f)), INFINITY);
  EXPECT_TRUE(std::isnan(from_bf16(to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace varve
