// The view "lines": fits over points, peaks, crowds, hidden lines, and what was left out.
#include <gtest/gtest.h>

#include "analysis/core/error.h"
#include "tests/support/view_pictures.h"
#include "viz/line_legend.h"
#include "viz/line_marks.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;
using testing_support::fit_data;
using testing_support::lens_series_data;

TEST(LineFits, AreTheFirstThingALinePlotOfThemShows) {
  const Dataset fits = fit_data();
  EXPECT_EQ(best_view(fits)->name, "lines");
  const auto picture = draw_view("lines", fits);
  EXPECT_NE(picture.drawn.header.find("curves are fits"), std::string::npos) << picture.drawn.header;
  EXPECT_NE(picture.drawn.header.find("1 audited bad"), std::string::npos);
  EXPECT_NE(picture.canvas->finish(), draw_view("lines", fits, {{"fits", "false"}}).canvas->finish());
}

TEST(LineFits, AreExportedWithTheirBandAndPeak) {
  const Dataset fits = fit_data(), out = drawn_numbers("lines", fits);
  for (const char* name : {"ratio", "ratio_fit", "ratio_fit_low", "ratio_fit_high", "ratio_peak_step"})
    EXPECT_TRUE(out.has(name)) << name;
  const int64_t steps = fits.extent("step");
  for (int64_t layer = 0; layer < 3; ++layer)
    for (const int64_t step : {int64_t{0}, steps - 1})
      EXPECT_EQ(out["ratio_fit"].number(layer * steps + step), fits["ratio_fit"].number(step * 3 + layer));
}

TEST(LineFits, PassThroughTheirPeakWhicheverNameItHas) {
  // Two checkpoints on either side of a high peak.
  Dataset data;
  const std::vector<std::string> axes{"step", "layer"};
  data.set("ratio", Array(axes, {3, 1}, std::vector<double>{1, 2, 1}));
  data.set("ratio_fit", Array(axes, {3, 1}, std::vector<double>{1, 2, 1}));
  data.set_coord("step", Array({"step"}, {3}, std::vector<int64_t>{0, 100, 300}));
  const LineOptions options;
  const auto range = lines_of(data, options, {}).range;
  EXPECT_EQ(range.second, 2);
  data.set("ratio_peak", Array({"layer"}, {1}, std::vector<double>{200}));
  data.set("ratio_peak_value", Array({"layer"}, {1}, std::vector<double>{7}));
  const Lines lines = lines_of(data, options, {});
  EXPECT_EQ(lines.plot.series.front().peak, 200);
  EXPECT_EQ(lines.range.second, 7) << "the peak has room";
  data.set("ratio_peak", Array({"layer"}, {1}, std::vector<double>{9000}));
  EXPECT_EQ(lines_of(data, options, {}).range.second, 2) << "a peak beyond the last step is not in sight";
}

TEST(LinesAlongLayers, AreNamedInRowsAboveThePlot) {
  Dataset data;
  for (const char* name : {"top1", "top2", "median"}) {
    Array array({"layer"}, {4}, std::vector<double>{1, 2, 3, 4});
    array.title = std::string("a long name that takes much of a row, ") + name;
    data.set(name, std::move(array));
  }
  LineOptions options;
  options.array = "top1,top2,median";
  const Lines lines = lines_of(data, options, {});
  const auto styles = styles_of(lines.plot, {}, Theme::light());
  const auto canvas = make_picture(PictureKind::png, 900, 560, 1, Theme::light().canvas);
  const auto wide = legend_of(lines.plot, styles, 60, 2000, 0, *canvas),
             narrow = legend_of(lines.plot, styles, 60, 400, 0, *canvas);
  ASSERT_EQ(wide.size(), 3U);
  ASSERT_EQ(narrow.size(), 3U);
  EXPECT_EQ(wide.back().at.y, wide.front().at.y);
  EXPECT_GT(narrow.back().at.y, narrow.front().at.y) << "what does not fit goes to the next row";
  EXPECT_GT(legend_height(narrow), legend_height(wide));
  for (const LegendEntry& entry : narrow) EXPECT_LE(entry.at.x + entry.name_width, 400);
  EXPECT_FALSE(draw_view("lines", data, {{"array", options.array}}).canvas->finish().empty());
}

TEST(LineCompanions, AreNoArraysToChooseAlone) {
  const View& lines = views().get("lines");
  EXPECT_EQ(lines.choices(fit_data(), "array", {}), (std::vector<std::string>{"ratio"}));
  Dataset shorter;
  shorter.set("loss", Array({"step"}, {2}, std::vector<double>{1, 2}));
  shorter.set("loss_lo", Array({"step"}, {2}, std::vector<double>{0, 1}));
  shorter.set("loss_hi", Array({"step"}, {2}, std::vector<double>{2, 3}));
  EXPECT_EQ(lines.choices(shorter, "array", {}), (std::vector<std::string>{"loss"}));
  EXPECT_TRUE(drawn_numbers("lines", shorter).has("loss_lo"));
}

TEST(LineNoise, IsShadedSaidHoveredAndExported) {
  Dataset data;
  Array count({"step"}, {3}, std::vector<double>{0, 1, 4});
  count.title = "heads";
  data.set("count", std::move(count));
  data.set_coord("step", Array({"step"}, {3}, std::vector<int64_t>{1, 10, 100}));
  const std::string plain = draw_view("lines", data).canvas->finish();
  Array noise({"step"}, {3}, std::vector<double>{1, 6, 1});
  noise.title = "heads by chance";
  data.set("count_noise", std::move(noise));
  const auto picture = draw_view("lines", data);
  EXPECT_NE(picture.drawn.header.find("grey: heads by chance"), std::string::npos) << picture.drawn.header;
  EXPECT_NE(picture.canvas->finish(), plain);
  EXPECT_EQ(lines_of(data, {}, {}).range.second, 6) << "the noise has room";
  EXPECT_TRUE(drawn_numbers("lines", data).has("count_noise"));
  const LinePlot plot = line_plot(data, {}, {});
  EXPECT_EQ(plot.arrays, std::vector<std::string>{"count"}) << "noise is no line of its own";
  EXPECT_EQ(plot.series.front().noise_low, (std::vector<double>{-1, -6, -1})) << "a size has either sign";
  data.set("count_noise_low", Array({"step"}, {3}, std::vector<double>{0, 2, 0}));
  data.set("count_noise_high", Array({"step"}, {3}, std::vector<double>{1, 3, 1}));
  EXPECT_EQ(line_plot(data, {}, {}).series.front().noise_low, (std::vector<double>{0, 2, 0}));
  EXPECT_EQ(line_plot(data, {}, {}).series.front().noise_high, (std::vector<double>{1, 3, 1}));
}

TEST(HiddenLines, AreNeitherDrawnNorExportedButSaid) {
  const Dataset series = lens_series_data(4);
  const SettingValues options = {{"array", "cross_entropy"}, {"hide", "0,2"}};
  EXPECT_EQ(drawn_numbers("lines", series, options)["cross_entropy"].shape()[0], 3);
  EXPECT_NE(draw_view("lines", series, options).drawn.header.find("2 hidden"), std::string::npos);
  EXPECT_THROW(draw_view("lines", series, {{"array", "cross_entropy"}, {"hide", "9"}}), Error);
}

TEST(Crowds, CoverWhatTheirLinesCover) {
  // 700 equal lines at 3 and one at 5: only two stretches of pixels are grey.
  constexpr int64_t lines = 800, steps = 40;
  std::vector<float> values(lines * steps, 3.0F);
  for (int64_t i = 0; i < steps; ++i) values[static_cast<size_t>(5 * steps + i)] = 5.0F;
  Dataset data;
  data.set("a", Array({"line", "step"}, {lines, steps}, std::move(values)));
  const LineOptions options = {};
  SettingValues settings = {{"series", "line"}, {"steps", "linear"}};
  const auto picture = draw_view("lines", data, settings);
  EXPECT_FALSE(picture.canvas->finish().empty());
  LineOptions read = options;
  read.series = "line";
  read.steps = "linear";
  const Lines all = lines_of(data, read, {});
  EXPECT_TRUE(is_crowd(all, styles_of(all.plot, {}, Theme::light())));
  Selection s;
  s.at = {{"line", 5}, {"step", 20}};
  const auto box = picture.drawn.where(s);
  ASSERT_TRUE(box);
  const auto hit = picture.drawn.hit({box->x + 4, box->y + 4});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->at.at("line"), 5);
}

TEST(FreeAxes, AreThoseNeitherDrawnNorSummed) {
  const Dataset heads = testing_support::heads_data();
  Selection s;
  s.at = {{"head", 3}};
  const std::vector<FreeAxis> axes =
      views().get("lines").free_axes(heads, {{"array", "induction"}, {"series", "layer"}}, s);
  ASSERT_EQ(axes.size(), 1U);
  EXPECT_EQ(axes.front().axis, "head");
  EXPECT_EQ(axes.front().index, 3);
  EXPECT_EQ(axes.front().extent, 8);
}

TEST(Lines, LeaveThingsWithoutAnOrderToOtherViews) {
  Dataset models;
  models.set("size", Array({"model"}, {3}, std::vector<double>{1, 2, 3}));
  models.set("ratio", Array({"model"}, {3}, std::vector<double>{5, 4, 7}));
  models.set_coord("model", Array({"model"}, {3}, std::vector<std::string>{"small", "middle", "large"}));
  EXPECT_EQ(best_view(models)->name, "scatter");
  models.set_coord("model", Array({"model"}, {3}, std::vector<int64_t>{10, 20, 30}));
  EXPECT_EQ(best_view(models)->name, "lines") << "numbers have an order";
}

}  // namespace
}  // namespace varve
