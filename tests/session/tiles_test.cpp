// The tree of tiles: what splitting, tabbing, closing and dragging do to it.
#include "app/session/tiles.h"

#include <gtest/gtest.h>

#include <random>

namespace varve {
namespace {

const Box whole{0, 0, 1000, 600};

Tile two() { return split_of(Tile::Kind::row, {group_of({1}), group_of({2})}, {0.5, 0.5}); }

double area_of(const Placed& placed) {
  double area = 0;
  for (const PlacedGroup& group : placed.groups) area += group.box.w * group.box.h;
  for (const Separator& line : placed.separators) area += line.box.w * line.box.h;
  return area;
}

TEST(Tiles, ARowSharesTheWidthAndLeavesTheGutter) {
  const Placed placed = place(two(), whole, 4);
  ASSERT_EQ(placed.groups.size(), 2U);
  EXPECT_EQ(placed.groups[0].box.w, 498);
  EXPECT_EQ(placed.groups[1].box.x, 502);
  EXPECT_EQ(placed.groups[1].box.w, 498);
  ASSERT_EQ(placed.separators.size(), 1U);
  EXPECT_EQ(placed.separators[0].box.x, 498);
}

TEST(Tiles, AnEdgeSplitsAndTheMiddleMakesATab) {
  Tile tile = two();
  insert(tile, 3, 2, Edge::bottom);
  EXPECT_EQ(place(tile, whole, 4).groups.size(), 3U);
  insert(tile, 4, 1, Edge::middle);
  const Placed placed = place(tile, whole, 4);
  ASSERT_EQ(placed.groups.size(), 3U);
  EXPECT_EQ(placed.groups[0].views, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(placed.groups[0].front, 4);
}

TEST(Tiles, ClosingGivesTheRoomBack) {
  Tile tile = two();
  remove(tile, 1);
  EXPECT_EQ(tile, group_of({2}));
  remove(tile, 2);
  EXPECT_TRUE(views_in(tile).empty());
  EXPECT_TRUE(place(tile, whole, 4).groups.empty());
}

TEST(Tiles, ClosingTheFrontTabShowsTheNext) {
  Tile tile = group_of({1, 2, 3});
  bring_forward(tile, 2);
  remove(tile, 2);
  EXPECT_EQ(tile.front, 3);
  remove(tile, 3);
  EXPECT_EQ(tile.front, 1);
}

TEST(Tiles, ARowInARowIsOneRow) {
  Tile tile = two();
  insert(tile, 3, 2, Edge::right);
  EXPECT_EQ(tile.parts.size(), 3U);
  EXPECT_DOUBLE_EQ(tile.shares[0], 0.5);
  EXPECT_DOUBLE_EQ(tile.shares[1], 0.25);
}

TEST(Tiles, ASeparatorStopsBeforeItHidesAPart) {
  Tile tile = two();
  const Separator line = place(tile, whole, 4).separators[0];
  drag(tile, line, 100, 80);
  EXPECT_NEAR(place(tile, whole, 4).groups[0].box.w, 598, 1);
  drag(tile, place(tile, whole, 4).separators[0], 10'000, 80);
  EXPECT_NEAR(place(tile, whole, 4).groups[1].box.w, 80, 1);
}

TEST(Tiles, APointsEdgeIsTheNearestOne) {
  EXPECT_EQ(edge_at(whole, {500, 300}), Edge::middle);
  EXPECT_EQ(edge_at(whole, {20, 300}), Edge::left);
  EXPECT_EQ(edge_at(whole, {990, 300}), Edge::right);
  EXPECT_EQ(edge_at(whole, {500, 10}), Edge::top);
  EXPECT_EQ(edge_at(whole, {500, 590}), Edge::bottom);
}

// A law: whatever is done, every view is placed once and the room is used to the last pixel.
TEST(Tiles, NoActLosesAViewOrLeavesAHole) {
  std::mt19937 random(7);
  const auto pick = [&random](int64_t below) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(below));
  };
  Tile tile = group_of({1});
  std::vector<int64_t> open{1};
  for (int64_t act = 2; act < 2000; ++act) {
    const auto edge = static_cast<Edge>(pick(5));
    if (pick(3) != 0 || open.size() < 2) {
      insert(tile, act, open[static_cast<size_t>(pick(static_cast<int64_t>(open.size())))], edge);
      open.push_back(act);
    } else {
      const auto at = open.begin() + pick(static_cast<int64_t>(open.size()));
      remove(tile, *at);
      open.erase(at);
    }
    if (open.size() > 12) {
      remove(tile, open.front());
      open.erase(open.begin());
    }
    const Placed placed = place(tile, whole, 4);
    if (!placed.separators.empty())
      drag(tile, placed.separators[static_cast<size_t>(pick(static_cast<int64_t>(placed.separators.size())))],
           static_cast<double>(pick(200) - 100), 40);
    std::vector<int64_t> placed_views = views_in(tile), expected = open;
    std::sort(placed_views.begin(), placed_views.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(placed_views, expected);
    ASSERT_NEAR(area_of(place(tile, whole, 4)), whole.w * whole.h, 1e-6);
  }
}

}  // namespace
}  // namespace varve
