// Turns arrays into series of numbers along one axis, with their intervals beside them.
#include "viz/line_plot.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "analysis/core/text.h"
#include "viz/choice.h"

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
  // A number needs to be told what it counts; a name says that itself.
  const Array* coord = data.coord(axis);
  return coord && coord->dtype() == Dtype::text ? name : axis + " " + name;
}

std::vector<double> reordered(const Array& values, int64_t row, int64_t count,
                              const std::vector<int64_t>& order) {
  std::vector<double> out;
  out.reserve(order.size());
  for (const int64_t i : order) out.push_back(values.number(row * count + i));
  return out;
}

std::vector<bool> hidden_lines(const std::string& list, int64_t lines) {
  std::vector<bool> hidden(static_cast<size_t>(lines), false);
  if (list.empty()) return hidden;
  for (const std::string& word : split(list, ',')) {
    int64_t line = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), line);
    if (error != std::errc() || end != word.data() + word.size() || line < 0 || line >= lines)
      fail_usage("lines: hide names '{}', which is no line; there are 0 to {}", word, lines - 1);
    hidden[static_cast<size_t>(line)] = true;
  }
  return hidden;
}

}  // namespace

std::string default_line_array(const Dataset& data) {
  const std::vector<std::string> all = arrays_by(data, [&data](const Array& array) {
    if (array.axes().empty()) return 0.0;
    double score = 10;
    score += has(array, "step") ? 5 : 0;
    score += array.axes().size() <= 2 ? 4 : 0;
    score += array.unit == "nats" ? 1 : 0;         // the loss says most
    score -= array.dtype() == Dtype::i64 ? 6 : 0;  // ids, counts
    for (const auto& [name, other] : data.arrays())
      if (&other == &array) score += companion(data, name, "low") || companion(data, name, "fit") ? 3 : 0;
    return score;
  });
  return all.empty() ? "" : all.front();
}

std::vector<std::string> LineChoice::kept() const {
  if (series_axis.empty()) return {x};
  return {series_axis, x};
}

LineChoice line_choice(const Dataset& data, const LineOptions& options) {
  LineChoice choice;
  const std::string wanted = options.array.empty() ? default_line_array(data) : options.array;
  if (wanted.empty()) return choice;
  choice.arrays = split(wanted, ',');
  const Array& first = array_named(data, choice.arrays.front(), "lines");
  for (const std::string& name : choice.arrays) {
    const Array& array = array_named(data, name, "lines");
    if (!is_numeric(array) || array.axes().empty())
      fail_usage("lines: '{}' is no array of numbers along an axis; try the view table", name);
    if (array.axes() != first.axes() || array.unit != first.unit)
      fail_usage("lines: '{}' and '{}' differ in axes or unit and cannot share a plot", choice.arrays.front(),
                 name);
  }
  if (!options.x.empty()) require_axis(first, choice.arrays.front(), options.x, "lines");
  choice.x = options.x.empty() ? default_x(first) : options.x;
  if (options.series == "none" || choice.arrays.size() > 1) {
    choice.series_axis = "";
  } else if (options.series.empty()) {
    choice.series_axis = default_series(first, choice.x);
  } else {
    require_axis(first, choice.arrays.front(), options.series, "lines");
    if (options.series == choice.x)
      fail_usage("lines: x and series are both '{}'; choose two axes", choice.x);
    choice.series_axis = options.series;
  }
  return choice;
}

LinePlot line_plot(const Dataset& data, const LineOptions& options, const Selection& selection) {
  LinePlot plot;
  const LineChoice choice = line_choice(data, options);
  if (choice.arrays.empty()) return plot;
  plot.arrays = choice.arrays;
  plot.x = choice.x;
  plot.series_axis = choice.series_axis;
  const Array& first = data[plot.arrays.front()];
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

  const std::vector<std::string> kept = choice.kept();
  for (size_t which = 0; which < plot.arrays.size(); ++which) {
    const std::string& name = plot.arrays[which];
    const Array values = arranged(data[name], kept, data, given, selection, plot.fixed);
    if (values.size() == 0) continue;
    const int64_t lines = plot.series_axis.empty() ? 1 : values.shape()[0];
    const std::vector<bool> hidden =
        hidden_lines(options.hide, plot.arrays.size() > 1 ? static_cast<int64_t>(plot.arrays.size()) : lines);
    // A companion over the same axes, laid out alike; empty where there is none.
    const auto beside = [&](const char* ending, const std::vector<std::string>& over) {
      const Array* other = companion(data, name, ending);
      if (!other) return Array();
      Places ignored;
      Array slice = arranged(*other, over, data, given, selection, ignored);
      return slice.axes() == over ? slice : Array();
    };
    const Array low = beside("low", kept), high = beside("high", kept), n = beside("n", kept);
    const Array noise = beside("noise", kept), noise_low = beside("noise_low", kept),
                noise_high = beside("noise_high", kept);
    const Array fit = beside("fit", kept), fit_low = beside("fit_low", kept),
                fit_high = beside("fit_high", kept);
    Array used = beside("used", kept);
    const bool is_used_shared = used.size() == 0;
    if (is_used_shared) used = beside("used", {plot.x});
    std::vector<std::string> per_line;
    if (!plot.series_axis.empty()) per_line = {plot.series_axis};
    const Array peak = beside("peak_step", per_line), peak_low = beside("peak_step_low", per_line),
                peak_high = beside("peak_step_high", per_line), peak_value = beside("peak_value", per_line);
    for (int64_t line = 0; line < lines; ++line) {
      const bool is_hidden = hidden[plot.arrays.size() > 1 ? which : static_cast<size_t>(line)];
      LineSeries series;
      series.item = plot.series_axis.empty() ? static_cast<int64_t>(which) : line;
      if (!plot.series_axis.empty()) series.label = series_label(data, plot.series_axis, line);
      if (plot.arrays.size() > 1) series.label = title_of(data, name);
      if (is_hidden) {
        plot.hidden.push_back({series.item, series.label});
        continue;
      }
      const auto take = [&](const Array& from, std::vector<double>& into) {
        if (from.size() == values.size()) into = reordered(from, line, count, plot.order);
      };
      take(values, series.value);
      take(low, series.low);
      take(high, series.high);
      take(n, series.n);
      take(noise_low, series.noise_low);
      take(noise_high, series.noise_high);
      if (series.noise_low.empty() || series.noise_high.empty()) {
        take(noise, series.noise_high);
        series.noise_low.clear();
        for (const double size : series.noise_high) series.noise_low.push_back(-size);
      }
      if (options.fits) {
        take(fit, series.fit);
        take(fit_low, series.fit_low);
        take(fit_high, series.fit_high);
        if (is_used_shared && used.size() == count) series.used = reordered(used, 0, count, plot.order);
        if (!is_used_shared) take(used, series.used);
        if (peak.size() == lines) series.peak = peak.number(line);
        if (peak_value.size() == lines) series.peak_value = peak_value.number(line);
        if (peak_low.size() == lines) series.peak_low = peak_low.number(line);
        if (peak_high.size() == lines) series.peak_high = peak_high.number(line);
      }
      plot.series.push_back(std::move(series));
    }
    if (const Array* floor = companion(data, name, "floor"); floor && plot.floor.empty()) {
      Places ignored;
      const Array one = arranged(*floor, {}, data, given, selection, ignored);
      if (one.size() == 1 && std::isfinite(one.number(0))) plot.floor = {one.number(0)};
    }
  }
  const AbsenceMap absence(data, "", plot.x, plot.fixed);
  if (absence.any_bad())
    for (const int64_t i : plot.order) plot.bad.push_back(absence.at(0, i, 0) == Absent::bad);
  return plot;
}

}  // namespace varve
