// Axes: where a value lies in pixels, which ticks it gets, and how axis, grid and colour scale are drawn.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "viz/draw/canvas.h"

namespace varve {

enum class Spacing { linear, log, log_step };

// A value axis between two pixels; `from` may lie right of or below `to`. log_step keeps a slot for 0 before
// the break, then log10 from the first positive value (design: axes).
struct Scale {
  Spacing spacing = Spacing::linear;
  double low = 0, high = 1;  // log and log_step: positive; log_step: first and last positive value
  double from = 0, to = 1;   // pixels of low (of the slot's edge where there is one) and high
  double slot = 0;           // pixels of the slot for 0, with the sign of to - from

  double pixel(double value) const;  // NaN for what the axis cannot hold
  double value(double at_pixel) const;
  Scale moved(double origin, double zoom, double pan) const;
};

// Never fails: an empty or single-valued range is widened, values that cannot be on a log axis are left out.
Scale linear_scale(double low, double high, double from, double to);
Scale log_scale(double low, double high, double from, double to);
Scale step_scale(std::span<const double> steps, double from, double to);

struct Tick {
  double value = 0;
  std::string label;  // empty: a minor tick
};
using Measure = std::function<double(const std::string&)>;  // pixels a label takes along the axis

// Ticks between pixels `first` and `last` of the axis, labels never closer than `gap`. integers: no
// fractions.
std::vector<Tick> ticks_of(const Scale& scale, double first, double last, const Measure& measure,
                           bool integers = false, double gap = 10);
// Every n-th of the names of an axis of items, n as small as fits; values are item numbers.
std::vector<Tick> item_ticks(std::span<const std::string> names, double pixels_per_item,
                             const Measure& measure, double gap = 6);
// The ends widened to a round number, so that 3 to 6 ticks fall inside.
std::pair<double, double> rounded_out(double low, double high);
std::string tick_label(double value, double spacing);

enum class Grid { none, lines };
void draw_x_axis(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale,
                 std::span<const Tick> ticks, const std::string& title, Grid grid);
// The title stands upright over the axis; at its top left.
void draw_y_axis(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale,
                 std::span<const Tick> ticks, const std::string& title, Grid grid,
                 double bold_value = -1e300);
void draw_axis_break(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale);

// The legend of a colour map: low to high, left to right or bottom to top.
struct ColorScale {
  const ColorMap* map = nullptr;
  double low = 0, high = 1;
  bool log = false;
  int64_t below = 0, above = 0;  // values outside; an arrow at that end
  std::string title;             // quantity and unit
};
double unit_of(const ColorScale& scale, double value);  // 0 to 1 along the map
Color color_of(const ColorScale& scale, double value);
void draw_color_scale(Canvas& canvas, const Theme& theme, Box bar,
                      const ColorScale& scale);  // upright if taller

}  // namespace varve
