// Paints and keeps the squares of a large picture.
#include "viz/tiles.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "viz/cache.h"

namespace varve {
namespace {

constexpr int64_t side = 256;

struct Square {
  std::vector<Color> pixels;
  int64_t bytes() const { return static_cast<int64_t>(pixels.size() * sizeof(Color)); }
};

// A name for the texture of a square: other pixels, another name.
uint64_t identity_of(const std::string& key, uint64_t generation) {
  uint64_t hash = 1469598103934665603ULL ^ (generation * 0x9E3779B97F4A7C15ULL);  // FNV-1a
  for (const char c : key) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 1099511628211ULL;
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace

void draw_tiles(Canvas& canvas, ViewCache* cache, Box clip, const Tiles& tiles) {
  const double pixel = canvas.pixel();
  const auto left = static_cast<int64_t>(std::llround(tiles.origin.x / pixel));
  const auto top = static_cast<int64_t>(std::llround(tiles.origin.y / pixel));
  const auto seen = [pixel](double from, double to, int64_t origin, int64_t length) {
    const int64_t first = static_cast<int64_t>(std::floor(from / pixel)) - origin;
    const int64_t last = static_cast<int64_t>(std::ceil(to / pixel)) - origin;
    return std::pair(std::clamp<int64_t>(first, 0, length), std::clamp<int64_t>(last, 0, length));
  };
  const auto [x0, x1] = seen(clip.x, clip.right(), left, tiles.width);
  const auto [y0, y1] = seen(clip.y, clip.bottom(), top, tiles.height);
  if (x1 <= x0 || y1 <= y0) return;
  const auto place = [&](int64_t x, int64_t y, int64_t w, int64_t h) {
    return Box{static_cast<double>(left + x) * pixel, static_cast<double>(top + y) * pixel,
               static_cast<double>(w) * pixel, static_cast<double>(h) * pixel};
  };
  canvas.push_clip(clip);
  if (!cache) {
    std::vector<Color> pixels(static_cast<size_t>((x1 - x0) * (y1 - y0)));
    tiles.paint(x0, y0, x1 - x0, y1 - y0, pixels);
    canvas.cells(place(x0, y0, x1 - x0, y1 - y0), y1 - y0, x1 - x0, pixels, 0);
  } else {
    for (int64_t y = y0 / side * side; y < y1; y += side)
      for (int64_t x = x0 / side * side; x < x1; x += side) {
        const int64_t w = std::min(side, tiles.width - x), h = std::min(side, tiles.height - y);
        const std::string key = fmt::format("{}#{},{}", tiles.key, x, y);
        const auto square = cache->get<Square>(key, [&]() -> Square {
          Square made;
          made.pixels.resize(static_cast<size_t>(w * h));
          tiles.paint(x, y, w, h, made.pixels);
          return made;
        });
        canvas.cells(place(x, y, w, h), h, w, square->pixels, identity_of(key, cache->generation()));
      }
  }
  canvas.pop_clip();
}

}  // namespace varve
