// Statistics: quantiles on paper, and laws of the cluster bootstrap.
#include "analysis/core/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t samples = 2000;

TEST(Quantile, InterpolatesBetweenNeighbours) {
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(quantile({10, 20}, 0.25), 12.5);
  EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(quantile({7}, 0.3), 7);
}

TEST(Quantile, LeavesNanOut) {
  EXPECT_EQ(quantile({nan_value, 1, nan_value, 3}, 0.5), 2);
  EXPECT_TRUE(std::isnan(quantile({nan_value}, 0.5)));
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Quantile, OfInfinitiesIsInfinite) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(quantile({1, inf, inf}, 0.75), inf);
  EXPECT_EQ(quantile({1, 2, inf}, 0), 1);
}

TEST(Quantile, RefusesWhatIsNoShare) {
  EXPECT_THROW(quantile({1}, -0.1), Error);
  EXPECT_THROW(quantile({1}, 1.5), Error);
  EXPECT_THROW(quantile({1}, nan_value), Error);
}

TEST(BootstrapMean, CountsFiniteValuesOnly) {
  const std::vector<double> values = {1, nan_value, 3, std::numeric_limits<double>::infinity()};
  const std::vector<int64_t> cluster = {0, 0, 1, 2};
  const Estimate estimate = bootstrap_mean(values, cluster, samples, 1);
  EXPECT_EQ(estimate.n, 2);
  EXPECT_EQ(estimate.value, 2);
  EXPECT_EQ(estimate.low, 1);
  EXPECT_EQ(estimate.high, 3);
}

TEST(BootstrapMean, OneClusterHasNoInterval) {
  const std::vector<double> values = {1, 2, 3};
  const std::vector<int64_t> cluster = {4, 4, 4};
  const Estimate estimate = bootstrap_mean(values, cluster, samples, 1);
  EXPECT_EQ(estimate.value, 2);
  EXPECT_EQ(estimate.n, 3);
  EXPECT_TRUE(std::isnan(estimate.low));
  EXPECT_TRUE(std::isnan(estimate.high));
}

TEST(BootstrapMean, OfNothingIsNan) {
  const Estimate estimate = bootstrap_mean({}, {}, samples, 1);
  EXPECT_EQ(estimate.n, 0);
  EXPECT_TRUE(std::isnan(estimate.value));
  EXPECT_TRUE(std::isnan(estimate.low));
}

TEST(BootstrapMean, RefusesUnequalLengthsAndNoSamples) {
  const std::vector<double> values = {1, 2};
  const std::vector<int64_t> cluster = {1};
  EXPECT_THROW(bootstrap_mean(values, cluster, samples, 1), Error);
  EXPECT_THROW(bootstrap_mean({}, {}, 0, 1), Error);
}

struct Sample {
  std::vector<double> values;
  std::vector<int64_t> cluster;
};

// Eight prompts of 32 positions; a prompt's positions share most of their deviation.
Sample prompts() {
  Sample sample;
  std::mt19937_64 random(7);
  const auto uniform = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  for (int64_t prompt = 0; prompt < 8; ++prompt) {
    const double shared = uniform();
    for (int pos = 0; pos < 32; ++pos) {
      sample.values.push_back(shared + 0.01 * uniform());
      sample.cluster.push_back(prompt);
    }
  }
  return sample;
}

TEST(BootstrapMean, ASeedGivesTheSameBits) {
  const Sample sample = prompts();
  const Estimate a = bootstrap_mean(sample.values, sample.cluster, samples, 3);
  const Estimate b = bootstrap_mean(sample.values, sample.cluster, samples, 3);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
}

TEST(BootstrapMean, HoldsItsMeanInsideTheInterval) {
  const Sample sample = prompts();
  const Estimate estimate = bootstrap_mean(sample.values, sample.cluster, samples, 3);
  EXPECT_LT(estimate.low, estimate.value);
  EXPECT_GT(estimate.high, estimate.value);
}

TEST(BootstrapMean, ScalesAndShiftsWithItsValues) {
  const Sample sample = prompts();
  std::vector<double> moved;
  for (double value : sample.values) moved.push_back(4 * value + 100);
  const Estimate a = bootstrap_mean(sample.values, sample.cluster, samples, 3);
  const Estimate b = bootstrap_mean(moved, sample.cluster, samples, 3);
  constexpr double rounding = 1e-11;  // sums of 256 doubles near 100
  EXPECT_NEAR(b.value, 4 * a.value + 100, rounding);
  EXPECT_NEAR(b.low, 4 * a.low + 100, rounding);
  EXPECT_NEAR(b.high, 4 * a.high + 100, rounding);
}

TEST(BootstrapMean, DoesNotTakePositionsOfOnePromptForIndependent) {
  const Sample sample = prompts();
  std::vector<int64_t> each_its_own;
  for (size_t i = 0; i < sample.values.size(); ++i) each_its_own.push_back(static_cast<int64_t>(i));
  const Estimate clustered = bootstrap_mean(sample.values, sample.cluster, samples, 3);
  const Estimate naive = bootstrap_mean(sample.values, each_its_own, samples, 3);
  // With 32 positions that move together the true interval is about sqrt(32) = 5.7 times the naive one.
  EXPECT_GT(clustered.high - clustered.low, 3 * (naive.high - naive.low));
}

}  // namespace
}  // namespace varve
