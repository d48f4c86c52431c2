// Every micro kernel this processor runs against the plain double loop, and the laws that results rest on.
#include "analysis/model/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>

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

// The fused sums of AVX2 and AVX-512 make the same chain.
TEST(Gemm, VectorKernelsOfOnePrecisionAgreeBitForBit) {
  std::vector<const GemmKernel*> all = gemm_kernels(Compute::f32);
  std::erase_if(all,
                [](const GemmKernel* kernel) { return !std::string_view(kernel->name).starts_with("avx"); });
  const int64_t m = 20, n = 70, k = 700;
  const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
  for (size_t i = 1; i < all.size(); ++i)
    EXPECT_EQ(product(*all[0], a, b, m, n, k), product(*all[i], a, b, m, n, k)) << all[i]->name;
}

const GemmKernel* split_kernel() {
  for (const GemmKernel* kernel : gemm_kernels(Compute::f32))
    if (std::string_view(kernel->name) == "amx_split") return kernel;
  return nullptr;
}

// Largest distance to the exact product, of the sum of magnitudes.
double worst_of(const GemmKernel& kernel, const std::vector<float>& a, const std::vector<float>& b, int64_t m,
                int64_t n, int64_t k) {
  const std::vector<float> c = product(kernel, a, b, m, n, k);
  double worst = 0;
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      double sum = 0, magnitudes = 0;
      for (int64_t i = 0; i < k; ++i) {
        const double term = static_cast<double>(a[static_cast<size_t>(row * k + i)]) *
                            static_cast<double>(b[static_cast<size_t>(column * k + i)]);
        sum += term;
        magnitudes += std::abs(term);
      }
      worst = std::max(
          worst, std::abs(static_cast<double>(c[static_cast<size_t>(row * n + column)]) - sum) / magnitudes);
    }
  return worst;
}

TEST(GemmSplit, IsAsCloseToTheExactProductAsTheChainOfFloats) {
  const GemmKernel* const split = split_kernel();
  if (!split) GTEST_SKIP() << "this processor has no AMX";
  const int64_t m = 40, n = 70, k = 768;
  const std::vector<float> a = values(m * k, 1), b = values(n * k, 2);
  EXPECT_LE(worst_of(*split, a, b, m, n, k), worst_of(*gemm_kernels(Compute::f32).back(), a, b, m, n, k));
}

// Weights of fewer bits have fewer pieces, and the steps left out would have added nothing.
TEST(GemmSplit, WeightsOfFewerBitsGiveTheBitsOfTheirFloats) {
  const GemmKernel* const split = split_kernel();
  if (!split) GTEST_SKIP() << "this processor has no AMX";
  const int64_t m = 33, n = 32, k = 96;
  const std::vector<float> a = values(m * k, 1);
  for (const uint32_t kept : {0xffff0000u, 0xffffe000u}) {
    std::vector<float> b = values(n * k, 2);
    for (float& value : b) value = std::bit_cast<float>(std::bit_cast<uint32_t>(value) & kept);
    const std::vector<float> few = product(*split, a, b, m, n, k);
    // A last column of all bits makes the panel keep every piece.
    std::vector<float> more = b;
    std::fill(more.end() - k, more.end(), std::bit_cast<float>(0x3f8fffffu));
    const std::vector<float> all = product(*split, a, more, m, n, k);
    for (int64_t row = 0; row < m; ++row)
      for (int64_t column = 0; column + 1 < n; ++column)
        ASSERT_EQ(few[static_cast<size_t>(row * n + column)], all[static_cast<size_t>(row * n + column)]);
  }
}

TEST(GemmSplit, ValuesThatAreNotFiniteNeverBecomeFinite) {
  const GemmKernel* const split = split_kernel();
  if (!split) GTEST_SKIP() << "this processor has no AMX";
  const int64_t m = 2, n = 3, k = 40;
  for (const uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7f800001u}) {
    std::vector<float> a = values(m * k, 1);
    const std::vector<float> b = values(n * k, 2);
    a[5] = std::bit_cast<float>(bits);
    const std::vector<float> c = product(*split, a, b, m, n, k);
    for (int64_t column = 0; column < n; ++column) {
      EXPECT_FALSE(std::isfinite(c[static_cast<size_t>(column)])) << bits;
      EXPECT_TRUE(std::isfinite(c[static_cast<size_t>(n + column)])) << "the other row";
    }
  }
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
