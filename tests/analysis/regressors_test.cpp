// The small regressors: what each must learn, and that seeds decide everything random.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/fit/regression_tree.h"
#include "analysis/fit/regressors.h"
#include "tests/support/expect_error.h"

namespace varve {
namespace {

double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53 * 2 - 1; }

// Six features, of which two matter.
TrainingRows rows_of(size_t count, uint64_t seed, double (*target)(const Row&)) {
  std::mt19937_64 random(seed);
  TrainingRows rows;
  for (size_t i = 0; i < count; ++i) {
    Row row;
    for (int k = 0; k < 6; ++k) row.push_back(uniform(random) * (k == 0 ? 100 : 1));
    rows.targets.push_back(target(row));
    rows.features.push_back(std::move(row));
  }
  return rows;
}

double straight(const Row& row) { return 3 + 0.02 * row[0] - 2 * row[1]; }
double crooked(const Row& row) { return (row[0] > 0 ? 4.0 : 0.0) + (row[1] > 0.3 ? 2.0 : 0.0); }

double r2_on_new_rows(const std::string& kind, double (*target)(const Row&)) {
  const auto model = trained(kind, rows_of(160, 1, target), 7);
  const TrainingRows fresh = rows_of(100, 2, target);
  std::vector<double> predicted;
  for (const Row& row : fresh.features) predicted.push_back(model->predict(row));
  return r2_of(predicted, fresh.targets);
}

TEST(Regressors, LinearOnesLearnAStraightLawWhateverTheScales) {
  EXPECT_GT(r2_on_new_rows("ridge", straight), 0.9999);
  EXPECT_GT(r2_on_new_rows("lasso", straight), 0.999);
}

TEST(Regressors, EnsemblesLearnStepsThatLinesCannot) {
  EXPECT_GT(r2_on_new_rows("forest", crooked), 0.9);
  EXPECT_GT(r2_on_new_rows("boosting", crooked), 0.97);
  EXPECT_LT(r2_on_new_rows("ridge", crooked), 0.9);
}

TEST(Regressors, TheSeedDecidesEverythingRandom) {
  const TrainingRows rows = rows_of(60, 3, crooked);
  for (const std::string& kind : regressor_names()) {
    const Row probe = rows.features.front();
    EXPECT_EQ(trained(kind, rows, 1)->predict(probe), trained(kind, rows, 1)->predict(probe)) << kind;
  }
  Row probe(6, 0.1);
  EXPECT_NE(trained("forest", rows, 1)->predict(probe), trained("forest", rows, 2)->predict(probe));
}

TEST(Regressors, AConstantTargetIsPredictedExactly) {
  for (const std::string& kind : regressor_names())
    EXPECT_NEAR(trained(kind, rows_of(30, 4, [](const Row&) { return 5.5; }), 1)->predict(Row(6, 9)), 5.5,
                1e-12)
        << kind;
}

TEST(Regressors, TooFewRowsAndUnknownNamesAreRefused) {
  expect_error([] { trained("ridge", rows_of(4, 1, straight), 1); }, {"4 rows"});
  expect_error([] { trained("xgboost", rows_of(9, 1, straight), 1); }, {"xgboost", "boosting"});
}

TEST(RegressionTree, SplitsWhereTheErrorFallsMost) {
  TrainingRows rows{{{1}, {2}, {3}, {4}}, {10, 10, 20, 22}};
  std::mt19937_64 random(1);
  const RegressionTree stump(rows, {0, 1, 2, 3}, {1, 1, 0}, random);
  EXPECT_EQ(stump.predict({2.4}), 10);
  EXPECT_EQ(stump.predict({2.6}), 21);
}

TEST(R2, IsOneForTheTruthAndZeroForTheMean) {
  EXPECT_EQ(r2_of({1, 2, 3}, {1, 2, 3}), 1);
  EXPECT_EQ(r2_of({2, 2, 2}, {1, 2, 3}), 0);
  EXPECT_TRUE(std::isnan(r2_of({1, 2}, {5, 5})));
}

}  // namespace
}  // namespace varve
