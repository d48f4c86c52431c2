// The view "distribution": every finite value is counted once, what is not counted is said.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "analysis/core/error.h"
#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;
using testing_support::heads_data;

TEST(Distribution, CountsEveryFiniteValueOnce) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Dataset data;
  data.set("a", Array({"pos"}, {7},
                      std::vector<double>{0, 1, 1, 2, nan, 4, std::numeric_limits<double>::infinity()}));
  const Dataset out = drawn_numbers("distribution", data, {{"bins", "4"}});
  const auto counts = out["count"].as<int64_t>();
  EXPECT_EQ(std::vector<int64_t>(counts.begin(), counts.end()), (std::vector<int64_t>{1, 2, 1, 1}));
  EXPECT_EQ(out["median"].number(0), 1);
  EXPECT_NE(draw_view("distribution", data).drawn.header.find("2 not drawn"), std::string::npos);
}

TEST(Distribution, SplitsByAnAxisWithoutLosingAValue) {
  const Dataset heads = heads_data();
  const Dataset out = drawn_numbers("distribution", heads, {{"array", "induction"}, {"by", "layer"}});
  const auto counts = out["count"].as<int64_t>();
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), 48) << "one step: the selected one";
  for (int64_t layer = 0; layer < 6; ++layer) EXPECT_EQ(out["n"].number(layer), 8);
}

TEST(Distribution, AShapeHitsItsItem) {
  const Dataset heads = heads_data();
  const auto picture = draw_view("distribution", heads, {{"array", "induction"}, {"by", "layer"}});
  for (int64_t layer = 0; layer < 6; ++layer) {
    Selection s;
    s.at = {{"layer", layer}};
    const auto box = picture.drawn.where(s);
    ASSERT_TRUE(box);
    const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->at.at("layer"), layer);
  }
}

TEST(Distribution, OnALogAxisLeavesOutWhatIsNotAboveZero) {
  Dataset data;
  data.set("a", Array({"pos"}, {4}, std::vector<double>{-1, 0, 1, 100}));
  EXPECT_EQ(drawn_numbers("distribution", data, {{"log", "true"}})["n"].number(0), 2);
}

TEST(Distribution, AnUnknownAxisIsAUsageError) {
  EXPECT_THROW(draw_view("distribution", heads_data(), {{"by", "laier"}}), Error);
}

}  // namespace
}  // namespace varve
