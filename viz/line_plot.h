// What a plot of lines shows: which array along which axis, one series or one for each item of a second axis.
#pragma once

#include <string>
#include <vector>

#include "viz/pick.h"

namespace varve {

struct LineOptions {
  std::string array, x, series, steps = "log", at;
  bool log = false, bands = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw, or several with commas between; empty: the first that fits");
    visit("x", x, "the axis to draw along; empty: step, else position, else layer");
    visit("series", series, "the axis whose items are lines; empty: chosen by itself, none: one line");
    visit("steps", steps, "how training steps are spaced", Choices{"log", "linear"});
    visit("log", log, "values on a log axis");
    visit("bands", bands, "draw intervals where the result has them");
    visit("at", at, "what to show of the other axes, as in prompt=3; else what is selected");
  }
};

struct LineSeries {
  std::string label;
  int64_t item = -1;                        // along the series axis, or the number of the array
  std::vector<double> value, low, high, n;  // low, high, n: empty where the result has none
};

struct LinePlot {
  std::vector<std::string> arrays;
  std::string x, series_axis;  // series_axis: empty where there is one line an array
  std::string title, unit;     // of the values
  std::vector<double> ticks;   // rising
  std::vector<int64_t> order;  // ticks[i] belongs to index order[i] of the axis
  std::vector<LineSeries> series;
  Places fixed;
  bool empty() const { return series.empty() || ticks.empty(); }
};

std::string default_line_array(const Dataset& data);
LinePlot line_plot(const Dataset& data, const LineOptions& options, const Selection& selection);
bool is_interval_part(const std::string& name);  // NAME_low, NAME_high, NAME_n

}  // namespace varve
