// Names of lines: at their ends, in a key where the ends lie on each other, and of those that are hidden. A
// click on one hides its line or brings it back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/line_layout.h"

namespace varve {

struct LineName {
  int64_t item = -1;  // of the line
  std::string label;
  Box box;
  bool is_hidden = false;
};

std::vector<LineName> draw_names(const LinePlot& plot, const std::vector<LineStyle>& styles,
                                 const LineLayout& l, const Look& look, Canvas& canvas);
// "L3: hidden", as many as there is room for in one row that ends at `right`.
std::vector<LineName> draw_hidden_names(const LinePlot& plot, double left, double right, double y,
                                        const Theme& theme, Canvas& canvas);
double hidden_names_width(const LinePlot& plot, const Canvas& canvas);

// What a click at this point asks for.
std::optional<Hit> name_hit(const std::vector<LineName>& names, const LinePlot& plot, Point p);

}  // namespace varve
