// A cloud of points: two arrays over the same axes, one point for each place, with their correlation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/correlation.h"
#include "viz/pick.h"

namespace varve {

struct CloudOptions {
  std::string x, y, over, at;
  bool log_x = false, log_y = false, fit = true, labels = true, grid = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("x", x, "the array along the bottom; empty: chosen by itself");
    visit("y", y, "the array that goes up; empty: another one over the same axes");
    visit("over", over,
          "the axes whose items are points, as in layer,head; empty: all they share but the step");
    visit("log_x", log_x, "the bottom axis by its logarithm");
    visit("log_y", log_y, "the other axis by its logarithm");
    visit("fit", fit, "draw the line of least squares with its 95 % band");
    visit("labels", labels, "name the points where there is room");
    visit("grid", grid, "draw the lines of the grid");
    visit("at", at, "what to show of the other axes, as in step=3; else what is selected");
  }
};

struct CloudPair {
  std::string x, y;
};

struct Cloud {
  CloudPair pair;
  std::vector<std::string> over;
  std::vector<int64_t> shape;
  Places fixed;
  std::vector<double> x, y;
  int64_t audited = 0;  // points an audit leaves out
  Correlation stats;
  int64_t bytes() const { return static_cast<int64_t>(16 * x.size()); }
  Places place(size_t point) const;
  std::optional<size_t> point_at(const Selection& selection) const;  // where all axes of points are selected
};

// What stands above the points: the statistics the result itself gives where it correlated these two, with
// its bootstrap interval; else those of the points.
std::string cloud_words(const Dataset& data, const Cloud& cloud);
// "distance · math, at each checkpoint": the named places that were chosen for an array, and its title.
std::string cloud_title(const Dataset& data, const Cloud& cloud, const std::string& name);

std::vector<std::string> cloud_arrays(const Dataset& data);  // that may be an axis, best first
CloudPair cloud_pair(const Dataset& data, const CloudOptions& options);
std::vector<std::string> cloud_axes(const Dataset& data, const CloudPair& pair, const CloudOptions& options);
Places cloud_places(const Dataset& data, const CloudPair& pair, const CloudOptions& options,
                    const Selection& selection);
Cloud cloud_of(const Dataset& data, const CloudOptions& options, const Selection& selection);
std::string point_name(const Dataset& data, const Places& at);  // "L5H1", "16k"

}  // namespace varve
