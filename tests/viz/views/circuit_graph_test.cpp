// The picture of a circuit: which edges are kept, what differs between steps, and what a node says of itself.
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "viz/view.h"

namespace varve {
namespace {

// Two steps of a model of one layer and two heads; only the last step's logits read head 1.
Dataset circuit() {
  Dataset data;
  data.title = "Circuit";
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 100}));
  data.set_coord("src", Array({"src"}, {3}, std::vector<std::string>{"input", "a0.h0", "a0.h1"}));
  data.set_coord("dst", Array({"dst"}, {3}, std::vector<std::string>{"a0.h0<q>", "a0.h1<v>", "logits"}));
  data.set("scores", Array({"step", "src", "dst"}, {2, 3, 3},
                           std::vector<double>{3, 4, 0, 0, 0, 2, 0, 0, 0, 3, -4, 0.5, 0, 0, 2, 0, 0, -1}));
  return data;
}

Dataset drawn(const SettingValues& set, const Selection& selection = {}) {
  const View& view = views().get("circuit-graph");
  return view.drawn_data(circuit(), normalise(view.options, set, "view"), selection);
}

TEST(CircuitGraph, DrawsTheStrongestEdgesFirst) {
  const Dataset all = drawn({});
  ASSERT_EQ(all.extent("row"), 5);
  EXPECT_EQ(all["score"].number(0), -4);
  EXPECT_EQ(all["to"].text(0), "a0.h1<v>");
}

TEST(CircuitGraph, LeavesOutEdgesOnNoWayFromInputToLogits) {
  Selection first;
  first.at["step"] = 0;
  const Dataset all = drawn({}, first);
  ASSERT_EQ(all.extent("row"), 2) << "nothing reads head 1, so its input edge of 4 goes nowhere";
  EXPECT_EQ(all["score"].number(0), 3);
  // Of the strongest three at the end only those through head 0 join both ends.
  EXPECT_EQ(drawn({{"size", "3"}}).extent("row"), 2);
}

TEST(CircuitGraph, SetsTwoStepsAgainstEachOther) {
  const Dataset both = drawn({{"before", "0"}});
  ASSERT_EQ(both.extent("row"), 5);
  EXPECT_EQ(both["score_before"].number(0), 4);
  expect_error([] { drawn({{"before", "7"}}); }, {"circuit-graph", "before=7"});
}

TEST(CircuitGraph, ANodesCentreHitsItsHead) {
  const View& view = views().get("circuit-graph");
  const auto canvas = make_picture(PictureKind::png, 600, 400, 1, Theme::light().canvas);
  Look look;
  look.theme = &Theme::light();
  look.area = canvas->area();
  Selection selection;
  selection.at = {{"layer", 0}, {"head", 1}};
  const Drawn picture = view.draw(circuit(), normalise(view.options, {}, "view"), selection, look, *canvas);
  const auto box = picture.where(selection);
  ASSERT_TRUE(box.has_value());
  const auto hit = picture.hit({box->x + box->w / 2, box->y + box->h / 2});
  ASSERT_TRUE(hit.has_value());
  EXPECT_EQ(hit->at.at("head"), 1);
  EXPECT_EQ(hit->spoken, "L0H1: 1 edges in, 1 out");
}

}  // namespace
}  // namespace varve
