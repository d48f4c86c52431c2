// What is kept between frames: pictures are the same with and without it, and it can be thrown away.
#include "viz/cache.h"

#include <gtest/gtest.h>

#include "tests/support/lens_data.h"
#include "viz/tiles.h"

namespace varve {
namespace {

std::string picture(const std::string& view, const Dataset& data, ViewCache* cache, double zoom, Point pan) {
  const auto canvas = make_picture(PictureKind::png, 640, 420, 1, Theme::light().canvas);
  Look look;
  look.theme = &Theme::light();
  look.area = {0, 0, 640, 420};
  look.zoom = zoom;
  look.pan = pan;
  look.cache = cache;
  views().get(view).draw(data, {}, {}, look, *canvas);
  return canvas->finish();
}

TEST(ViewCache, KeepsOneDatasetAndForgetsItForAnother) {
  ViewCache cache;
  const auto first = std::make_shared<const Dataset>(testing_support::lens_data());
  const auto second = std::make_shared<const Dataset>(testing_support::lens_data(4, 5));
  cache.use(first);
  picture("lines", *first, &cache, 1, {});
  EXPECT_GT(cache.entries(), 0);
  EXPECT_GT(cache.bytes(), 0);
  cache.use(first);
  EXPECT_GT(cache.entries(), 0);
  cache.use(second);
  EXPECT_EQ(cache.entries(), 0);
  EXPECT_EQ(cache.bytes(), 0);
}

TEST(ViewCache, ASecondFrameMakesNothingNew) {
  ViewCache cache;
  const auto series = std::make_shared<const Dataset>(testing_support::lens_series_data());
  cache.use(series);
  for (const View* view : views_for(*series)) {
    picture(view->name, *series, &cache, 1, {});
    const int64_t made = cache.made();
    picture(view->name, *series, &cache, 1, {});
    EXPECT_EQ(cache.made(), made) << view->name;
  }
}

TEST(ViewCache, PicturesAreTheSameWithItWithoutItAndAfterItWasCleared) {
  ViewCache cache;
  const auto series = std::make_shared<const Dataset>(testing_support::lens_series_data());
  cache.use(series);
  for (const View* view : views_for(*series))
    for (const double zoom : {1.0, 3.0}) {
      const Point pan{zoom == 1 ? 0.0 : -100.0, zoom == 1 ? 0.0 : -60.0};
      const std::string without = picture(view->name, *series, nullptr, zoom, pan);
      EXPECT_EQ(picture(view->name, *series, &cache, zoom, pan), without) << view->name << " at " << zoom;
      EXPECT_EQ(picture(view->name, *series, &cache, zoom, pan), without) << view->name << " at " << zoom;
      cache.clear();
      cache.use(series);
    }
}

TEST(Tiles, PaintEachSquareOnceAndOnlyWhereItIsSeen) {
  ViewCache cache;
  cache.use(std::make_shared<const Dataset>());
  const auto canvas = make_picture(PictureKind::png, 300, 300, 1, Theme::light().canvas);
  int64_t painted = 0;
  Tiles tiles;
  tiles.key = "a";
  tiles.width = 2000;
  tiles.height = 2000;
  tiles.paint = [&painted](int64_t, int64_t, int64_t w, int64_t h, std::span<Color> out) {
    painted += w * h;
    std::fill(out.begin(), out.end(), Color{1, 2, 3, 255});
  };
  draw_tiles(*canvas, &cache, {0, 0, 300, 300}, tiles);
  const int64_t first = painted;
  EXPECT_LE(first, 512 * 512);
  draw_tiles(*canvas, &cache, {0, 0, 300, 300}, tiles);
  EXPECT_EQ(painted, first);
  tiles.origin = {-300, 0};
  draw_tiles(*canvas, &cache, {0, 0, 300, 300}, tiles);
  EXPECT_GT(painted, first);
  EXPECT_LE(painted, 2 * first);
}

}  // namespace
}  // namespace varve
