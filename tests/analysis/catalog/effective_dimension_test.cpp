// The routing kernel and its effective dimension on cases that can be done by hand.
#include "analysis/pathways/routing_kernel.h"

#include <cmath>

#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST(EffectiveDimensionToy, AnIdentityKernelCountsEverySampleAlike) {
  const std::vector<double> identity{1, 0, 0, 0, 1, 0, 0, 0, 1};
  const EffectiveDimension found = effective_dimension(identity, 3, 0.5);
  EXPECT_NEAR(found.value, 3 / 1.5, 1e-12);
  EXPECT_NEAR(found.by_trace, found.value, 1e-12);
  const std::vector<double> one_direction(9, 1.0);  // rank one: eigenvalue 3, mean 1
  EXPECT_NEAR(effective_dimension(one_direction, 3, 0.5).value, 3 / 3.5, 1e-12);
}

TEST(EffectiveDimensionToy, AnExpertsKernelIsTheProductOfItsGradients) {
  // One hidden unit, w = (1, -1), a = 2: f(x) = 2 relu(x1 - x2).
  const ToyExperts experts{2, 1, {{1, -1}}, {{2}}};
  const std::vector<double> x{3, 1, 1, 2, 2, 0};
  const std::vector<double> kernel = expert_kernel(experts, 0, x, 3);
  // df/da = relu(w x) = 2, 0, 2; df/dw = 2 [w x > 0] x = (6, 2), (0, 0), (4, 0).
  EXPECT_NEAR(kernel[0], 2 * 2 + 36 + 4, 1e-12);
  EXPECT_NEAR(kernel[1], 0, 1e-12);
  EXPECT_NEAR(kernel[2], 2 * 2 + 24, 1e-12);
  const std::vector<double> gates{.5, .25, 1};
  EXPECT_NEAR(routing_kernel({kernel}, gates, 3)[2], .5 * 1 * 28, 1e-12);
}

TEST(EffectiveDimensionToy, TheRiskBoundOfAnIdentityKernelCanBeDoneByHand) {
  const std::vector<double> identity{1, 0, 0, 0, 1, 0, 0, 0, 1}, labels{1, -1, 2};
  const RiskBound bound = risk_bound(identity, effective_dimension(identity, 3, 0.5), labels, 0.2, 0.1);
  // (H + 0.5 I)^-1 y = y / 1.5 and |y|^2 = 6; d_eff = 2.
  EXPECT_NEAR(bound.bias, 0.25 / 3 * 6 / 2.25, 1e-12);
  EXPECT_NEAR(bound.variance, 0.04 * (2 + std::log(10)) / 3, 1e-12);
}

TEST_F(PlantedSeries, SharperRoutersSendSamplesFurtherApartAndUseMoreDirections) {
  const RunReport report =
      run("effective-dimension", {{"samples", "60"}, {"routers", "20"}, {"bootstrap", "100"}});
  expect_passed(report.result);
  EXPECT_TRUE(report.steps.empty());
  EXPECT_EQ(report.result["distance"].size(), 20);
  EXPECT_GT(report.result["dimension"].number(0), 0);
  EXPECT_LT(report.result["dimension"].number(0), 1);
  for (int64_t i = 0; i < 20; ++i)
    EXPECT_DOUBLE_EQ(report.result["risk_bound"].number(i),
                     report.result["risk_bias"].number(i) + report.result["risk_variance"].number(i));
  EXPECT_NE(report.result.notes.front().find("Pearson r = 0."), std::string::npos)
      << report.result.notes.front();
  EXPECT_TRUE(
      run("effective-dimension", {{"samples", "60"}, {"routers", "20"}, {"bootstrap", "100"}}).reduce_cached);
}

}  // namespace
}  // namespace varve
