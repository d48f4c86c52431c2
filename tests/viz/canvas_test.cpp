// Pictures: the same calls give the same bytes, odd input draws nothing wrong, text is shortened between
// letters.
#include "viz/draw/canvas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "analysis/core/error.h"
#include "viz/draw/glyphs.h"
#include "viz/draw/svg_ids.h"

namespace varve {
namespace {

std::string drawn_once(PictureKind kind, double scale = 1) {
  const Theme& t = Theme::light();
  const auto canvas = make_picture(kind, 200, 120, scale, t.canvas);
  canvas->fill({10, 10, 50, 20}, t.accent, 3);
  canvas->frame({10, 40, 50, 20}, t.ink, 2);
  canvas->line({0, 5}, {200, 5}, t.strong, 1, Dash::reference);
  const std::vector<Point> points = {{0, 0}, {20, std::nan("")}, {40, 30}, {60, 20}};
  canvas->polyline(points, t.fail, 1.75);
  canvas->polygon(std::vector<Point>{{100, 10}, {120, 10}, {110, 30}}, t.warn);
  canvas->disc({150, 20}, 4, t.ok);
  canvas->arc({150, 60}, 6, 0, 4, t.ok, 1.2);
  canvas->push_clip({0, 60, 100, 60});
  const std::vector<Color> colors(300 * 200, t.cached);
  canvas->cells({70, 70, 60, 40}, 200, 300, colors, 1);
  canvas->pop_clip();
  canvas->text({10, 100}, "␣Mary ⏎ \xF0\x9F\x98\x80 \xff", {7, Face::mono}, t.ink);
  canvas->vertical_text({190, 60}, "layer", {7.5, Face::sans}, t.ink3);
  return canvas->finish();
}

TEST(Picture, EqualCallsGiveEqualBytes) {
  for (const PictureKind kind : {PictureKind::svg, PictureKind::pdf, PictureKind::png}) {
    const std::string first = drawn_once(kind);
    EXPECT_GT(first.size(), 500u);
    EXPECT_EQ(first, drawn_once(kind));
  }
}

TEST(Picture, ScaleMultipliesThePixelsOfAPng) {
  const auto size_of = [](const std::string& png) {
    const auto byte = [&png](size_t i) { return static_cast<int>(static_cast<unsigned char>(png[i])); };
    return std::pair(byte(18) * 256 + byte(19), byte(22) * 256 + byte(23));
  };
  EXPECT_EQ(size_of(drawn_once(PictureKind::png)), std::pair(200, 120));
  EXPECT_EQ(size_of(drawn_once(PictureKind::png, 2)), std::pair(400, 240));
}

TEST(Picture, AbsurdSizesAreUsageErrors) {
  EXPECT_THROW(make_picture(PictureKind::png, 1e6, 10, 1, {}), Error);
  EXPECT_THROW(make_picture(PictureKind::png, -1, 10, 1, {}), Error);
  EXPECT_THROW(make_picture(PictureKind::png, 10, 10, 0, {}), Error);
  EXPECT_THROW(make_picture(PictureKind::png, std::nan(""), 10, 1, {}), Error);
}

TEST(Picture, NothingDrawnIsStillAPicture) {
  for (const PictureKind kind : {PictureKind::svg, PictureKind::pdf, PictureKind::png})
    EXPECT_FALSE(make_picture(kind, 0, 0, 1, {255, 255, 255, 255})->finish().empty());
}

TEST(Picture, KindIsToldByTheEnding) {
  EXPECT_EQ(picture_kind("a.b/fig.SVG"), PictureKind::svg);
  EXPECT_EQ(picture_kind("fig.pdf"), PictureKind::pdf);
  EXPECT_EQ(picture_kind("fig.png"), PictureKind::png);
  EXPECT_THROW(picture_kind("fig.jpeg"), Error);
  EXPECT_THROW(picture_kind("fig"), Error);
}

TEST(Elide, KeepsWhatFitsAndCutsBetweenCodePoints) {
  const auto canvas = make_picture(PictureKind::png, 10, 10, 1, {});
  const Font font{7.5, Face::sans};
  EXPECT_EQ(elide(*canvas, "short", font, 500), "short");
  EXPECT_EQ(elide(*canvas, "anything", font, 0), "");
  const std::string word = "ääääääääää";
  for (double width = 0; width < 90; width += 1.5) {
    const std::string cut = elide(*canvas, word, font, width);
    EXPECT_LE(canvas->text_width(cut, font), width);
    if (!cut.empty() && cut != word) {
      EXPECT_EQ(cut.substr(cut.size() - 3), "…");
      EXPECT_EQ((cut.size() - 3) % 2, 0u);
    }
  }
}

TEST(Text, AMissingGlyphIsWrittenAsItsCodePoint) {
  const auto canvas = make_picture(PictureKind::png, 10, 10, 1, {});
  const Font font{7, Face::mono};
  EXPECT_DOUBLE_EQ(canvas->text_width("\xF4\x80\x80\x80", font), canvas->text_width("U+100000", font));
}

TEST(TokenLabel, MakesBlanksAndStrayBytesVisible) {
  EXPECT_EQ(token_label(" Mary"), "␣Mary");
  EXPECT_EQ(token_label("\n\t"), "⏎⇥");
  EXPECT_EQ(token_label("a b"), "a b");
  EXPECT_EQ(token_label("  "), "␣␣");
  EXPECT_EQ(token_label(std::string("\x01\xff", 2)), "\\x01\\xff");
  EXPECT_EQ(token_label("\xE2\x82"), "\\xe2\\x82");
  EXPECT_EQ(token_label("␣Mary"), "␣Mary");
  EXPECT_EQ(token_label(""), "");
}

TEST(SvgIds, AreCountedFromZeroInOrderOfAppearance) {
  EXPECT_EQ(renumber_svg_ids("<g id=\"surface17\"/><use xlink:href=\"#surface17\"/><g id=\"surface4\"/>"),
            "<g id=\"surface0\"/><use xlink:href=\"#surface0\"/><g id=\"surface1\"/>");
  EXPECT_EQ(renumber_svg_ids("clip-path=\"url(#clip9)\""), "clip-path=\"url(#clip0)\"");
}

}  // namespace
}  // namespace varve
