// What a plot of lines shows: which array along which axis, one series or one for each item of a second axis.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "viz/pick.h"

namespace varve {

struct LineOptions {
  std::string array, x, series, steps = "log", hide, at;
  bool log = false, log_x = false, bands = true, fits = true, grid = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw, or several with commas between; empty: the first that fits");
    visit("x", x, "the axis to draw along; empty: step, else position, else layer");
    visit("series", series, "the axis whose items are lines; empty: chosen by itself, none: one line");
    visit("steps", steps, "how training steps are spaced", Choices{"log", "linear"});
    visit("log", log, "values on a log axis");
    visit("log_x", log_x, "any other axis than training steps on a log axis, where its ticks are above zero");
    visit("bands", bands, "draw intervals where the result has them");
    visit("fits", fits, "draw fitted curves over the points where the result has them");
    visit("grid", grid, "draw the lines of the grid");
    visit("hide", hide, "lines to leave out, by their place: 0,3,7");
    visit("at", at, "what to show of the other axes, as in prompt=3; else what is selected");
  }
};

struct LineSeries {
  std::string label;
  int64_t item = -1;                          // along the series axis, or the number of the array
  std::vector<double> value, low, high, n;    // low, high, n: empty where the result has none
  std::vector<double> noise_low, noise_high;  // between them a value is no more than noise
  std::vector<double> fit, fit_low, fit_high, used;
  double peak = std::numeric_limits<double>::quiet_NaN(), peak_low = peak, peak_high = peak,
         peak_value = peak;  // where the fit is highest, in ticks, and how high
  bool peak_in_sight(const std::vector<double>& ticks) const {
    return std::isfinite(peak_value) && !ticks.empty() && peak >= ticks.front() && peak <= ticks.back();
  }
};

struct HiddenLine {
  int64_t item = -1;
  std::string label;
};

struct LinePlot {
  std::vector<std::string> arrays;
  std::string x, series_axis;  // series_axis: empty where there is one line an array
  std::string title, unit;     // of the values
  std::vector<double> ticks;   // rising
  std::vector<int64_t> order;  // ticks[i] belongs to index order[i] of the axis
  std::vector<LineSeries> series;
  std::vector<double> floor;  // one value, where the array has a noise floor
  std::vector<bool> bad;      // by tick; empty where no audit spoke
  std::vector<HiddenLine> hidden;
  Places fixed;
  bool empty() const { return series.empty() || ticks.empty(); }
  bool has_fit() const {
    return std::any_of(series.begin(), series.end(), [](const LineSeries& s) { return !s.fit.empty(); });
  }
};

// Which arrays lie along which axis: what is known before any value is read.
struct LineChoice {
  std::vector<std::string> arrays;
  std::string x, series_axis;
  std::vector<std::string> kept() const;  // series axis first
};
LineChoice line_choice(const Dataset& data, const LineOptions& options);

std::string default_line_array(const Dataset& data);
LinePlot line_plot(const Dataset& data, const LineOptions& options, const Selection& selection);

}  // namespace varve
