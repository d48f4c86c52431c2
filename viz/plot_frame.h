// A plot of two value axes: where it lies, its scales, and the axes drawn around it.
#pragma once

#include <string>
#include <utility>

#include "viz/draw/axes.h"
#include "viz/view.h"

namespace varve {

struct PlotFrame {
  Box plot;
  Scale x, y;
  bool has_words = false, has_grid = true;
  Point point(double a, double b) const { return {x.pixel(a), y.pixel(b)}; }
};

struct PlotRange {
  std::pair<double, double> x, y;
  bool log_x = false, log_y = false, has_grid = true;
  double right = 16;  // room right of the plot, for labels
  double top = 30;    // above it, for the title of the y axis and a line of words
};
// Ends are rounded outwards where an axis is linear; zoom and pan apply.
PlotFrame plot_frame(const Look& look, const PlotRange& range);
void draw_frame(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& x_title,
                const std::string& y_title, bool integers_x = false);

void draw_frame_y(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& y_title,
                  bool integers = false);
void draw_frame_x(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& x_title,
                  bool integers = false);

// Smallest and largest number that an axis can hold; 0 to 1 where there is none.
std::pair<double, double> ends_of(std::span<const double> values, bool log);

}  // namespace varve
