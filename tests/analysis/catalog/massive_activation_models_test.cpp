// Several models side by side: sorted by size, empty where a model has no such layer.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/massive/growth_models.h"
#include "tests/support/expect_error.h"
#include "tests/support/planted_growth.h"

namespace varve {
namespace {

TEST(MassiveActivationModels, AreSortedBySizeAndKeepTheirOwnLayers) {
  const Dataset small = planted::fit_of(2, 64, 4), large = planted::fit_of(4, 512, 8);
  const Dataset both = compare_growth({{"large", &large}, {"small", &small}}, "ratio");
  EXPECT_EQ(both.coord("model")->text(0), "small");
  EXPECT_EQ(both["final_ratio"].number(0), 30);  // layer 1 at the second step
  EXPECT_EQ(both["final_layer"].number(1), 3);
  EXPECT_EQ(both["parameters"].number(1), 12.0 * 4 * 512 * 512);
  EXPECT_EQ(both["peak_step"].number(1), 40000);
  EXPECT_TRUE(std::isnan(both["peak_step"].number(2)));
  EXPECT_NEAR(both["r2"].number(7), 0.98, 1e-12);
}

TEST(MassiveActivationModels, WhatIsNoFitIsRefusedByName) {
  const Dataset nothing;
  expect_error([&] { compare_growth({{"pythia", &nothing}}, "ratio"); }, {"pythia", "ratio"});
}

}  // namespace
}  // namespace varve
