// A picture larger than the screen, painted in squares of device pixels the first time each of them is seen.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "viz/draw/canvas.h"

namespace varve {

class ViewCache;

struct Tiles {
  std::string key;                // all that the pixels depend on, the zoom among it
  Point origin;                   // logical pixels: where pixel (0, 0) of the picture lies
  int64_t width = 0, height = 0;  // of the whole picture, in device pixels
  // Fills out[row * w + column] for the stretch that begins at (left, top).
  std::function<void(int64_t left, int64_t top, int64_t w, int64_t h, std::span<Color> out)> paint;
};

// With a cache in squares that are kept; without one, as files are made, what is seen in one piece.
void draw_tiles(Canvas& canvas, ViewCache* cache, Box clip, const Tiles& tiles);

}  // namespace varve
