// Saturation of a planted router against its own last and first steps.
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, SaturationCountsTheSharedExperts) {
  const Dataset series = run("router-saturation").result;
  expect_passed(series);
  // Layer 2 at step 10: token 7, three of 24 tokens, shares one of two experts with step 30.
  EXPECT_NEAR(value(series, "saturation", {0, 2}), (21 + 3 * 0.5) / 24, 1e-12);
  EXPECT_EQ(value(series, "saturation", {1, 2}), 1);
  EXPECT_EQ(value(series, "saturation", {0, 0}), 1);
  EXPECT_EQ(value(series, "saturation_n", {0, 2}), 24);
  EXPECT_NEAR(series["chance"].number(0), 2.0 / 6, 1e-12);
  const Dataset first = run("router-saturation", {{"reference", "10"}}).result;
  EXPECT_NEAR(value(first, "saturation", {2, 2}), (21 + 3 * 0.5) / 24, 1e-12);
  EXPECT_EQ(value(first, "saturation", {0, 2}), 1);
}

TEST_F(PlantedSeries, AReferenceThatIsNoStepIsRefused) {
  EXPECT_THROW(run("router-saturation", {{"reference", "11"}}), Error);
}

}  // namespace
}  // namespace varve
