// Pyramids give exactly the extremes that looking at every value gives.
#include "viz/draw/pyramid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "viz/draw/marks.h"

namespace varve {
namespace {

std::vector<double> noise(size_t n, uint64_t seed, double holes) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 30);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<double> values(n);
  for (double& v : values) v = unit(random) < holes ? std::nan("") : normal(random);
  return values;
}

TEST(Pyramid, FindsTheExtremesOfAnyStretch) {
  for (const double holes : {0.0, 0.001, 0.5}) {
    const std::vector<double> values = noise(30'000, 3, holes);
    const Pyramid pyramid(values);
    std::mt19937_64 random(5);
    for (int tries = 0; tries < 2000; ++tries) {
      size_t a = random() % values.size(), b = random() % (values.size() + 1);
      if (a > b) std::swap(a, b);
      const Pyramid::Extremes found = pyramid.over(a, b);
      bool has_value = false, has_hole = false;
      double low = 0, high = 0;
      for (size_t i = a; i < b; ++i) {
        if (std::isnan(values[i])) {
          has_hole = true;
          continue;
        }
        low = has_value ? std::min(low, values[i]) : values[i];
        high = has_value ? std::max(high, values[i]) : values[i];
        has_value = true;
      }
      ASSERT_EQ(found.has_value, has_value);
      ASSERT_EQ(found.has_hole, has_hole);
      if (!has_value) continue;
      ASSERT_EQ(values[found.low], low);
      ASSERT_EQ(values[found.high], high);
    }
  }
}

// The slow twin looks at every point.
TEST(Pyramid, ThinsALineAsLookingAtEveryPointDoes) {
  for (const double holes : {0.0, 0.0005, 0.2})
    for (const double width : {900.0, 37.5}) {
      const std::vector<double> values = noise(100'000, 11, holes);
      const auto x_of = [&](size_t i) { return 12.25 + width * static_cast<double>(i) / 1e5; };
      const auto y_of = [](double v) { return 300 - v; };
      std::vector<Point> points;
      for (size_t i = 0; i < values.size(); ++i) points.push_back({x_of(i), y_of(values[i])});
      for (const double pixel : {1.0, 0.5}) {
        const std::vector<Point> slow = thinned(points, pixel),
                                 quick = thinned(Pyramid(values), 0, values.size(), x_of, y_of, pixel);
        ASSERT_EQ(quick.size(), slow.size()) << holes << " " << width << " " << pixel;
        for (size_t i = 0; i < slow.size(); ++i) {
          if (std::isnan(slow[i].x) || std::isnan(slow[i].y)) {
            ASSERT_TRUE(std::isnan(quick[i].x) || std::isnan(quick[i].y)) << i;
            continue;
          }
          ASSERT_EQ(quick[i].x, slow[i].x) << i;
          ASSERT_EQ(quick[i].y, slow[i].y) << i;
        }
      }
    }
}

TEST(Pyramid, OfNothingThereIsNothing) {
  const Pyramid none;
  EXPECT_FALSE(none.over(0, 10).has_value);
  EXPECT_TRUE(thinned(
                  none, 0, 0, [](size_t) { return 0.0; }, [](double v) { return v; }, 1)
                  .empty());
}

}  // namespace
}  // namespace varve
