// Turns arrays into series of numbers along one axis, with their intervals beside them.
#include "viz/line_plot.h"

#include <algorithm>
#include <numeric>

#include "analysis/core/text.h"

namespace varve {
namespace {

bool has(const Array& array, const std::string& axis) { return array.axis(axis).has_value(); }

std::string default_x(const Array& array) {
  for (const char* axis : {"step", "pos", "layer"})
    if (has(array, axis) && array.extent(axis) > 1) return axis;
  // Nothing longer than one: the axis itself still says what the point is.
  for (const char* axis : {"step", "pos", "layer"})
    if (has(array, axis)) return axis;
  return array.axes().front();
}

std::string default_series(const Array& array, const std::string& x) {
  constexpr int64_t most_lines = 200;
  if (x == "layer") return "";  // a profile of one checkpoint
  for (const char* axis : {"layer", "head", "expert", "component"})
    if (axis != x && has(array, axis) && array.extent(axis) <= most_lines) return axis;
  for (const std::string& axis : array.axes())
    if (axis != x && axis != "step" && axis != "prompt" && array.extent(axis) <= most_lines) return axis;
  return "";
}

std::string series_label(const Dataset& data, const std::string& axis, int64_t item) {
  const std::string name = name_at(data, axis, item);
  if (axis == "layer") return name == "embed" ? name : "L" + name;
  return axis + " " + name;
}

std::vector<double> reordered(const Array& values, int64_t row, int64_t count,
                              const std::vector<int64_t>& order) {
  std::vector<double> out;
  out.reserve(order.size());
  for (const int64_t i : order) out.push_back(values.number(row * count + i));
  return out;
}

}  // namespace

bool is_interval_part(const std::string& name) {
  for (const std::string ending : {"_low", "_high", "_n"})
    if (name.size() > ending.size() && name.ends_with(ending)) return true;
  return false;
}

std::string default_line_array(const Dataset& data) {
  std::string best;
  int best_score = 0;
  for (const auto& [name, array] : data.arrays()) {
    if (!is_numeric(array) || array.axes().empty() || is_interval_part(name)) continue;
    int score = 10;
    score += has(array, "step") ? 5 : 0;
    score += array.axes().size() <= 2 ? 4 : 0;
    score += data.has(name + "_low") ? 3 : 0;
    score += array.unit == "nats" ? 1 : 0;         // the loss says most
    score -= array.dtype() == Dtype::i64 ? 6 : 0;  // ids, counts
    if (score > best_score) best = name, best_score = score;
  }
  return best;
}

LinePlot line_plot(const Dataset& data, const LineOptions& options, const Selection& selection) {
  LinePlot plot;
  const std::string wanted = options.array.empty() ? default_line_array(data) : options.array;
  if (wanted.empty()) return plot;
  plot.arrays = split(wanted, ',');
  const Array& first = array_named(data, plot.arrays.front(), "lines");
  for (const std::string& name : plot.arrays) {
    const Array& array = array_named(data, name, "lines");
    if (!is_numeric(array) || array.axes().empty())
      fail_usage("lines: '{}' is no array of numbers along an axis; try the view table", name);
    if (array.axes() != first.axes() || array.unit != first.unit)
      fail_usage("lines: '{}' and '{}' differ in axes or unit and cannot share a plot", plot.arrays.front(),
                 name);
  }
  const auto check = [&](const std::string& axis) {
    if (!has(first, axis))
      fail_usage("lines: '{}' has no axis '{}'; did you mean '{}'?", plot.arrays.front(), axis,
                 nearest(axis, first.axes()));
  };
  if (!options.x.empty()) check(options.x);
  plot.x = options.x.empty() ? default_x(first) : options.x;
  if (options.series == "none" || plot.arrays.size() > 1) {
    plot.series_axis = "";
  } else if (options.series.empty()) {
    plot.series_axis = default_series(first, plot.x);
  } else {
    check(options.series);
    if (options.series == plot.x) fail_usage("lines: x and series are both '{}'; choose two axes", plot.x);
    plot.series_axis = options.series;
  }
  plot.unit = first.unit;
  plot.title = plot.arrays.size() == 1 ? title_of(data, plot.arrays.front()) : "";
  const Places given = parse_places(options.at, data, "lines");
  const int64_t count = first.extent(plot.x);
  const std::vector<double> ticks = ticks_along(data, plot.x, count);
  plot.order.resize(static_cast<size_t>(count));
  std::iota(plot.order.begin(), plot.order.end(), int64_t{0});
  std::stable_sort(plot.order.begin(), plot.order.end(), [&ticks](int64_t a, int64_t b) {
    return ticks[static_cast<size_t>(a)] < ticks[static_cast<size_t>(b)];
  });
  for (const int64_t i : plot.order) plot.ticks.push_back(ticks[static_cast<size_t>(i)]);

  std::vector<std::string> kept = {plot.x};
  if (!plot.series_axis.empty()) kept.insert(kept.begin(), plot.series_axis);
  for (size_t which = 0; which < plot.arrays.size(); ++which) {
    const std::string& name = plot.arrays[which];
    const auto take = [&](const std::string& of) {
      return sliced_in_order(data[of], kept, data, given, selection, plot.fixed);
    };
    const Array values = take(name);
    if (values.size() == 0) continue;
    const auto companion = [&](const char* ending) {
      const std::string other = name + ending;
      const bool is_there = data.has(other) && is_numeric(data[other]) && data[other].axes() == first.axes();
      return is_there ? take(other) : Array();
    };
    const Array low = companion("_low"), high = companion("_high"), n = companion("_n");
    const int64_t lines = plot.series_axis.empty() ? 1 : values.shape()[0];
    for (int64_t line = 0; line < lines; ++line) {
      LineSeries series;
      series.item = plot.series_axis.empty() ? static_cast<int64_t>(which) : line;
      if (!plot.series_axis.empty()) series.label = series_label(data, plot.series_axis, line);
      if (plot.arrays.size() > 1) series.label = title_of(data, name);
      series.value = reordered(values, line, count, plot.order);
      if (low.size() == values.size()) series.low = reordered(low, line, count, plot.order);
      if (high.size() == values.size()) series.high = reordered(high, line, count, plot.order);
      if (n.size() == values.size()) series.n = reordered(n, line, count, plot.order);
      plot.series.push_back(std::move(series));
    }
  }
  return plot;
}

}  // namespace varve
