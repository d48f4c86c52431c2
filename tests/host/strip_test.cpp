// A band is filled once everywhere: its triangles add up to it and lie beside each other.
#include "viz/host/strip.h"

#include <gtest/gtest.h>

#include <cmath>

namespace varve {
namespace {

std::vector<Point> wave(int count, double high) {
  std::vector<Point> outline;
  for (int i = 0; i < count; ++i) outline.push_back({i * 7.0, 40 + 30 * std::sin(i * 0.4)});
  for (int i = count; i-- > 0;) outline.push_back({i * 7.0, 40 + high + 30 * std::sin(i * 0.4)});
  return outline;
}

double signed_area(Point a, Point b, Point c) {
  return ((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)) / 2;
}

TEST(Strip, FillsWhatItsOutlineHoldsAndNothingTwice) {
  const std::vector<Point> outline = wave(25, 12);
  ASSERT_FALSE(is_convex(outline));
  const Strip strip = strip_of(outline);
  double weighted = 0;
  for (size_t i = 0; i < strip.triangles.size(); i += 3) {
    double solid = 0;
    Point p[3];
    for (size_t k = 0; k < 3; ++k) {
      const Strip::Corner& corner = strip.corners[strip.triangles[i + k]];
      p[k] = corner.at;
      solid += corner.is_solid ? 1.0 / 3 : 0;
    }
    const double area = signed_area(p[0], p[1], p[2]);
    EXPECT_GE(area, -1e-9) << "a triangle that is turned over lies on its neighbour";
    weighted += area * solid;
  }
  EXPECT_NEAR(weighted, 24 * 7 * 12, 24 * 7 * 12 * 0.002) << "24 pieces, 7 wide and 12 high";
}

TEST(Strip, StaysWithinAPixelOfAThinBand) {
  const Strip strip = strip_of(std::vector<Point>{{0, 10}, {50, 10}, {50, 10.4}, {0, 10.4}});
  for (const Strip::Corner& corner : strip.corners) {
    EXPECT_GE(corner.at.y, 9.4);
    EXPECT_LE(corner.at.y, 11);
  }
}

TEST(Strip, KnowsASquareFromAnArrow) {
  EXPECT_TRUE(is_convex(std::vector<Point>{{0, 0}, {4, 0}, {4, 4}, {0, 4}}));
  EXPECT_FALSE(is_convex(std::vector<Point>{{0, 0}, {4, 2}, {0, 4}, {1, 2}}));
}

}  // namespace
}  // namespace varve
