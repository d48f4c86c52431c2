// The best one-to-one match against trying all of them.
#include "analysis/pathways/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "tests/support/expect_error.h"

namespace varve {
namespace {

double sum_of(const std::vector<double>& score, int64_t columns, const std::vector<int64_t>& chosen) {
  double sum = 0;
  for (size_t row = 0; row < chosen.size(); ++row)
    if (chosen[row] >= 0) sum += score[row * static_cast<size_t>(columns) + static_cast<size_t>(chosen[row])];
  return sum;
}

double best_by_trying(const std::vector<double>& score, int64_t rows, int64_t columns) {
  std::vector<int64_t> order(static_cast<size_t>(std::max(rows, columns)));
  std::iota(order.begin(), order.end(), int64_t{0});
  double best = -1e300;
  do {
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row)
      if (order[static_cast<size_t>(row)] < columns)
        sum += score[static_cast<size_t>(row * columns + order[static_cast<size_t>(row)])];
    best = std::max(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Assignment, ASmallMatchIsAsOnPaper) {
  const std::vector<double> score{.9, .8, .1, .7, .2, .1, .3, .3, .6};
  EXPECT_EQ(best_assignment(score, 3, 3), (std::vector<int64_t>{1, 0, 2})) << ".8 + .7 + .6 beats .9 + ...";
}

TEST(Assignment, EqualsTryingAllMatchesAlsoWhereSidesDiffer) {
  std::mt19937_64 random(3);
  for (int64_t rows = 1; rows <= 6; ++rows)
    for (int64_t columns = 1; columns <= 6; ++columns)
      for (int trial = 0; trial < 5; ++trial) {
        std::vector<double> score;
        for (int64_t i = 0; i < rows * columns; ++i)
          score.push_back(static_cast<double>(random() % 2001) / 1000 - 1);
        const std::vector<int64_t> chosen = best_assignment(score, rows, columns);
        EXPECT_NEAR(sum_of(score, columns, chosen), best_by_trying(score, rows, columns), 1e-12);
        std::vector<int64_t> used;
        for (const int64_t column : chosen)
          if (column >= 0) used.push_back(column);
        EXPECT_EQ(static_cast<int64_t>(used.size()), std::min(rows, columns));
        std::sort(used.begin(), used.end());
        EXPECT_EQ(std::adjacent_find(used.begin(), used.end()), used.end()) << "one to one";
      }
}

TEST(Assignment, AMissingScoreIsAnError) {
  expect_error([] { best_assignment(std::vector<double>{1, NAN}, 1, 2); }, {"not finite"});
}

}  // namespace
}  // namespace varve
