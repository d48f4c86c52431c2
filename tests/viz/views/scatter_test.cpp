// The view "scatter": points are the places two arrays share, statistics say what they rest on.
#include <gtest/gtest.h>

#include "analysis/core/error.h"
#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;
using testing_support::heads_data;

TEST(Scatter, DrawsOnePointAHeadAtTheSelectedStep) {
  const Dataset heads = heads_data();
  Selection s;
  s.at = {{"step", 4}};
  const Dataset out = drawn_numbers("scatter", heads, {{"x", "induction"}, {"y", "copying"}}, s);
  ASSERT_EQ(out["induction"].axes(), (std::vector<std::string>{"layer", "head"}));
  for (int64_t i = 0; i < 48; ++i) {
    EXPECT_EQ(out["induction"].number(i), heads["induction"].number(4 * 48 + i));
    EXPECT_EQ(out["copying"].number(i), heads["copying"].number(4 * 48 + i));
  }
  EXPECT_EQ(out["n"].number(0), 48);
}

TEST(Scatter, APointHitsItself) {
  const Dataset heads = heads_data();
  const auto picture = draw_view("scatter", heads, {{"x", "induction"}, {"y", "copying"}});
  for (const int64_t layer : {0, 3, 5})
    for (const int64_t head : {0, 7}) {
      Selection s;
      s.at = {{"layer", layer}, {"head", head}};
      const auto box = picture.drawn.where(s);
      ASSERT_TRUE(box);
      const auto hit = picture.drawn.hit({box->x + 5, box->y + 5});
      ASSERT_TRUE(hit);
      EXPECT_EQ(hit->at.at("layer"), layer);
      EXPECT_EQ(hit->at.at("head"), head);
    }
}

TEST(Scatter, FewPointsCarryACaution) {
  Dataset few;
  few.set("a", Array({"step"}, {5}, std::vector<double>{1, 2, 3, 4, 5}));
  few.set("b", Array({"step"}, {5}, std::vector<double>{2, 4, 5, 3, 6}));
  EXPECT_EQ(draw_view("scatter", few).drawn.caution, "n = 5 < 8");
  EXPECT_TRUE(drawn_numbers("scatter", few).has("exact_p"));
  EXPECT_EQ(draw_view("scatter", heads_data()).drawn.caution, "");
}

TEST(Scatter, LeavesAuditedStepsOutAndSaysSo) {
  Dataset series;
  series.set("a", Array({"step"}, {4}, std::vector<double>{1, 2, 3, 400}));
  series.set("b", Array({"step"}, {4}, std::vector<double>{1, 3, 2, -9}));
  series.set("audited_bad", Array({"step"}, {4}, std::vector<int64_t>{0, 0, 0, 1}));
  EXPECT_EQ(drawn_numbers("scatter", series)["n"].number(0), 3);
  EXPECT_NE(draw_view("scatter", series).drawn.header.find("1 audited bad"), std::string::npos);
}

TEST(Scatter, ArraysThatShareNoAxisAreAUsageError) {
  Dataset data;
  data.set("a", Array({"layer"}, {2}, std::vector<double>{1, 2}));
  data.set("b", Array({"head"}, {2}, std::vector<double>{1, 2}));
  EXPECT_EQ(views().get("scatter").fit(data), 0);
  EXPECT_THROW(draw_view("scatter", data, {{"x", "a"}, {"y", "b"}}), Error);
}

}  // namespace
}  // namespace varve
