// An axis of items that are drawn as cells: evenly spaced, or training steps at their place on a log axis.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/dataset.h"
#include "viz/draw/axes.h"

namespace varve {

enum class Direction { forward, backward };  // backward: item 0 at the far end, as layers have it

struct MapAxis {
  // Cells that touch each other; step 0 is a part of its own before the break.
  struct Part {
    std::vector<double> edges;  // ascending pixels
    int64_t first = 0, step = 1;
    int64_t item(int64_t cell) const { return first + cell * step; }
  };
  std::vector<Part> parts;
  bool is_scaled = false;  // by step value; else evenly
  Scale scale;             // where is_scaled
  std::vector<std::string> names;

  void move(double origin, double zoom, double pan);
  std::optional<int64_t> item_at(double pixel) const;
  std::optional<std::pair<double, double>> extent(int64_t item) const;
  double middle(int64_t item) const;
  void draw_along_x(Canvas& canvas, const Theme& theme, Box plot, const std::string& title,
                    std::optional<int64_t> chosen) const;
  void draw_along_y(Canvas& canvas, const Theme& theme, Box plot, const std::string& title,
                    std::optional<int64_t> chosen) const;
};

// steps: "log", "linear" or "even"; only the axis `step` with rising ticks is spaced by value.
MapAxis map_axis(const Dataset& data, const std::string& axis, int64_t count, const std::string& steps,
                 double from, double to, Direction direction);

}  // namespace varve
