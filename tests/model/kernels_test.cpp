// Norms, softmax, activations, rotation and products on numbers small enough for paper.
#include "analysis/model/kernels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/core/error.h"
#include "analysis/model/attention.h"
#include "analysis/model/exponential.h"
#include "analysis/model/rope.h"

namespace varve {
namespace {

TEST(Norm, LayerNormCentresAndScales) {
  const NormWeights<double> norm{Norm::layer, 0, {2, 2, 2, 2}, {1, 1, 1, 1}};
  const double x[] = {1, 1, 3, 3};  // mean 2, variance 1
  double out[4];
  norm_row(norm, x, 4, out);
  EXPECT_DOUBLE_EQ(out[0], -1);
  EXPECT_DOUBLE_EQ(out[3], 3);
}

TEST(Norm, RmsNormOnlyScales) {
  const NormWeights<double> norm{Norm::rms, 0, {}, {}};
  const double x[] = {3, 4, 0, 0};  // mean square 25 / 4
  double out[4];
  norm_row(norm, x, 4, out);
  EXPECT_DOUBLE_EQ(out[0], 1.2);
  EXPECT_DOUBLE_EQ(out[1], 1.6);
}

TEST(Norm, EpsilonLiesInsideTheRoot) {
  const NormWeights<double> norm{Norm::rms, 3, {}, {}};
  const double x[] = {1, 1};
  double out[2];
  norm_row(norm, x, 2, out);
  EXPECT_DOUBLE_EQ(out[0], 0.5);
}

TEST(Softmax, HasTheRatiosOfTheExponentials) {
  double x[] = {1000, 1000 + std::log(3.0)};
  softmax(x, 2);
  EXPECT_NEAR(x[0], 0.25, 1e-12);
  EXPECT_NEAR(x[1], 0.75, 1e-12);
}

TEST(Exponential, IsWithinTwoUlpOfTheTrueValue) {
  for (float x = -86.9f; x < 87.9f; x += 0.00137f) {
    const double exact = std::exp(static_cast<double>(x));
    const float nearest = static_cast<float>(exact);
    const double ulp = static_cast<double>(std::nextafter(nearest, INFINITY)) - static_cast<double>(nearest);
    ASSERT_LE(std::abs(static_cast<double>(exponential(x)) - exact), 2 * ulp) << x;
  }
  EXPECT_EQ(exponential(0.0f), 1);
  EXPECT_EQ(exponential(-INFINITY), 0);
  EXPECT_EQ(exponential(-1e30f), 0);
  EXPECT_EQ(exponential(INFINITY), INFINITY);
  EXPECT_EQ(exponential(1e30f), INFINITY);
  EXPECT_TRUE(std::isnan(exponential(NAN)));
}

TEST(Softmax, EqualsThePlainSumForEveryLength) {
  for (size_t count = 1; count < 40; ++count) {
    std::vector<float> x(count);
    for (size_t i = 0; i < count; ++i) x[i] = 5 * std::sin(static_cast<float>(i * i));
    double sum = 0;
    for (float value : x) sum += std::exp(static_cast<double>(value));
    std::vector<float> found = x;
    softmax(found.data(), static_cast<int64_t>(count));
    for (size_t i = 0; i < count; ++i) ASSERT_NEAR(found[i], std::exp(static_cast<double>(x[i])) / sum, 1e-6);
  }
}

TEST(Activation, FollowsItsFormula) {
  EXPECT_NEAR(activated(Activation::gelu, 1.0), 0.8413447460685429, 1e-15);  // x Phi(x)
  EXPECT_NEAR(activated(Activation::gelu_tanh, 1.0), 0.8411919906082768,
              1e-15);  // PyTorch, approximate="tanh"
  EXPECT_NEAR(activated(Activation::silu, 1.0), 0.7310585786300049, 1e-15);
  EXPECT_NEAR(activated(Activation::quick_gelu, 1.0), 1 / (1 + std::exp(-1.702)), 1e-15);
  EXPECT_EQ(activated(Activation::relu, -2.0), 0);
  EXPECT_EQ(activated(Activation::relu, 2.0), 2);
  EXPECT_EQ(activated(Activation::silu, -1000.0f), 0);
}

ModelSpec rotary(int64_t dims) {
  ModelSpec spec;
  spec.rope.dims = dims;
  return spec;
}

TEST(Rope, TurnsAPairByItsPosition) {
  const RopeTable<double> table = rope_table<double>(rotary(2), 3);
  double row[] = {1, 0};
  rotate_row(table, 2, 1, 2, row);
  EXPECT_NEAR(row[0], std::cos(2.0), 1e-15);
  EXPECT_NEAR(row[1], std::sin(2.0), 1e-15);
  rotate_row_back(table, 2, 1, 2, row);
  EXPECT_NEAR(row[0], 1, 1e-15);
  EXPECT_NEAR(row[1], 0, 1e-15);
}

TEST(Rope, PairsHalvesOrNeighbours) {
  ModelSpec spec = rotary(4);
  double halves[] = {1, 0, 0, 0, 7};
  rotate_row(rope_table<double>(spec, 2), 1, 1, 5, halves);
  EXPECT_NEAR(halves[2], std::sin(1.0), 1e-15);
  EXPECT_EQ(halves[4], 7);  // beyond the rotated dimensions
  spec.rope.interleaved = true;
  double neighbours[] = {1, 0, 0, 0, 7};
  rotate_row(rope_table<double>(spec, 2), 1, 1, 5, neighbours);
  EXPECT_NEAR(neighbours[1], std::sin(1.0), 1e-15);
}

TEST(Rope, ScoresDependOnlyOnTheDistance) {
  const RopeTable<double> table = rope_table<double>(rotary(8), 40);
  const auto score = [&](int64_t query, int64_t key) {
    double q[] = {1, 2, 3, 4, 5, 6, 7, 8}, k[] = {8, 1, 7, 2, 6, 3, 5, 4};
    rotate_row(table, query, 1, 8, q);
    rotate_row(table, key, 1, 8, k);
    double sum = 0;
    for (int i = 0; i < 8; ++i) sum += q[i] * k[i];
    return sum;
  };
  EXPECT_NEAR(score(9, 4), score(37, 32), 1e-11);
}

TEST(Rope, ScalingStretchesWhatItShould) {
  ModelSpec spec = rotary(4);
  const double plain = std::acos(rope_table<double>(spec, 2).cosine[3]);  // position 1, slow pair: 1/100
  EXPECT_NEAR(plain, 0.01, 1e-9);
  spec.rope.factor = 4;
  spec.rope.scaling = RopeScaling::linear;
  EXPECT_NEAR(std::acos(rope_table<double>(spec, 2).cosine[3]), 0.0025, 1e-9);
  // Llama 3: with 40 original positions the fast pair (wave 2 pi) is kept and the slow one (wave 628)
  // stretched.
  spec.rope.scaling = RopeScaling::llama3;
  spec.rope.original_context = 40;
  EXPECT_NEAR(std::acos(rope_table<double>(spec, 2).cosine[2]), 1, 1e-9);
  EXPECT_NEAR(std::acos(rope_table<double>(spec, 2).cosine[3]), 0.0025, 1e-9);
  // Dynamic: within the original context nothing changes.
  spec.rope.scaling = RopeScaling::dynamic;
  EXPECT_NEAR(std::acos(rope_table<double>(spec, 2).cosine[3]), 0.01, 1e-9);
  // Twice the context: theta grows by (4 * 2 - 3)^(4 / 2) = 25, so the slow pair turns by 1/500.
  EXPECT_NEAR(std::acos(rope_table<double>(spec, 80).cosine[3]), 0.002, 1e-9);
  // YaRN: amplitude 0.1 ln(factor) + 1, seen at position 0; the slow pair is stretched.
  spec.rope.scaling = RopeScaling::yarn;
  const RopeTable<double> yarn = rope_table<double>(spec, 2);
  EXPECT_NEAR(yarn.cosine[0], 0.1 * std::log(4.0) + 1, 1e-12);
  EXPECT_NEAR(yarn.sine[3] / yarn.cosine[3], std::tan(0.0025), 1e-9);
  spec.rope.original_context = 0;
  EXPECT_THROW(rope_table<double>(spec, 2), Error);
}

TEST(Attention, ScaleFollowsTheModel) {
  ModelSpec spec;
  spec.d_head = 16;
  EXPECT_DOUBLE_EQ(attention_plan(spec, 3).scale, 0.25);
  spec.scale_by_layer = true;
  EXPECT_DOUBLE_EQ(attention_plan(spec, 3).scale, 0.0625);
  spec.attention_scale = 0.5;
  EXPECT_DOUBLE_EQ(attention_plan(spec, 0).scale, 0.5);
}

// The plain triple loop, as the oracle.
TEST(Linear, EqualsThePlainLoopForEveryLengthAndBlock) {
  constexpr int64_t rows = 300, columns = 37;
  std::vector<double> w(static_cast<size_t>(rows * columns)), bias(rows);
  for (size_t i = 0; i < w.size(); ++i) w[i] = std::sin(static_cast<double>(i));
  for (size_t i = 0; i < bias.size(); ++i) bias[i] = std::cos(static_cast<double>(i));
  const Matrix matrix{RawType::f64, rows, columns, columns, 1, std::as_bytes(std::span(w)).data(), nullptr};
  const std::vector<int64_t> begin = {0, 1, 4, 70};
  std::vector<double> x(70 * columns), out(70 * rows);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(0.7 * static_cast<double>(i));
  linear<double>({x.data(), columns}, begin, matrix, bias, {out.data(), rows}, Task());
  for (int64_t row = 0; row < 70; ++row)
    for (int64_t column = 0; column < rows; ++column) {
      double sum = bias[static_cast<size_t>(column)];
      for (int64_t k = 0; k < columns; ++k)
        sum += x[static_cast<size_t>(row * columns + k)] * w[static_cast<size_t>(column * columns + k)];
      ASSERT_NEAR(out[static_cast<size_t>(row * rows + column)], sum, 1e-12);
    }
}

TEST(Blas, NamesItsKernel) { EXPECT_FALSE(blas_kernel().empty()); }

}  // namespace
}  // namespace varve
