// Every view: draws at any size, copes with odd data, points back at what lies under the pointer, exports
// what it draws.
#include "viz/view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "analysis/core/error.h"
#include "tests/support/lens_data.h"
#include "viz/line_plot.h"

namespace varve {
namespace {

using testing_support::lens_data;
using testing_support::lens_series_data;

struct Picture {
  std::unique_ptr<PictureCanvas> canvas;
  Drawn drawn;
};

Picture draw(const std::string& view, const Dataset& data, const SettingValues& options = {},
             const Selection& selection = {}, Box area = {0, 0, 900, 560}, double zoom = 1, Point pan = {}) {
  Picture picture{make_picture(PictureKind::png, area.right(), area.bottom(), 1, Theme::light().canvas), {}};
  Look look;
  look.theme = &Theme::light();
  look.area = area;
  look.zoom = zoom;
  look.pan = pan;
  picture.drawn = views().get(view).draw(data, options, selection, look, *picture.canvas);
  return picture;
}

std::vector<Dataset> odd_data() {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  std::vector<Dataset> all;
  all.emplace_back();
  Dataset scalar;
  scalar.set("loss", Array::scalar(3));
  all.push_back(scalar);
  Dataset none;
  none.set("a", Array::empty(Dtype::f32, {"layer", "pos"}, {0, 5}));
  none.set("b", Array::empty(Dtype::f32, {"layer"}, {0}));
  all.push_back(none);
  Dataset one;
  one.set("a", Array({"step", "layer"}, {1, 1}, std::vector<double>{2.5}));
  one.set_coord("step", Array({"step"}, {1}, std::vector<int64_t>{0}));
  all.push_back(one);
  Dataset nans;
  nans.set("a", Array({"step", "layer"}, {2, 3}, std::vector<double>(6, nan)));
  all.push_back(nans);
  Dataset infinite;
  infinite.set("a", Array({"layer", "head"}, {2, 3}, std::vector<double>{inf, -inf, nan, 0, 1e300, -1e300}));
  all.push_back(infinite);
  Dataset words;
  words.set("t", Array({"row"}, {3}, std::vector<std::string>{"\xff\xfe", "", " a\n"}));
  all.push_back(words);
  all.push_back(lens_data(1, 1, 1));
  all.push_back(lens_data(2, 0, 1));
  Dataset unsorted;
  unsorted.set("a", Array({"step"}, {4}, std::vector<double>{1, 2, 3, 4}));
  unsorted.set_coord("step", Array({"step"}, {4}, std::vector<int64_t>{1000, 1, 0, -5}));
  all.push_back(unsorted);
  return all;
}

TEST(Views, DrawOddDataAtAnySize) {
  for (const Dataset& data : odd_data())
    for (const View& view : views().items())
      for (const Box area : {Box{0, 0, 0, 0}, Box{0, 0, 40, 30}, Box{0, 0, 300, 5}, Box{0, 0, 900, 560}}) {
        if (view.fit(data) == 0 && data.arrays().empty() == false && view.name == "lens-table") continue;
        try {
          const Picture picture = draw(view.name, data, {}, {}, area);
          if (picture.drawn.hit) picture.drawn.hit({area.w / 2, area.h / 2});
          EXPECT_FALSE(picture.canvas->finish().empty());
        } catch (const Error& error) {
          ADD_FAILURE() << view.name << ": " << error.what();
        }
      }
}

TEST(Views, DrawALensAndASeriesAtAnySize) {
  const Dataset lens = lens_data(), series = lens_series_data();
  for (const Dataset* data : {&lens, &series})
    for (const View& view : views().items()) {
      if (view.fit(*data) == 0) continue;
      for (const Box area : {Box{0, 0, 0, 0}, Box{0, 0, 40, 30}, Box{0, 0, 900, 560}, Box{0, 0, 4000, 2000}})
        for (const double zoom : {0.3, 1.0, 7.0}) {
          if (area.w > 1000 && zoom != 1) continue;  // large pictures take long to pack
          const Picture picture = draw(view.name, *data, {}, {}, area, zoom, {-30, -20});
          EXPECT_FALSE(picture.canvas->finish().empty());
        }
    }
}

TEST(Views, EachHasWordsAndFitsSomething) {
  std::set<std::string> names;
  for (const View& view : views().items()) {
    names.insert(view.name);
    EXPECT_FALSE(view.summary.empty()) << view.name;
    EXPECT_FALSE(view.help.empty()) << view.name;
    EXPECT_TRUE(view.draw) << view.name;
    EXPECT_TRUE(view.drawn_data) << view.name;
    for (const SettingInfo& option : view.options) EXPECT_FALSE(option.help.empty()) << view.name;
  }
  for (const char* name : {"lens-table", "heat-map", "lines", "table"})
    EXPECT_TRUE(names.count(name)) << name;
  EXPECT_EQ(best_view(lens_data())->name, "lens-table");
  EXPECT_EQ(best_view(lens_series_data())->name, "lines");
}

TEST(Views, PicturesAreTheSameBytesTwice) {
  const Dataset lens = lens_data();
  for (const View& view : views().items())
    for (const PictureKind kind : {PictureKind::svg, PictureKind::pdf, PictureKind::png}) {
      const auto make = [&] { return picture_of(view, lens, {}, {}, kind, Theme::light(), 420, 300, 1); };
      EXPECT_EQ(make(), make()) << view.name;
    }
}

TEST(Views, AnUnknownOptionOrArrayIsAUsageError) {
  const Dataset lens = lens_data();
  for (const View& view : views().items())
    EXPECT_THROW(draw(view.name, lens, {{"colr", "x"}}), Error) << view.name;
  for (const char* view : {"heat-map", "lines", "table"})
    EXPECT_THROW(draw(view, lens, {{"array", "entropi"}}), Error) << view;
  EXPECT_THROW(draw("heat-map", lens, {{"array", "tokens"}, {"x", "layer"}}), Error);
  EXPECT_THROW(draw("heat-map", lens, {{"x", "pos"}, {"y", "pos"}}), Error);
  EXPECT_THROW(draw("lens-table", lens, {{"at", "prompt=99"}}), Error);
  EXPECT_THROW(draw("lens-table", lens, {{"at", "prompt"}}), Error);
  EXPECT_THROW(draw("lens-table", lens, {{"at", "promt=1"}}), Error);
}

TEST(LensTable, ACellsCentreHitsThatCell) {
  const Dataset lens = lens_data();
  for (const double zoom : {1.0, 1.7}) {
    const Picture picture = draw("lens-table", lens, {}, {}, {10, 20, 900, 560}, zoom, {3, -5});
    int64_t found = 0;
    for (int64_t layer = 0; layer <= 12; ++layer)
      for (int64_t pos = 0; pos < 14; ++pos) {
        Selection selection;
        selection.at = {{"layer", layer}, {"pos", pos}};
        const auto box = picture.drawn.where(selection);
        ASSERT_TRUE(box);
        const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
        if (!hit) continue;  // panned out of sight
        ++found;
        EXPECT_EQ(hit->at.at("layer"), layer);
        EXPECT_EQ(hit->at.at("pos"), pos);
        EXPECT_EQ(hit->at.at("prompt"), 0);
      }
    EXPECT_GT(found, 50);
  }
}

TEST(LensTable, LayersGoUpAndPositionsGoRight) {
  const Picture picture = draw("lens-table", lens_data());
  const auto box = [&](int64_t layer, int64_t pos) {
    Selection s;
    s.at = {{"layer", layer}, {"pos", pos}};
    return *picture.drawn.where(s);
  };
  EXPECT_GT(box(0, 0).y, box(12, 0).y);
  EXPECT_LT(box(0, 0).x, box(0, 13).x);
}

TEST(LensTable, AHitListsTheBestTokensWithTheirProbabilities) {
  const Dataset lens = lens_data();
  const Picture picture = draw("lens-table", lens);
  Selection s;
  s.at = {{"layer", 12}, {"pos", 3}};
  const Box box = *picture.drawn.where(s);
  const auto hit = picture.drawn.hit({box.x + 2, box.y + 2});
  ASSERT_TRUE(hit);
  ASSERT_GE(hit->tip.size(), 7u);
  const int64_t cell = ((12 * 2 + 0) * 14 + 3) * 5;
  EXPECT_FLOAT_EQ(static_cast<float>(hit->tip[1].bar),
                  lens["top_prob"].as<float>()[static_cast<size_t>(cell)]);
  EXPECT_FALSE(hit->spoken.empty());
}

TEST(LensTable, ExportsExactlyTheNumbersItColours) {
  const Dataset lens = lens_data();
  for (const char* quantity : {"prob_true", "entropy", "kl_final_lens", "kl_lens_final", "cross_entropy",
                               "rank_true", "rank_final", "prob_top"}) {
    const Dataset out =
        views().get("lens-table").drawn_data(lens, {{"colour", quantity}, {"at", "prompt=1"}}, {});
    const Array source =
        std::string(quantity) == "prob_top" ? lens["top_prob"].at("rank", 0) : lens[quantity];
    const Array& drawn = out[quantity];
    ASSERT_EQ(drawn.shape(), (std::vector<int64_t>{13, 13})) << "prompt 1 has 13 positions";
    for (int64_t layer = 0; layer < 13; ++layer)
      for (int64_t pos = 0; pos < 13; ++pos) {
        const double expected = source.number((layer * 2 + 1) * 14 + pos),
                     got = drawn.number(layer * 13 + pos);
        EXPECT_TRUE(expected == got || (std::isnan(expected) && std::isnan(got)));
      }
  }
}

TEST(LensTable, ASeriesShowsTheSelectedStep) {
  const Dataset first = lens_data(3, 5, 1, 1), second = lens_data(3, 5, 1, 2);
  const Dataset joined = join_steps({0, 8}, {&first, &second});
  Selection s;
  s.at = {{"step", 0}};
  const auto drawn = [&](const Selection& selection) {
    return views().get("lens-table").drawn_data(joined, {}, selection);
  };
  EXPECT_EQ(drawn(s)["prob_true"].number(7), first["prob_true"].number(7));
  s.at = {{"step", 1}};
  EXPECT_EQ(drawn(s)["prob_true"].number(7), second["prob_true"].number(7));
  EXPECT_EQ(drawn({})["prob_true"].number(7), second["prob_true"].number(7))
      << "the last step without a selection";
  EXPECT_NE(draw("lens-table", joined, {}, s).drawn.header.find("step 8"), std::string::npos);
}

TEST(HeatMap, ACellsCentreHitsThatCell) {
  const Dataset series = lens_series_data(), lens = lens_data();
  for (const Dataset* data : {&series, &lens}) {
    const bool is_series = data == &series;
    const std::string x = is_series ? "step" : "pos";
    const Picture picture = draw("heat-map", *data, {{"array", is_series ? "top1_share" : "entropy"}});
    for (int64_t layer = 0; layer < 13; ++layer)
      for (const int64_t item : {0, 1, 2, 7, 12}) {
        Selection s;
        s.at = {{"layer", layer}, {x, item}};
        const auto box = picture.drawn.where(s);
        ASSERT_TRUE(box);
        const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
        ASSERT_TRUE(hit) << x << " " << item;
        EXPECT_EQ(hit->at.at("layer"), layer);
        EXPECT_EQ(hit->at.at(x), item);
      }
  }
}

TEST(HeatMap, ExportsTheSliceItDraws) {
  const Dataset lens = lens_data();
  Selection s;
  s.at = {{"prompt", 1}};
  const Dataset out =
      views().get("heat-map").drawn_data(lens, {{"array", "entropy"}, {"x", "layer"}, {"y", "pos"}}, s);
  for (int64_t layer = 0; layer < 13; ++layer)
    for (int64_t pos = 0; pos < 13; ++pos)
      EXPECT_EQ(out["entropy"].number(pos * 13 + layer), lens["entropy"].number((layer * 2 + 1) * 14 + pos));
}

TEST(HeatMap, DrawsAMapLargerThanTheScreen) {
  Dataset data;
  data.set("a", Array({"src", "dst"}, {3000, 2000}, std::vector<float>(6'000'000, 0.5F)));
  const Picture picture = draw("heat-map", data);
  EXPECT_NE(picture.drawn.header.find("cells a pixel"), std::string::npos);
}

TEST(Lines, APointHitsItself) {
  const Dataset series = lens_series_data();
  const Picture picture = draw("lines", series, {{"array", "cross_entropy"}, {"bands", "false"}});
  Selection s;
  s.at = {{"layer", 4}, {"step", 11}};
  const auto box = picture.drawn.where(s);
  ASSERT_TRUE(box);
  const auto hit = picture.drawn.hit({box->x + 4, box->y + 4});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->at.at("layer"), 4);
  EXPECT_EQ(hit->at.at("step"), 11);
}

TEST(Lines, SayWhichIntervalTheBandIs) {
  Dataset series = lens_series_data();
  const auto header = [&series] { return draw("lines", series, {{"array", "cross_entropy"}}).drawn.header; };
  EXPECT_NE(header().find("band: 95 % bootstrap over 128 prompts"), std::string::npos) << header();
  series.notes.clear();
  Array low = series["cross_entropy_low"];
  low.title = "cross-entropy, lower end of the 95 % interval";
  series.set("cross_entropy_low", low);
  EXPECT_NE(header().find("band: 95 % interval"), std::string::npos) << header();
  // Without a number there is no band to name.
  for (double& v : low.as<double>()) v = std::numeric_limits<double>::quiet_NaN();
  series.set("cross_entropy_low", low);
  EXPECT_EQ(header().find("band"), std::string::npos) << header();
}

TEST(Layers, TickZeroIsTheEmbeddingOnlyWhereTicksCountAppliedBlocks) {
  Dataset series = lens_series_data();
  Selection s;
  s.at = {{"layer", 0}, {"step", 11}};
  const auto heading = [&](const char* view, const SettingValues& options) {
    const Picture picture = draw(view, series, options);
    const auto box = picture.drawn.where(s);
    const auto hit = box ? picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2}) : std::nullopt;
    return hit && !hit->tip.empty() ? hit->tip.front().name : std::string("nothing is there");
  };
  const SettingValues map = {{"array", "cross_entropy"}},
                      lines = {{"array", "cross_entropy"}, {"bands", "false"}};
  EXPECT_EQ(heading("heat-map", map).rfind("layer embed", 0), 0U) << heading("heat-map", map);
  EXPECT_EQ(heading("lines", lines).rfind("embed", 0), 0U) << heading("lines", lines);
  Array ticks = *series.coord("layer");
  ticks.unit = "";
  series.set_coord("layer", ticks);
  EXPECT_EQ(heading("heat-map", map).rfind("layer 0", 0), 0U) << heading("heat-map", map);
  EXPECT_EQ(heading("lines", lines).rfind("L0", 0), 0U) << heading("lines", lines);
}

TEST(Lines, ExportTheValuesAndTheirIntervals) {
  const Dataset series = lens_series_data();
  const Dataset out = views().get("lines").drawn_data(series, {{"array", "cross_entropy"}}, {});
  const int64_t steps = series.extent("step");
  for (const char* name : {"cross_entropy", "cross_entropy_low", "cross_entropy_high", "cross_entropy_n"})
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t layer = 0; layer < 13; ++layer)
        EXPECT_EQ(out[name].number(layer * steps + step), series[name].number(step * 13 + layer));
}

TEST(Lines, DrawAMillionPoints) {
  std::vector<float> values(1'000'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(std::sin(static_cast<double>(i)));
  Dataset data;
  data.set("a", Array({"step"}, {1'000'000}, std::move(values)));
  EXPECT_FALSE(draw("lines", data).canvas->finish().empty());
}

TEST(Lines, PutUnsortedStepsInOrder) {
  Dataset data;
  data.set("a", Array({"step"}, {3}, std::vector<double>{30, 10, 20}));
  data.set_coord("step", Array({"step"}, {3}, std::vector<int64_t>{3, 1, 2}));
  const LinePlot plot = line_plot(data, {}, {});
  EXPECT_EQ(plot.ticks, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(plot.series.front().value, (std::vector<double>{10, 20, 30}));
}

TEST(TokenStrip, ATokensCentreHitsItAndTheExportHoldsItsValue) {
  const Dataset lens = lens_data();
  const SettingValues options = {{"array", "entropy"}};
  const Picture picture = draw("token-strip", lens, options);
  const Dataset out = views().get("token-strip").drawn_data(lens, options, {});
  for (int64_t pos = 0; pos < 14; ++pos) {
    Selection s;
    s.at = {{"pos", pos}};
    const auto box = picture.drawn.where(s);
    ASSERT_TRUE(box);
    const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->at.at("pos"), pos);
    EXPECT_EQ(out["entropy"].number(pos), lens["entropy"].number((12 * 2 + 0) * 14 + pos))
        << "the output layer";
  }
}

TEST(Table, ARowHitsItsPlace) {
  const Dataset series = lens_series_data();
  const Picture picture = draw("table", series);
  Selection s;
  s.at = {{"step", 1}, {"layer", 2}};
  const auto box = picture.drawn.where(s);
  ASSERT_TRUE(box);
  const auto hit = picture.drawn.hit({box->x + 5, box->y + box->h / 2});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->at, s.at);
}

TEST(Table, ExportsTheArraysItShows) {
  const Dataset lens = lens_data();
  const Dataset out = views().get("table").drawn_data(lens, {{"array", "top_prob"}}, {});
  EXPECT_TRUE(out.has("top_text"));
  EXPECT_TRUE(out["top_prob"].same_values(lens["top_prob"]));
}

}  // namespace
}  // namespace varve
