// Axes: values and pixels are inverse, ticks are round and never touch, step 0 has its own slot.
#include "viz/draw/axes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace varve {
namespace {

const Measure six_a_letter = [](const std::string& text) { return 6.0 * static_cast<double>(text.size()); };

std::string labels(const std::vector<Tick>& ticks) {
  std::string all;
  for (const Tick& tick : ticks)
    if (!tick.label.empty()) all += (all.empty() ? "" : " ") + tick.label;
  return all;
}

TEST(LinearTicks, AreRoundNumbers) {
  EXPECT_EQ(labels(ticks_of(linear_scale(0, 1, 0, 500), 0, 500, six_a_letter)), "0 0.2 0.4 0.6 0.8 1");
  EXPECT_EQ(labels(ticks_of(linear_scale(0, 12, 0, 500), 0, 500, six_a_letter, true)), "0 2 4 6 8 10 12");
  EXPECT_EQ(labels(ticks_of(linear_scale(-1, 1, 0, 200), 0, 200, six_a_letter)), "−1 −0.5 0 0.5 1");
}

TEST(LinearTicks, NeverTouch) {
  for (const double pixels : {5.0, 20.0, 60.0, 120.0, 333.0, 2000.0})
    for (const double high : {1e-9, 0.37, 12.0, 143000.0, 3e12}) {
      const Scale scale = linear_scale(0, high, 0, pixels);
      const std::vector<Tick> ticks = ticks_of(scale, 0, pixels, six_a_letter);
      for (size_t i = 1; i < ticks.size(); ++i)
        EXPECT_GE(scale.pixel(ticks[i].value) - scale.pixel(ticks[i - 1].value),
                  (six_a_letter(ticks[i].label) + six_a_letter(ticks[i - 1].label)) / 2);
    }
}

TEST(StepAxis, HasASlotForZeroDecadesAndTheLastStep) {
  const std::vector<double> steps = {0, 1, 2, 512, 143000};
  const Scale scale = step_scale(steps, 0, 600);
  EXPECT_GE(scale.slot, 20);
  EXPECT_LE(scale.slot, 28);
  EXPECT_LT(scale.pixel(0), scale.pixel(1));
  EXPECT_DOUBLE_EQ(scale.pixel(1), scale.slot);
  EXPECT_DOUBLE_EQ(scale.pixel(143000), 600);
  EXPECT_EQ(labels(ticks_of(scale, 0, 600, six_a_letter, true, 4)), "0 1 10 100 1k 10k 143k");
}

TEST(StepAxis, WithoutStepZeroHasNoSlot) {
  const Scale scale = step_scale(std::vector<double>{1, 10}, 0, 100);
  EXPECT_EQ(scale.slot, 0);
  EXPECT_TRUE(std::isnan(scale.pixel(0)));
  EXPECT_TRUE(std::isnan(scale.pixel(-3)));
}

TEST(LogTicks, NameRoundNumbersWhereADecadeHasNone) {
  const Scale scale = log_scale(132000, 171000, 0, 400);
  const auto ticks = ticks_of(scale, 0, 400, [](const std::string& text) { return 6.0 * text.size(); });
  int64_t named = 0;
  for (const Tick& tick : ticks) {
    named += tick.label.empty() ? 0 : 1;
    EXPECT_GE(tick.value, 132000);
    EXPECT_LE(tick.value, 171000);
  }
  EXPECT_GE(named, 3);
}

TEST(Scales, PixelAndValueAreInverse) {
  const std::vector<double> steps = {0, 1, 143000};
  for (const Scale& scale : {linear_scale(-3, 9, 500, 10), log_scale(0.01, 50, 0, 300),
                             step_scale(steps, 0, 600), step_scale(steps, 400, 0)})
    for (const double v : {0.5, 1.0, 7.0}) {
      if (v < scale.low) continue;
      EXPECT_NEAR(scale.value(scale.pixel(v)), v, 1e-9 * v);
    }
  EXPECT_EQ(step_scale(steps, 0, 600).value(step_scale(steps, 0, 600).pixel(0)), 0);
}

TEST(Scales, MovingKeepsTheOriginWhereThePanPutsIt) {
  const Scale scale = linear_scale(0, 10, 100, 200).moved(50, 2, 5);
  EXPECT_DOUBLE_EQ(scale.pixel(0), 155);
  EXPECT_DOUBLE_EQ(scale.pixel(10), 355);
}

TEST(Scales, DegenerateRangesAreWidened) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Scale& scale :
       {linear_scale(3, 3, 0, 100), linear_scale(0, 0, 0, 100), linear_scale(-inf, inf, 0, 100),
        linear_scale(5, 1, 0, 100), log_scale(-1, 0, 0, 100), log_scale(4, 4, 0, 100), step_scale({}, 0, 100),
        step_scale(std::vector<double>{0}, 0, 100)}) {
    EXPECT_LT(scale.low, scale.high);
    ticks_of(scale, 0, 100, six_a_letter);
  }
}

TEST(ItemTicks, TakeEveryNthSoThatNamesFit) {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f", "g"};
  EXPECT_EQ(item_ticks(names, 20, six_a_letter).size(), 7u);
  EXPECT_EQ(labels(item_ticks(names, 7, six_a_letter)), "a c e g");
  EXPECT_TRUE(item_ticks({}, 7, six_a_letter).empty());
}

TEST(RoundedOut, WidensToTheNextRoundNumber) {
  EXPECT_EQ(rounded_out(0.3, 9.7), std::pair(0.0, 10.0));
  EXPECT_EQ(rounded_out(2, 12), std::pair(2.0, 12.0));
}

TEST(TickLabels, UseTheRealMinusAndNoMoreDigitsThanTheSpacing) {
  EXPECT_EQ(tick_label(-0.25, 0.05), "−0.25");
  EXPECT_EQ(tick_label(1e-20, 0.1), "0");
  EXPECT_EQ(tick_label(2e-4, 1e-4), "2e−4");
  EXPECT_EQ(tick_label(3, 1), "3");
}

TEST(ColorScale, PutsEndsAtEndsInLinearAndLog) {
  ColorScale scale;
  scale.map = &color_map("strata", Theme::light());
  scale.low = 2;
  scale.high = 6;
  EXPECT_DOUBLE_EQ(unit_of(scale, 4), 0.5);
  scale.log = true;
  scale.low = 1;
  scale.high = 100;
  EXPECT_DOUBLE_EQ(unit_of(scale, 10), 0.5);
  EXPECT_EQ(unit_of(scale, 0), 0);
}

}  // namespace
}  // namespace varve
