// The colour table is recomputed here: contrasts, maps that only rise, a diverging map that is centred.
#include "viz/draw/theme.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/core/error.h"
#include "viz/draw/oklab.h"

namespace varve {
namespace {

// The table is written with two digits.
constexpr double printed = 0.005;

struct Text {
  double canvas, panel, raised, soft;
};
Text contrasts_of(Color c, const Theme& t) {
  return {contrast(c, t.canvas), contrast(c, t.panel), contrast(c, t.raised), contrast(c, t.soft)};
}
double lowest(Color c, const Theme& t) {
  const Text all = contrasts_of(c, t);
  return std::min({all.canvas, all.panel, all.raised, all.soft});
}

TEST(Theme, QuietTextHasTheContrastOfTheTable) {
  const Text light = contrasts_of(Theme::light().ink3, Theme::light());
  EXPECT_NEAR(light.canvas, 5.95, printed);
  EXPECT_NEAR(light.panel, 5.49, printed);
  EXPECT_NEAR(light.raised, 5.06, printed);
  EXPECT_NEAR(light.soft, 4.63, printed);
  const Text dark = contrasts_of(Theme::dark().ink3, Theme::dark());
  EXPECT_NEAR(dark.canvas, 7.14, printed);
  EXPECT_NEAR(dark.panel, 6.53, printed);
  EXPECT_NEAR(dark.raised, 5.64, printed);
  EXPECT_NEAR(dark.soft, 4.70, printed);
}

TEST(Theme, StatusColoursReadOnEverySurface) {
  const auto least = [](const Theme& t) {
    return std::min(
        {lowest(t.accent, t), lowest(t.ok, t), lowest(t.warn, t), lowest(t.fail, t), lowest(t.cached, t)});
  };
  EXPECT_GE(least(Theme::light()), 4.90 - printed);
  EXPECT_GE(least(Theme::dark()), 5.07 - printed);
}

TEST(Theme, StatusTextReadsOnItsOwnFill) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()}) {
    EXPECT_GE(contrast(t->ok, t->ok_soft), 5.21 - printed);
    EXPECT_GE(contrast(t->warn, t->warn_soft), 5.21 - printed);
    EXPECT_GE(contrast(t->fail, t->fail_soft), 5.21 - printed);
    EXPECT_GE(contrast(t->tip_text, t->tip), 6.72 - printed);
    EXPECT_GE(contrast(t->tip_second, t->tip), 6.72 - printed);
  }
  EXPECT_NEAR(contrast(Theme::light().on_accent, Theme::light().accent), 6.41, printed);
  EXPECT_NEAR(contrast(Theme::dark().on_accent, Theme::dark().accent), 8.43, printed);
}

TEST(Theme, BordersAndMarksStandOutThreeToOne) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()}) {
    EXPECT_GE(contrast(t->strong, t->canvas), 3.0);
    EXPECT_GE(contrast(t->strong, t->panel), 3.0);
    EXPECT_GE(contrast(t->strong, t->raised), 3.0);
    for (const Color mark : t->category) EXPECT_GE(contrast(mark, t->canvas), 3.0 - printed);
  }
}

TEST(Theme, TextInASeriesColourIsThePrintedMix) {
  const Theme &light = Theme::light(), &dark = Theme::dark();
  EXPECT_EQ(light.category_text[1], hex("#AC5C30"));
  EXPECT_EQ(light.category_text[2], hex("#487C6E"));
  EXPECT_EQ(light.category_text[4], hex("#8D5AB9"));
  EXPECT_EQ(light.category_text[7], hex("#786E9D"));
  EXPECT_EQ(dark.category_text[3], hex("#A7728E"));
  EXPECT_EQ(dark.category_text[7], hex("#8575CD"));
  for (const Theme* t : {&light, &dark})
    for (const Color text : t->category_text) EXPECT_GE(contrast(text, t->canvas), 4.6);
}

double distance(Color a, Color b) {
  const Oklab p = oklab(a), q = oklab(b);
  return std::hypot(p.lightness - q.lightness, p.a - q.a, p.b - q.b);
}

TEST(Theme, AnyTwoCategoriesDiffer) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()})
    for (size_t i = 0; i < t->category.size(); ++i)
      for (size_t j = 0; j < i; ++j) EXPECT_GE(distance(t->category[i], t->category[j]), 0.097);
}

TEST(ColorMap, SequentialMapsChangeLightnessOneWayOnly) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()})
    for (const std::string& name : color_map_names()) {
      const ColorMap& map = color_map(name, *t);
      if (map.diverging) continue;
      const double sign = t->is_dark ? 1 : -1;  // low values sink into the ground
      for (size_t i = 1; i < 256; ++i)
        // Bytes are rounded: a step back of less than one byte is no step back.
        EXPECT_GE(sign * (oklab(map.entries[i]).lightness - oklab(map.entries[i - 1]).lightness), -0.004)
            << name << " entry " << i;
      EXPECT_GT(sign * (oklab(map.entries[255]).lightness - oklab(map.entries[0]).lightness), 0.4) << name;
    }
}

TEST(ColorMap, TideIsCentredAndFallsAwayOnBothSides) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()}) {
    const ColorMap& map = color_map("tide", *t);
    EXPECT_TRUE(map.diverging);
    EXPECT_LT(distance(map.at(0.5), t->is_dark ? hex("#222427") : hex("#F1F4F6")), 0.012);
    const Oklab low = oklab(map.entries[0]), high = oklab(map.entries[255]);
    EXPECT_LT(low.b, 0);   // negative blue
    EXPECT_GT(high.b, 0);  // positive brown
    const double sign = t->is_dark ? 1 : -1;
    for (size_t i = 128; i < 255; ++i) {
      EXPECT_GE(sign * (oklab(map.entries[i + 1]).lightness - oklab(map.entries[i]).lightness), -0.004);
      EXPECT_GE(sign * (oklab(map.entries[254 - i]).lightness - oklab(map.entries[255 - i]).lightness),
                -0.004);
    }
  }
}

TEST(ColorMap, StrataStepsAreEqualWithinSevenPerCent) {
  // Between its stops the map is a straight line in this space, so the stops say how equal its steps are.
  const std::vector<const char*> stops = {"#FAFAEF", "#DCDDB7", "#A6C695", "#65AD95", "#348F90",
                                          "#046F89", "#0C4D7B", "#1A2D5D", "#131730"};
  const ColorMap& map = color_map("strata", Theme::light());
  std::vector<double> steps;
  for (size_t i = 0; i < stops.size(); ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(stops.size() - 1);
    EXPECT_LT(distance(map.at(place), hex(stops[i])), 0.004) << stops[i];
    if (i > 0) steps.push_back(distance(hex(stops[i - 1]), hex(stops[i])));
  }
  const auto [least, most] = std::minmax_element(steps.begin(), steps.end());
  EXPECT_LT(*most / *least, 1.07);
}

TEST(ColorMap, EndsAndNaNAreClamped) {
  const ColorMap& map = color_map("strata", Theme::light());
  EXPECT_EQ(map.at(0), hex("#FAFAEF"));
  EXPECT_EQ(map.at(1), hex("#131730"));
  EXPECT_EQ(map.at(-5), map.entries[0]);
  EXPECT_EQ(map.at(5), map.entries[255]);
  EXPECT_EQ(map.at(std::nan("")), map.entries[0]);
  EXPECT_EQ(color_map("strata", Theme::dark()).at(0), map.at(1));
}

TEST(ColorMap, TextOnAnyCellIsReadable) {
  for (const Theme* t : {&Theme::light(), &Theme::dark()})
    for (const std::string& name : color_map_names())
      for (const Color cell : color_map(name, *t).entries) EXPECT_GE(contrast(text_on(cell), cell), 4.58);
}

TEST(ColorMap, AnUnknownNameSaysWhichThereAre) {
  try {
    color_map("jet", Theme::light());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::usage);
    EXPECT_NE(std::string(error.what()).find("viridis"), std::string::npos);
  }
}

TEST(Theme, AMalformedColourIsAnError) {
  EXPECT_THROW(hex("red"), Error);
  EXPECT_THROW(hex("#12345G"), Error);
}

}  // namespace
}  // namespace varve
