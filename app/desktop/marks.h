// Small drawn signs of rows and badges: done, failed, waiting, running, taken from the store.
#pragma once

#include "viz/draw/canvas.h"

namespace varve {

enum class Mark {
  none,
  check,
  cross,
  warning,
  ring,
  running,
  cached,
  stopped,
  folder,
  unfolded,
  pin,
  pinned,
  square
};

// `turn` is 0 to 1, where a running sign stands on its way round. Squares take the colour that is given.
void draw_mark(Canvas& canvas, Mark mark, Point middle, const Theme& theme, double turn = 0);
void draw_square(Canvas& canvas, Point middle, Color color);
Color mark_color(Mark mark, const Theme& theme);

}  // namespace varve
