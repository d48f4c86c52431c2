// The view "small-multiples": one plot an item, all on one scale, each value where it belongs.
#include <gtest/gtest.h>

#include "analysis/core/error.h"
#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::attention_weights;
using testing_support::draw_view;
using testing_support::drawn_numbers;
using testing_support::heads_data;

TEST(SmallMultiples, ExportEachPanelsValues) {
  const Dataset heads = heads_data();
  Selection s;
  s.at = {{"layer", 2}};
  const Dataset out = drawn_numbers("small-multiples", heads, {{"array", "induction"}, {"panel", "head"}}, s);
  const int64_t steps = heads.extent("step");
  ASSERT_EQ(out["induction"].axes(), (std::vector<std::string>{"head", "step"}));
  for (int64_t head = 0; head < 8; ++head)
    for (int64_t step = 0; step < steps; ++step)
      EXPECT_EQ(out["induction"].number(head * steps + step),
                heads["induction"].number((step * 6 + 2) * 8 + head));
  EXPECT_TRUE(out.has("induction_low"));
}

TEST(SmallMultiples, APanelHitsItsItem) {
  const Dataset heads = heads_data();
  for (const SettingValues& options :
       {SettingValues{{"array", "induction"}, {"panel", "head"}},
        SettingValues{{"array", "induction"}, {"panel", "head"}, {"y", "layer"}}}) {
    const auto picture = draw_view("small-multiples", heads, options);
    for (int64_t head = 0; head < 8; ++head) {
      Selection s;
      s.at = {{"head", head}};
      const auto box = picture.drawn.where(s);
      ASSERT_TRUE(box);
      const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
      ASSERT_TRUE(hit);
      EXPECT_EQ(hit->at.at("head"), head);
    }
  }
}

TEST(SmallMultiples, PatternsAreMapsByThemselves) {
  const Dataset out = drawn_numbers("small-multiples", attention_weights());
  EXPECT_EQ(out["pattern"].axes(), (std::vector<std::string>{"head", "query", "key"}));
}

TEST(SmallMultiples, ThreeAxesAreThree) {
  EXPECT_THROW(draw_view("small-multiples", heads_data(), {{"panel", "head"}, {"x", "head"}}), Error);
  EXPECT_THROW(draw_view("small-multiples", heads_data(), {{"panel", "hed"}}), Error);
}

}  // namespace
}  // namespace varve
