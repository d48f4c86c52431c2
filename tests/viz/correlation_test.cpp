// Correlations small enough for paper, and what must not change them.
#include "viz/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace varve {
namespace {

constexpr double rounding = 1e-12;

TEST(Correlation, OfFivePairsIsWhatPaperSays) {
  // x - 3 = (-2 -1 0 1 2), y - 4 = (-2 0 1 -1 2): products sum to 7, squares to 10 and 10.
  const std::vector<double> x = {1, 2, 3, 4, 5}, y = {2, 4, 5, 3, 6};
  const Correlation c = correlation(x, y);
  EXPECT_EQ(c.n, 5);
  EXPECT_NEAR(c.pearson, 0.7, rounding);
  EXPECT_NEAR(c.spearman, 0.7, rounding);
  EXPECT_NEAR(c.slope, 0.7, rounding);
  EXPECT_NEAR(c.at_zero, 1.9, rounding);
  // atanh(0.7) = 0.8673; half width 1.96 / sqrt(2) = 1.3859.
  EXPECT_NEAR(c.low, std::tanh(std::atanh(0.7) - 1.959963984540054 / std::sqrt(2.0)), rounding);
  EXPECT_NEAR(c.high, std::tanh(std::atanh(0.7) + 1.959963984540054 / std::sqrt(2.0)), rounding);
}

TEST(Correlation, OfThreeInOrderHasTwoOfSixPermutationsAsFar) {
  const Correlation c = correlation(std::vector<double>{1, 2, 3}, std::vector<double>{10, 20, 30});
  EXPECT_EQ(c.pearson, 1);
  EXPECT_NEAR(c.exact_p, 2.0 / 6, rounding);
  EXPECT_TRUE(std::isnan(c.low)) << "three pairs give no interval";
}

TEST(Correlation, HasAnExactTestBelowEightPairsOnly) {
  std::vector<double> x, y;
  for (int i = 0; i < 8; ++i) x.push_back(i), y.push_back(i * i);
  EXPECT_LT(correlation(x, y).exact_p, 0);
  x.pop_back();
  EXPECT_NEAR(correlation(x, y).exact_p, 1.0 / 5040 * 1, 1.5 / 5040);
}

TEST(Correlation, SpearmanOnlySeesTheOrderAndTiesShareTheirRank) {
  const std::vector<double> x = {1, 2, 3, 4};
  EXPECT_NEAR(correlation(x, std::vector<double>{1, 10, 100, 1000}).spearman, 1, rounding);
  // Ranks 1.5 1.5 3 4 against 1 2 3 4: 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(correlation(x, std::vector<double>{5, 5, 6, 7}).spearman, 4.5 / std::sqrt(4.5 * 5), rounding);
}

TEST(Correlation, DoesNotChangeWithShiftAndScale) {
  const std::vector<double> x = {0.3, -1, 2.5, 4, 0, 9, 1, 2, 7}, y = {1, 2, 0, 5, 3, 8, -1, 2, 2};
  std::vector<double> moved = x;
  for (double& v : moved) v = 1e3 + 7 * v;
  const Correlation a = correlation(x, y), b = correlation(moved, y);
  EXPECT_NEAR(a.pearson, b.pearson, 1e-9);
  EXPECT_NEAR(a.spearman, b.spearman, rounding);
  EXPECT_NEAR(a.low, b.low, 1e-9);
}

TEST(Correlation, LeavesPairsOutThatLackANumber) {
  const double nan = std::nan("");
  const Correlation c = correlation(std::vector<double>{1, nan, 2, 3}, std::vector<double>{1, 5, nan, 3});
  EXPECT_EQ(c.n, 2);
}

TEST(Correlation, OfAConstantIsNoNumberAndSaysSo) {
  const Correlation c = correlation(std::vector<double>{1, 2, 3}, std::vector<double>{4, 4, 4});
  EXPECT_TRUE(std::isnan(c.pearson));
  EXPECT_NE(c.words().find("no correlation"), std::string::npos);
}

// t at 97.5 % with 3 degrees of freedom is 3.182; residual and spread by hand.
TEST(Correlation, TheBandIsNarrowestAtTheMean) {
  const Correlation c = correlation(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{2, 4, 5, 3, 6});
  EXPECT_NEAR(c.band(3), 3.182 * c.residual * std::sqrt(1.0 / 5), 0.01);
  EXPECT_GT(c.band(5), c.band(3));
  EXPECT_NEAR(c.band(1), c.band(5), rounding);
}

}  // namespace
}  // namespace varve
