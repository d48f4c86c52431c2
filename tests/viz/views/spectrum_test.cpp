// The view "spectrum": falling order, and how many values count.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;

constexpr double rounding = 1e-12;

Dataset values(std::vector<double> all, int64_t layers = 1) {
  const auto each = static_cast<int64_t>(all.size()) / layers;
  Dataset data;
  data.title = "Singular values";
  data.set("singular_values", Array({"layer", "rank"}, {layers, each}, std::move(all)));
  return data;
}

TEST(Spectrum, PutsValuesInFallingOrderAndKeepsTheirPlaces) {
  const Dataset out = drawn_numbers("spectrum", values({1, 3, 2}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(out["singular_values"].number(i), 3.0 - static_cast<double>(i));
  EXPECT_EQ(out["rank_index"].number(0), 1);
  EXPECT_EQ(out["rank_index"].number(2), 0);
  EXPECT_NEAR(out["share_up_to_here"].number(0), 9.0 / 14, rounding);
}

TEST(Spectrum, EqualValuesAllCountAndOneAloneCountsOnce) {
  EXPECT_NEAR(drawn_numbers("spectrum", values({2, 2, 2, 2}))["effective_rank"].number(0), 4, rounding);
  EXPECT_NEAR(drawn_numbers("spectrum", values({5, 0, 0, 0}))["effective_rank"].number(0), 1, rounding);
}

TEST(Spectrum, AScaleDoesNotChangeTheEffectiveRank) {
  EXPECT_NEAR(drawn_numbers("spectrum", values({4, 2, 1}))["effective_rank"].number(0),
              drawn_numbers("spectrum", values({400, 200, 100}))["effective_rank"].number(0), rounding);
}

TEST(Spectrum, APointHitsTheItemItStandsFor) {
  const Dataset data = values({1, 8, 2, 4, 5, 3, 2, 1, 6, 9}, 2);
  const auto picture = draw_view("spectrum", data, {{"series", "layer"}});
  Selection s;
  s.at = {{"layer", 1}, {"rank", 4}};
  const auto box = picture.drawn.where(s);
  ASSERT_TRUE(box);
  const auto hit = picture.drawn.hit({box->x + 4, box->y + 4});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->at.at("layer"), 1);
  EXPECT_EQ(hit->at.at("rank"), 4);
}

TEST(Spectrum, WhatIsNoNumberIsLeftOutAndSaid) {
  const Dataset data = values({1, std::nan(""), 2});
  EXPECT_NE(draw_view("spectrum", data).drawn.header.find("1 missing"), std::string::npos);
}

}  // namespace
}  // namespace varve
