// A key above a plot whose lines end side by side, where names at their ends would lie on each other.
#pragma once

#include <vector>

#include "viz/line_layout.h"

namespace varve {

struct LegendEntry {
  size_t line = 0;
  Point at;  // left end of the stroke; the name follows
  double name_width = 0;
};

// Rows of names within [left, right], the first at `top`; empty where there is one line.
std::vector<LegendEntry> legend_of(const LinePlot& plot, const std::vector<LineStyle>& styles, double left,
                                   double right, double top, const Canvas& canvas);
double legend_height(const std::vector<LegendEntry>& legend);
void draw_legend(const std::vector<LegendEntry>& legend, const LinePlot& plot,
                 const std::vector<LineStyle>& styles, Canvas& canvas);

}  // namespace varve
