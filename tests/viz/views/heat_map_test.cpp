// The view "heat-map": heads make a grid, absent values have looks of their own, colours keep one scale.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/support/view_pictures.h"
#include "viz/map_slice.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;
using testing_support::heads_data;

TEST(HeadGrid, IsWhatHeadsOfAllLayersAreShownAs) {
  const Dataset heads = heads_data();
  EXPECT_EQ(best_view(heads)->name, "heat-map");
  Selection s;
  s.at = {{"step", 3}};
  const Dataset out = drawn_numbers("heat-map", heads, {{"array", "induction"}}, s);
  ASSERT_EQ(out["induction"].axes(), (std::vector<std::string>{"layer", "head"}));
  for (int64_t i = 0; i < 48; ++i)
    EXPECT_EQ(out["induction"].number(i), heads["induction"].number(3 * 48 + i));
  EXPECT_NE(draw_view("heat-map", heads, {{"array", "induction"}}, s).drawn.header.find("noise floor 0.0600"),
            std::string::npos);
}

TEST(HeadGrid, HasACourseInEachCellUnlessTurnedOff) {
  const Dataset heads = heads_data();
  EXPECT_NE(draw_view("heat-map", heads, {{"sparks", "true"}}).canvas->finish(),
            draw_view("heat-map", heads, {{"sparks", "false"}}).canvas->finish());
}

// Every state must look unlike the others and unlike the value, in cells of any size.
TEST(HeatMapStates, LookDifferentFromEachOther) {
  const double nan = std::nan("");
  for (const int64_t side : {3, 900}) {
    std::set<std::string> looks;
    for (const char* state : {"value", "missing", "bad", "not computed", "infinite"}) {
      const std::string what = state;
      const auto cells = static_cast<size_t>(side * side);
      std::vector<float> values(cells, what == "missing" ? static_cast<float>(nan) : 1.0F);
      if (what == "infinite") std::fill(values.begin(), values.end(), INFINITY);
      values[0] = 0;
      Dataset data;
      data.set("a", Array({"row", "column"}, {side, side}, values));
      if (what == "bad")
        data.set("audited_bad", Array({"row"}, {side}, std::vector<int64_t>(static_cast<size_t>(side), 1)));
      if (what == "not computed")
        data.set("computed", Array({"row"}, {side}, std::vector<int64_t>(static_cast<size_t>(side), 0)));
      looks.insert(draw_view("heat-map", data, {}, {}, {0, 0, 400, 300}).canvas->finish());
    }
    EXPECT_EQ(looks.size(), 5U) << side;
  }
}

TEST(HeatMapStates, AreNamedInTheTip) {
  Dataset data;
  data.set("a", Array({"layer", "step"}, {1, 3}, std::vector<double>{1, 2, 3}));
  data.set("audited_bad", Array({"step"}, {3}, std::vector<int64_t>{0, 1, 0}));
  data.set("computed", Array({"step"}, {3}, std::vector<int64_t>{1, 1, 0}));
  const auto picture = draw_view("heat-map", data, {{"array", "a"}});
  const auto words = [&](int64_t step) {
    Selection s;
    s.at = {{"layer", 0}, {"step", step}};
    const auto box = picture.drawn.where(s);
    const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
    return hit->tip[1].value;
  };
  EXPECT_EQ(words(0), "1");
  EXPECT_EQ(words(1), "audited bad, left out");
  EXPECT_EQ(words(2), "not computed yet");
}

TEST(HeatMapColours, OfR2SpanZeroToOneHoweverBadAFitIs) {
  Dataset data;
  Array r2({"layer", "model"}, {2, 2}, std::vector<double>{0.9, 0.4, -28, 0.7});
  r2.unit = "R2";
  data.set("r2", std::move(r2));
  const MapSlice slice = map_slice(data, "r2", "model", "layer", {}, {}, "robust", "auto");
  EXPECT_EQ(map_name("auto", slice.spread), "strata");
  const ColorScale scale = color_scale(Theme::light(), "strata", slice.spread, "R2", false);
  EXPECT_EQ(scale.low, 0);
  EXPECT_EQ(scale.high, 1);
  EXPECT_EQ(scale.below, 1) << "an arrow says that a value lies beneath";
}

TEST(HeatMapColours, KeepOneScaleWhileTheStepMoves) {
  Dataset data;
  data.set("a", Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{0, 1, 0, 10}));
  Selection first, last;
  first.at = {{"step", 0}};
  last.at = {{"step", 1}};
  Dataset alone;
  alone.set("a", data["a"].at("step", 0));
  // At step 0 the value 1 is a tenth of the way, not the end of the scale.
  EXPECT_NE(draw_view("heat-map", data, {{"sparks", "false"}}, first).canvas->finish(),
            draw_view("heat-map", alone, {{"sparks", "false"}}).canvas->finish());
}

TEST(HeatMap, LeavesPairsOfExpertsToTheMatrix) {
  Dataset pairs;
  pairs.set("lift", Array({"layer", "expert", "partner"}, {2, 3, 3}, std::vector<double>(18, 1)));
  EXPECT_EQ(best_view(pairs)->name, "matrix");
}

}  // namespace
}  // namespace varve
