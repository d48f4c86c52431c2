// How a plot of lines is laid out and which of its lines stand out.
#pragma once

#include <utility>
#include <vector>

#include "viz/draw/pyramid.h"
#include "viz/line_plot.h"

namespace varve {

constexpr Font line_label_font{7.5, Face::sans}, line_label_bold{7.5, Face::sans_bold};

// How one line looks.
struct LineStyle {
  Color line, text;
  double width = 1;
  bool is_strong = false;  // else context: grey, no band, no points
};

// Where values lie; layers go up, so along `layer` the plot is turned.
struct LineLayout {
  Box plot;
  Scale along, value;
  bool is_turned = false, has_words = false;
  Point point(double tick, double v) const {
    const double a = along.pixel(tick), b = value.pixel(v);
    return is_turned ? Point{b, a} : Point{a, b};
  }
};

// A plot with what makes it quick to draw at any zoom.
struct Lines {
  LinePlot plot;
  std::pair<double, double> range;                               // of all values, bands and fits
  std::vector<Pyramid> value, low, high, noise_low, noise_high;  // one a series
  bool has_whole_ticks = true;
  std::vector<size_t> left_out;  // places that an audit or every fit leaves out
  int64_t bytes() const;
};
Lines lines_of(const Dataset& data, const LineOptions& options, const Selection& selection);

std::vector<LineStyle> styles_of(const LinePlot& plot, const Selection& selection, const Theme& theme);
LineLayout layout_of(const Lines& lines, const LineOptions& options, const std::vector<LineStyle>& styles,
                     const Dataset& data, const Look& look, const Canvas& canvas);

// The points of a line; no line is drawn across the axis break, so step 0 stands alone.
std::vector<Point> points_of(const LineLayout& l, const std::vector<double>& ticks,
                             const std::vector<double>& values);

}  // namespace varve
