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

Dataset correlated() {
  Dataset data;
  const auto names = [](const char* axis, std::vector<std::string> all) {
    const auto count = static_cast<int64_t>(all.size());
    return Array({axis}, {count}, std::move(all));
  };
  data.set("metric_value",
           Array({"metric", "step"}, {2, 5}, std::vector<double>{9, 8, 7, 6, 5, 1, 2, 3, 4, 6}));
  data.set("score_value", Array({"score", "step"}, {1, 5}, std::vector<double>{NAN, 2, 4, 3, 5}));
  for (const char* name : {"pearson", "pearson_low", "pearson_high", "pearson_p", "spearman", "spearman_low",
                           "spearman_high", "spearman_p"})
    data.set(name, Array({"metric", "score"}, {2, 1}, std::vector<double>{-0.125, 0.75}));
  data.set("p_exact", Array({"metric", "score"}, {2, 1}, std::vector<int64_t>{1, 1}));
  data.set_coord("metric", names("metric", {"distance", "consistency"}));
  data.set_coord("score", names("score", {"accuracy"}));
  data.set_coord("step", Array({"step"}, {5}, std::vector<int64_t>{1, 2, 3, 4, 5}));
  return data;
}

TEST(Scatter, IsWhatACorrelationShowsFirstWithItsOwnIntervalAndN) {
  const Dataset data = correlated();
  EXPECT_EQ(best_view(data)->name, "scatter");
  const auto picture = draw_view("scatter", data, {{"at", "metric=1"}});
  EXPECT_NE(picture.drawn.header.find("n = 4"), std::string::npos) << picture.drawn.header;
  EXPECT_NE(picture.drawn.header.find("consistency"), std::string::npos) << picture.drawn.header;
  EXPECT_EQ(picture.drawn.caution, "n = 4 < 8");
  const Dataset out = drawn_numbers("scatter", data, {{"at", "metric=1"}});
  EXPECT_EQ(out["metric_value"].number(4), 6);
  EXPECT_NE(out.notes.back().find("n = 4, r = 0.750, 95 % bootstrap 0.750"), std::string::npos)
      << out.notes.back();
  Selection second;
  second.at = {{"metric", 1}};
  EXPECT_EQ(drawn_numbers("scatter", data, {}, second)["metric_value"].number(4), 6)
      << "a slider chooses too";
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
