// Correlations over few points: values, p and intervals that can be counted by hand.
#include "analysis/core/correlation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace varve {
namespace {

TEST(Correlation, SpearmanWithOneTiedPairGivesTheNumbersThatGiveNAway) {
  // One tie among n points: .9487 at 4, .9747 at 5, .9856 at 6.
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  std::vector<double> y{1, 1, 2, 3, 4, 5};
  EXPECT_NEAR(correlate(std::span(x).first(4), std::span(y).first(4), 100, 0).spearman.value, .9487, 5e-5);
  EXPECT_NEAR(correlate(std::span(x).first(5), std::span(y).first(5), 100, 0).spearman.value, .9747, 5e-5);
  EXPECT_NEAR(correlate(x, y, 100, 0).spearman.value, .9856, 5e-5);
}

TEST(Correlation, ExactPCountsOrders) {
  // Rising with rising: of 4! orders only it and its mirror are as extreme.
  const Correlation four =
      correlate(std::vector<double>{1, 2, 3, 4}, std::vector<double>{10, 20, 30, 40}, 100, 0);
  EXPECT_TRUE(four.exact);
  EXPECT_EQ(four.permutations, 24);
  EXPECT_DOUBLE_EQ(four.pearson.p, 2.0 / 24);
  EXPECT_DOUBLE_EQ(four.spearman.p, 2.0 / 24);
  EXPECT_NEAR(four.pearson.value, 1, 1e-12);
}

TEST(Correlation, FewPointsCarryAWarningThatSaysTheLeastP) {
  const std::vector<double> x{1, 2, 3, 4}, long_x{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_NE(warning_of(correlate(x, x, 100, 0)).find("n = 4"), std::string::npos);
  EXPECT_NE(warning_of(correlate(x, x, 100, 0)).find("0.083"), std::string::npos);
  EXPECT_TRUE(warning_of(correlate(long_x, long_x, 100, 0)).empty());
}

TEST(Correlation, MissingValuesAndConstantSidesGiveNoNumber) {
  const Correlation gaps =
      correlate(std::vector<double>{1, NAN, 3, 4, 5}, std::vector<double>{2, 3, NAN, 1, 7}, 100, 0);
  EXPECT_EQ(gaps.n, 3);
  const Correlation flat = correlate(std::vector<double>{1, 2, 3}, std::vector<double>{.1, .1, .1}, 100, 0);
  EXPECT_TRUE(std::isnan(flat.pearson.value));
  EXPECT_TRUE(std::isnan(flat.pearson.p));
}

TEST(Correlation, ManyPointsTakeRandomOrdersAndNeverGiveZero) {
  std::vector<double> x, y;
  for (int i = 0; i < 40; ++i) x.push_back(i), y.push_back(i + (i % 3));
  const Correlation strong = correlate(x, y, 999, 1);
  EXPECT_FALSE(strong.exact);
  EXPECT_DOUBLE_EQ(strong.pearson.p, 0.001);
  EXPECT_LE(strong.pearson.low, strong.pearson.value);
  EXPECT_GE(strong.pearson.high, strong.pearson.value);
}

TEST(Correlation, ShiftAndScaleChangeNothing) {
  const std::vector<double> x{3, 1, 4, 1, 5, 9, 2, 6}, y{2, 7, 1, 8, 2, 8, 1, 8};
  std::vector<double> moved;
  for (const double value : x) moved.push_back(100 - 3 * value);
  const Correlation a = correlate(x, y, 200, 5), b = correlate(moved, y, 200, 5);
  EXPECT_NEAR(a.pearson.value, -b.pearson.value, 1e-12);
  EXPECT_DOUBLE_EQ(a.pearson.p, b.pearson.p);
  EXPECT_NEAR(a.pearson.low, -b.pearson.high, 1e-9);
}

TEST(PairMeans, PairsThatShareASampleCountAsOneDrawOfIt) {
  // 20 samples; the distance of a pair is the sum of its samples' own numbers, so pairs are far from
  // independent and the error must be that of 20 samples: 2 sd / sqrt(20), not that of 190 pairs.
  std::vector<double> values;
  std::vector<int64_t> first, second;
  double square = 0;
  for (int64_t i = 0; i < 20; ++i) {
    square += std::pow(static_cast<double>(i) - 9.5, 2) / 20;
    for (int64_t j = i + 1; j < 20; ++j) {
      first.push_back(i), second.push_back(j);
      values.push_back(static_cast<double>(i + j));
    }
  }
  const std::vector<std::vector<double>> sets{values};
  const PairEstimate estimate = bootstrap_pair_means(sets, first, second, 2000, 3).front();
  EXPECT_DOUBLE_EQ(estimate.value, 19);
  EXPECT_EQ(estimate.n, 190);
  const double expected = 2 * std::sqrt(square / 20);
  EXPECT_NEAR(estimate.error, expected, 0.15 * expected);
  EXPECT_LT(estimate.low, 19);
  EXPECT_GT(estimate.high, 19);
}

}  // namespace
}  // namespace varve
