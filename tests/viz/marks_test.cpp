// Marks: thinning keeps extremes exactly, absent values look different from each other and from all values.
#include "viz/draw/marks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

namespace varve {
namespace {

using Extremes = std::map<double, std::pair<double, double>>;
Extremes extremes_of(const std::vector<Point>& points, double pixel) {
  Extremes all;
  for (const Point& p : points) {
    if (std::isnan(p.x) || std::isnan(p.y)) continue;
    const auto [place, is_new] = all.try_emplace(std::floor(p.x / pixel), p.y, p.y);
    place->second = {std::min(place->second.first, p.y), std::max(place->second.second, p.y)};
  }
  return all;
}

TEST(Thinned, KeepsTheLowestAndHighestOfEveryPixelColumn) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> noise(0, 30);
  std::vector<Point> points;
  for (int i = 0; i < 1'000'000; ++i)
    points.push_back({800.0 * i / 1e6, i % 999 == 0 ? std::nan("") : noise(random)});
  for (const double pixel : {1.0, 0.5}) {
    const std::vector<Point> thin = thinned(points, pixel);
    EXPECT_EQ(extremes_of(thin, pixel), extremes_of(points, pixel));
    EXPECT_LT(thin.size(), 20'000u);
  }
}

TEST(Thinned, LeavesAFewPointsAsTheyAre) {
  const std::vector<Point> points = {{0, 1}, {5, 2}, {9, 3}};
  const std::vector<Point> thin = thinned(points, 1);
  ASSERT_EQ(thin.size(), 3u);
  EXPECT_EQ(thin[1].y, 2);
  EXPECT_TRUE(thinned({}, 1).empty());
}

TEST(Thinned, KeepsAHoleAsOneBreak) {
  const double nan = std::nan("");
  const std::vector<Point> points = {{nan, nan}, {0, 1}, {1, nan}, {2, nan}, {3, 4}};
  const std::vector<Point> thin = thinned(points, 1);
  ASSERT_EQ(thin.size(), 3u);
  EXPECT_TRUE(std::isnan(thin[1].y));
}

TEST(Absent, FourStatesHaveFourLooks) {
  std::set<std::string> looks;
  for (const Absent what : {Absent::missing, Absent::bad, Absent::not_computed, Absent::not_finite}) {
    const auto canvas = make_picture(PictureKind::png, 30, 20, 1, Theme::light().canvas);
    draw_absent(*canvas, Theme::light(), {2, 2, 24, 16}, what);
    looks.insert(canvas->finish());
  }
  EXPECT_EQ(looks.size(), 4u);
}

TEST(Cells, SharedPixelsShowTheLargestAndSayHowManyThereAre) {
  const auto canvas = make_picture(PictureKind::png, 10, 10, 1, Theme::light().canvas);
  CellGrid grid;
  for (int i = 0; i <= 100; ++i) {
    grid.row_edges.push_back(i * 0.1);
    grid.column_edges.push_back(i * 0.1);
  }
  double largest_seen = -1;
  grid.value = [](int64_t row, int64_t column) { return row == 37 && column == 58 ? 9.0 : 1.0; };
  grid.color = [&largest_seen](double v) {
    largest_seen = std::max(largest_seen, v);
    return Color{};
  };
  EXPECT_GE(draw_cells(*canvas, Theme::light(), {0, 0, 10, 10}, grid), 100);
  EXPECT_EQ(largest_seen, 9);
}

TEST(Cells, WithRoomEveryCellIsDrawnOnce) {
  const auto canvas = make_picture(PictureKind::png, 100, 100, 1, Theme::light().canvas);
  CellGrid grid;
  grid.row_edges = {0, 50, 100};
  grid.column_edges = {0, 30, 60, 90};
  std::vector<double> seen;
  grid.value = [](int64_t row, int64_t column) { return static_cast<double>(row * 3 + column); };
  grid.color = [&seen](double v) {
    seen.push_back(v);
    return Color{};
  };
  EXPECT_EQ(draw_cells(*canvas, Theme::light(), {0, 0, 100, 100}, grid), 1);
  EXPECT_EQ(seen, (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace varve
