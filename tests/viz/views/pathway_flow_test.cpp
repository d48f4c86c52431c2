// Streams of samples: their counts, an order without needless crossings, and marks that say what they are.
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "viz/alluvium.h"
#include "viz/pick.h"
#include "viz/view.h"

namespace varve {
namespace {

TEST(Alluvium, CountsEverySampleOnceBetweenTwoColumns) {
  const Alluvium flow = alluvium_of({{0, 0, 1, 1}, {5, 5, 5, 7}}, {0, 1, 0, 1}, 2, 8);
  EXPECT_EQ(flow.samples, 4);
  int64_t all = 0;
  for (const FlowRibbon& ribbon : flow.ribbons[0]) all += ribbon.count;
  EXPECT_EQ(all, 4);
  ASSERT_EQ(flow.columns[1].size(), 2U);
  EXPECT_EQ(flow.columns[1][0].item, 5);
  EXPECT_EQ(flow.columns[1][0].total, 3);
  EXPECT_EQ(flow.columns[1][0].counts, (std::vector<int64_t>{2, 1}));
}

TEST(Alluvium, CliquesThatAreNumberedCrosswiseDoNotCross) {
  // Experts 0 and 1 lead to 1 and 0, and those to 0 and 1 again.
  std::vector<std::vector<int64_t>> items(3);
  std::vector<int64_t> groups;
  for (int64_t i = 0; i < 20; ++i) {
    items[0].push_back(i % 2);
    items[1].push_back(1 - i % 2);
    items[2].push_back(i % 2);
    groups.push_back(i % 2);
  }
  EXPECT_EQ(alluvium_of(items, groups, 2, 8).crossings, 0);
}

TEST(Alluvium, SmallNodesArePutTogetherAndAbsentSamplesLeftOut) {
  const Alluvium flow = alluvium_of({{0, 0, 0, 1, 1, 2, 3, -1}}, {0, 0, 0, 0, 0, 0, 0, 0}, 1, 2);
  ASSERT_EQ(flow.columns[0].size(), 3U);
  EXPECT_EQ(flow.columns[0].back().item, other_node);
  EXPECT_EQ(flow.columns[0].back().total, 2);
}

Dataset flows() {
  Dataset data;
  data.title = "Pathways";
  // [step, layer, prompt]
  Array first({"step", "layer", "prompt"}, {2, 3, 4},
              std::vector<int64_t>{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 4, 4, 1, 1, 4, 4, 2, 2, 3, 3});
  first.unit = "expert";
  data.set("top_expert", first);
  data.set("sample_group",
           Array({"prompt"}, {4}, std::vector<std::string>{"prose", "prose", "code", "code"}));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 1000}));
  return data;
}

TEST(PathwayFlow, ExportsTheStreamsOfTheSelectedStep) {
  const View& view = views().get("pathway-flow");
  const SettingValues options = normalise(view.options, {}, "view");
  const Dataset last = view.drawn_data(flows(), options, {});
  EXPECT_EQ(last.extent("row"), 4) << "two groups, each through one expert a layer";
  EXPECT_EQ(last["samples"].number(0), 2);
  Selection selection;
  selection.at["step"] = 0;
  EXPECT_EQ(view.drawn_data(flows(), options, selection).extent("row"), 8);
}

TEST(PathwayFlow, ANodesCentreHitsItsExpert) {
  const View& view = views().get("pathway-flow");
  const auto canvas = make_picture(PictureKind::png, 900, 560, 1, Theme::light().canvas);
  Look look;
  look.theme = &Theme::light();
  look.area = canvas->area();
  Selection selection;
  selection.at = {{"layer", 1}, {"expert", 4}};
  const Drawn drawn = view.draw(flows(), normalise(view.options, {}, "view"), selection, look, *canvas);
  const auto box = drawn.where(selection);
  ASSERT_TRUE(box.has_value());
  const auto hit = drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
  ASSERT_TRUE(hit.has_value());
  EXPECT_EQ(hit->at.at("expert"), 4);
  EXPECT_EQ(hit->at.at("layer"), 1);
  EXPECT_NE(hit->spoken.find("2 samples"), std::string::npos) << hit->spoken;
  // Beside the node a stream begins, or ends.
  const auto stream = drawn.hit({box->x - 40, box->y + box->h / 2});
  ASSERT_TRUE(stream.has_value());
  EXPECT_NE(stream->spoken.find(" to "), std::string::npos);
}

TEST(PathwayFlow, AnExpertIsAPlaceOfAResultThatNamesExperts) {
  EXPECT_EQ(places_along(flows(), "layer"), 3);
  EXPECT_GT(places_along(flows(), "expert"), 4) << "no array has the axis, but one holds experts";
  EXPECT_EQ(places_along(flows(), "head"), 0);
}

TEST(PathwayFlow, AnArrayWithoutSamplesIsAUsageError) {
  const View& view = views().get("pathway-flow");
  Dataset data = flows();
  data.set("load", Array({"step", "layer"}, {2, 3}, std::vector<double>(6, 1)));
  expect_error(
      [&] {
        view.drawn_data(data, normalise(view.options, {{"array", "load"}}, "view"), {});
      },
      {"pathway-flow"});
}

}  // namespace
}  // namespace varve
