// Orders of a matrix: alike rows stand side by side, nothing is lost, equal ones stay where they are.
#include "viz/reorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace varve {
namespace {

TEST(Reorder, AlikeRowsStandSideBySide) {
  // Rows 0, 2, 4 are near 0, rows 1, 3, 5 near 10.
  const std::vector<double> values = {0, 0, 10, 10, 0.1, 0, 10, 10.2, 0, 0.2, 10.1, 10};
  const std::vector<int64_t> order = clustered(values, 6, 2);
  std::vector<int64_t> parity;
  for (const int64_t row : order) parity.push_back(row % 2);
  EXPECT_EQ(std::adjacent_find(parity.begin(), parity.end(), std::not_equal_to<>()) - parity.begin(), 2);
  EXPECT_EQ(parity.front(), parity[2]);
  EXPECT_EQ(parity[3], parity.back());
}

TEST(Reorder, IsAPermutationWhateverTheValues) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  std::vector<double> values(40 * 7);
  for (double& v : values) v = random() % 5 == 0 ? std::nan("") : normal(random);
  for (const auto& order : {clustered(values, 40, 7), by_value(values, 40, 7)}) {
    std::vector<int64_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (int64_t i = 0; i < 40; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  }
}

TEST(Reorder, DoesNotChangeWithShiftAndScale) {
  std::mt19937_64 random(9);
  std::normal_distribution<double> normal;
  std::vector<double> values(12 * 3), moved;
  for (double& v : values) v = normal(random);
  for (const double v : values) moved.push_back(64 * v + 8);
  EXPECT_EQ(clustered(values, 12, 3), clustered(moved, 12, 3));
  EXPECT_EQ(by_value(values, 12, 3), by_value(moved, 12, 3));
}

TEST(Reorder, ByValuePutsTheLargestMeanFirstAndHolesLast) {
  const std::vector<double> values = {1, 1, 5, 5, std::nan(""), std::nan(""), 3, 3};
  EXPECT_EQ(by_value(values, 4, 2), (std::vector<int64_t>{1, 3, 0, 2}));
}

TEST(Reorder, TwoRowsStayAsTheyAre) {
  EXPECT_EQ(clustered(std::vector<double>{9, 1}, 2, 1), (std::vector<int64_t>{0, 1}));
}

}  // namespace
}  // namespace varve
