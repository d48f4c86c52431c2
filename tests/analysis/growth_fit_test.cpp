// The five-parameter fit: golden numbers, honest intervals, honest refusals.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "analysis/fit/growth_fit.h"
#include "analysis/fit/lambert.h"
#include "analysis/fit/rivals.h"

namespace varve {
namespace {

const GrowthCurve golden{500, 0.05, 2e-4, 1, 30};

// As published series have them: 0, powers of two, every thousand.
std::vector<double> pythia_steps() {
  std::vector<double> steps = {0};
  for (double step = 1; step <= 512; step *= 2) steps.push_back(step);
  for (double step = 1000; step <= 143000; step += 1000) steps.push_back(step);
  return steps;
}

std::vector<double> values_of(const GrowthCurve& curve, const std::vector<double>& steps) {
  std::vector<double> values;
  for (const double step : steps) values.push_back(curve(step));
  return values;
}

TEST(Lambert, GivesThePrintedValues) {
  EXPECT_NEAR(lambert_w(10), 1.7455280, 1e-7);
  EXPECT_NEAR(lambert_w(2), 0.8526055, 1e-7);
  EXPECT_NEAR(lambert_w(50), 2.8608902, 1e-7);
}

TEST(Lambert, InvertsItsEquation) {
  for (double x = 1e-8; x < 1e12; x *= 3.7) {
    const double w = lambert_w(x);
    EXPECT_NEAR(w + std::log(w), std::log(x), 1e-12 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  EXPECT_TRUE(std::isnan(lambert_w(0)));
  EXPECT_TRUE(std::isnan(lambert_w(-0.1)));
}

TEST(GrowthCurve, HasTheValuesAndPeaksOfTheReference) {
  EXPECT_NEAR(golden(0), 30, 1e-9);
  EXPECT_NEAR(golden(1000), 115.851988, 1e-6);
  EXPECT_NEAR(golden(20000), 656.715753, 1e-6);
  EXPECT_NEAR(golden(143000), 415.592562, 1e-6);
  EXPECT_NEAR(turning_step(0.05, 2e-4, 1), 40351.4065, 1e-4);
  EXPECT_NEAR(golden(turning_step(0.05, 2e-4, 1)), 730.520079, 1e-6);
  EXPECT_NEAR(turning_step(0.1, 5e-4, 1), 9457.851, 1e-3);
  EXPECT_NEAR(turning_step(2, 5e-4, 2), -1156.94, 1e-2);
}

TEST(GrowthCurve, TheReparametrisedFormIsTheSameCurve) {
  const LinearGrowth form = linear(golden);
  EXPECT_NEAR(form.beta, 1e-5, 1e-15);
  EXPECT_NEAR(form.tau, 5000, 1e-9);
  EXPECT_NEAR(form.A1, 475.614712, 1e-6);
  EXPECT_NEAR(form.A2, -4050.902389, 1e-6);
  const GrowthCurve back = plain(form);
  for (size_t k = 0; k < 5; ++k)
    EXPECT_NEAR(in_a_row(back)[k] / in_a_row(golden)[k], 1, 1e-12) << growth_names[k];
}

TEST(GrowthCurve, TheGradientIsTheLimitOfDifferences) {
  const double step = 20000;
  const std::array<double, 5> gradient = growth_gradient(golden, step), row = in_a_row(golden);
  for (size_t k = 0; k < 5; ++k) {
    std::array<double, 5> up = row, down = row;
    const double by = 1e-5 * row[k];
    up[k] += by;
    down[k] -= by;
    const double difference = (from_a_row(up)(step) - from_a_row(down)(step)) / (2 * by);
    EXPECT_NEAR(gradient[k] / difference, 1, 1e-7) << growth_names[k];
  }
}

TEST(GrowthCurve, MapsBackExactlyFromNormalisedData) {
  const double steps = 143000, floor = 12, range = 700;
  const GrowthCurve normal{golden.A / range, golden.lambda, golden.gamma * steps, golden.t0,
                           (golden.K - floor) / range};
  const GrowthCurve back = mapped_back(normal, steps, floor, range);
  for (const double step : {0.0, 1000.0, 143000.0}) {
    EXPECT_NEAR(back(step), golden(step), 1e-9);
    EXPECT_NEAR(floor + range * normal(step / steps), golden(step), 1e-9);
  }
}

TEST(GrowthFit, RecoversExactSamples) {
  const std::vector<double> steps = pythia_steps();
  const GrowthFit fit = fit_growth(steps, values_of(golden, steps));
  ASSERT_TRUE(fit.fitted()) << fit.refusal;
  for (size_t k = 0; k < 5; ++k)
    EXPECT_NEAR(in_a_row(fit.curve)[k] / in_a_row(golden)[k], 1, 1e-6) << growth_names[k];
  EXPECT_NEAR(fit.peak_step, 40351.4, 0.1);
  EXPECT_NEAR(fit.r2, 1, 1e-12);
  EXPECT_EQ(fit.kind, GrowthClass::early_peak);
  EXPECT_FALSE(fit.at_bound);
}

// The published promise is 200 seeds; the day's test takes the first 40 of them.
TEST(GrowthFit, BootstrapIntervalsCoverTheTruth) {
  const int seeds = std::getenv("VARVE_NIGHTLY") ? 200 : 40;
  constexpr double noise = 0.05;
  const std::vector<double> steps = pythia_steps(), exact = values_of(golden, steps);
  std::array<int, 6> inside{};
  for (int seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random(static_cast<uint64_t>(seed));
    std::normal_distribution<double> normal;
    std::vector<double> values = exact;
    for (double& v : values) v *= 1 + noise * normal(random);
    const GrowthFit fit = fit_growth(steps, values);
    ASSERT_TRUE(fit.fitted()) << fit.refusal;
    const GrowthIntervals intervals = growth_intervals(fit, steps, values, 200, static_cast<uint64_t>(seed));
    for (size_t k = 0; k < 5; ++k)
      inside[k] += in_a_row(golden)[k] >= intervals.parameters[k].low &&
                   in_a_row(golden)[k] <= intervals.parameters[k].high;
    inside[5] += 40351.4 >= intervals.peak_step.low && 40351.4 <= intervals.peak_step.high;
  }
  for (size_t k = 0; k < 6; ++k) EXPECT_GE(inside[k], 0.9 * seeds) << (k < 5 ? growth_names[k] : "peak step");
}

TEST(GrowthFit, ScalesWithStepsAndValues) {
  const std::vector<double> steps = pythia_steps();
  std::vector<double> values = values_of(golden, steps), other_steps, other_values;
  for (size_t i = 0; i < steps.size(); ++i) {
    values[i] += 9 * std::sin(static_cast<double>(i));  // so that the least squares is not zero
    other_steps.push_back(4 * steps[i]);
    other_values.push_back(0.5 * values[i] - 7);
  }
  const GrowthFit fit = fit_growth(steps, values), other = fit_growth(other_steps, other_values);
  EXPECT_NEAR(other.r2, fit.r2, 1e-9);
  EXPECT_NEAR(other.peak_step / fit.peak_step, 4, 1e-4);
  EXPECT_NEAR(other.curve.A / fit.curve.A, 0.5, 1e-4);
  EXPECT_NEAR(other.curve.lambda / fit.curve.lambda, 1, 1e-4);
}

TEST(GrowthFit, KnowsARiseThatHasNotPeaked) {
  std::vector<double> steps = pythia_steps();
  std::erase_if(steps, [](double step) { return step > 30000; });
  const GrowthFit fit = fit_growth(steps, values_of(golden, steps));
  EXPECT_EQ(fit.kind, GrowthClass::log_increase);
  EXPECT_GT(fit.peak_step, 30000);
}

// A limit of the curve: followed without a parameter that runs away.
TEST(GrowthFit, FollowsAPlainExponential) {
  const std::vector<double> steps = pythia_steps();
  std::vector<double> values;
  for (const double step : steps) values.push_back(200 * (1 - std::exp(-step / 50000)) + 3);
  const GrowthFit fit = fit_growth(steps, values);
  ASSERT_TRUE(fit.fitted()) << fit.refusal;
  EXPECT_GT(fit.r2, 0.9999);
  for (const double v : in_a_row(fit.curve)) EXPECT_TRUE(std::isfinite(v));
}

TEST(GrowthFit, CallsAFallOther) {
  const std::vector<double> steps = pythia_steps();
  const GrowthFit fit = fit_growth(steps, values_of({-500, 0.01, 2e-5, 1, 900}, steps));
  ASSERT_TRUE(fit.fitted());
  EXPECT_EQ(fit.kind, GrowthClass::other);
  EXPECT_TRUE(std::isnan(fit.peak_step));
}

TEST(GrowthFit, SaysWhyThereAreNoNumbers) {
  const std::vector<double> few = {0, 1, 2, 3, 4, 5, 6};
  const GrowthFit short_one = fit_growth(few, values_of(golden, few));
  EXPECT_NE(short_one.refusal.find("7 points"), std::string::npos) << short_one.refusal;
  EXPECT_EQ(short_one.kind, GrowthClass::none);

  const std::vector<double> steps = pythia_steps();
  const GrowthFit constant = fit_growth(steps, std::vector<double>(steps.size(), 7.25));
  EXPECT_NE(constant.refusal.find("flat"), std::string::npos) << constant.refusal;

  std::vector<double> with_gaps(steps.size(), std::nan(""));
  for (size_t i = 0; i < 6; ++i) with_gaps[i * 20] = static_cast<double>(i);
  EXPECT_NE(fit_growth(steps, with_gaps).refusal.find("6 points"), std::string::npos);
  const GrowthIntervals none = growth_intervals(constant, steps, with_gaps, 200, 0);
  EXPECT_TRUE(std::isnan(none.parameters[0].low));
}

// Pure noise has no growth in it: at most now and then does AIC prefer five parameters to one.
TEST(GrowthFit, RefusesMostSeriesOfNoise) {
  const std::vector<double> steps = pythia_steps();
  int refused = 0;
  constexpr int seeds = 20;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values;
    for (size_t i = 0; i < steps.size(); ++i) values.push_back(50 + normal(random));
    refused += fit_growth(steps, values).fitted() ? 0 : 1;
  }
  EXPECT_GE(refused, seeds / 2);
}

TEST(Rivals, AreToldApartByAic) {
  const std::vector<double> steps = pythia_steps();
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> ours, step_one, step_two;
  for (const double step : steps) {
    ours.push_back(golden(step) + 5 * normal(random));
    step_one.push_back(80 * (1 - std::exp(-step / 9000)) + normal(random));
    step_two.push_back(80 * second_order_step(step, 2e-4, 0.4) + normal(random));
  }
  const std::array<RivalFit, 3> against_ours = fit_rivals(steps, ours);
  for (const RivalFit& rival : against_ours) EXPECT_GT(rival.aic, fit_growth(steps, ours).aic + 10);
  EXPECT_LT(fit_rivals(steps, step_one)[0].aic, fit_growth(steps, step_one).aic);
  const std::array<RivalFit, 3> damped = fit_rivals(steps, step_two);
  EXPECT_LT(damped[1].aic, damped[0].aic - 10);
  EXPECT_LT(damped[1].aic, fit_growth(steps, step_two).aic - 10);
  EXPECT_GT(damped[1].r2, 0.98);
}

TEST(Rivals, TheStepResponseIsSmoothThroughCriticalDamping) {
  for (const double t : {0.1, 1.0, 5.0}) {
    EXPECT_NEAR(second_order_step(t, 2, 1 - 1e-4), second_order_step(t, 2, 1), 1e-3);
    EXPECT_NEAR(second_order_step(t, 2, 1 + 1e-4), second_order_step(t, 2, 1), 1e-3);
  }
}

}  // namespace
}  // namespace varve
