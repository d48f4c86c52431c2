// Chooses colours for lines and places the plot, its axes and the room for names.
#include "viz/line_layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/line_legend.h"

namespace varve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::pair<double, double> range_of(const LinePlot& plot, const LineOptions& options) {
  double low = nan, high = nan;
  const auto take = [&](double v) {
    if (!std::isfinite(v) || (options.log && !(v > 0))) return;
    low = std::isnan(low) ? v : std::min(low, v);
    high = std::isnan(high) ? v : std::max(high, v);
  };
  for (const LineSeries& series : plot.series) {
    for (const double v : series.value) take(v);
    for (const double v : series.fit) take(v);
    if (series.peak_in_sight(plot.ticks)) take(series.peak_value);
    if (!options.bands) continue;
    for (const auto* part :
         {&series.low, &series.high, &series.fit_low, &series.fit_high, &series.noise_high})
      for (const double v : *part) take(v);
  }
  return {low, high};
}

Scale value_scale(std::pair<double, double> range, const LinePlot& plot, const LineOptions& options,
                  double from, double to) {
  auto [low, high] = range;
  if (options.log) return log_scale(low, high, from, to);
  const bool is_share = plot.unit == "probability" || plot.unit == "share";
  if (is_share && low > 0 && high <= 1) low = 0;
  const auto [a, b] = rounded_out(low, high);
  return linear_scale(a, b, from, to);
}

}  // namespace

// Up to six lines have colours of their own. Of more, the selected one stands out, or a few spread over all.
std::vector<LineStyle> styles_of(const LinePlot& plot, const Selection& selection, const Theme& theme) {
  const size_t count = plot.series.size();
  std::vector<LineStyle> styles(count, LineStyle{theme.strong, theme.ink3, 1, false});
  const auto emphasise = [&](size_t line, size_t category) {
    styles[line] = {theme.category[category % 10], theme.category_text[category % 10], 1.75, true};
  };
  if (count <= 6) {
    for (size_t i = 0; i < count; ++i) emphasise(i, i);
    return styles;
  }
  const auto chosen = plot.series_axis.empty() ? std::nullopt : selection.index(plot.series_axis);
  if (chosen && *chosen >= 0 && static_cast<size_t>(*chosen) < count) {
    emphasise(static_cast<size_t>(*chosen), 0);
    styles[static_cast<size_t>(*chosen)].width = 2;
    return styles;
  }
  for (size_t i = 0; i < 4; ++i) emphasise(i * (count - 1) / 3, i);
  return styles;
}

Lines lines_of(const Dataset& data, const LineOptions& options, const Selection& selection) {
  Lines lines;
  lines.plot = line_plot(data, options, selection);
  lines.range = range_of(lines.plot, options);
  const auto pyramid = [&options](std::vector<double> values) {
    if (options.log)
      for (double& v : values)
        if (!(v > 0)) v = nan;
    return Pyramid(std::move(values));
  };
  for (const LineSeries& series : lines.plot.series) {
    lines.value.push_back(pyramid(series.value));
    lines.low.push_back(pyramid(series.low));
    lines.high.push_back(pyramid(series.high));
    lines.noise_low.push_back(pyramid(series.noise_low));
    lines.noise_high.push_back(pyramid(series.noise_high));
  }
  const LinePlot& plot = lines.plot;
  lines.has_whole_ticks =
      std::all_of(plot.ticks.begin(), plot.ticks.end(), [](double t) { return std::floor(t) == t; });
  std::vector<const LineSeries*> fitted;
  for (const LineSeries& series : plot.series)
    if (!series.used.empty()) fitted.push_back(&series);
  for (size_t i = 0; i < plot.ticks.size(); ++i) {
    const bool is_unused =
        std::any_of(fitted.begin(), fitted.end(), [i](const LineSeries* s) { return s->used[i] == 0; });
    if (is_unused || (i < plot.bad.size() && plot.bad[i])) lines.left_out.push_back(i);
  }
  return lines;
}

int64_t Lines::bytes() const {
  int64_t all = static_cast<int64_t>(plot.ticks.size()) * 16;
  for (const auto* part : {&value, &low, &high, &noise_low, &noise_high})
    for (const Pyramid& pyramid : *part) all += 2 * pyramid.bytes();
  return all;
}

LineLayout layout_of(const Lines& lines, const LineOptions& options, const std::vector<LineStyle>& styles,
                     const Dataset& data, const Look& look, const Canvas& canvas) {
  const LinePlot& plot = lines.plot;
  LineLayout l;
  const Box a = look.area;
  l.is_turned = plot.x == "layer";
  l.has_words = a.w >= 200 && a.h >= 130;
  double labels = 0;
  for (size_t i = 0; i < plot.series.size(); ++i)
    if (styles[i].is_strong || plot.series.size() <= 60)
      labels = std::max(labels, canvas.text_width(plot.series[i].label, line_label_bold));
  const double right =
      l.is_turned || labels == 0 ? 16 : std::clamp(labels + 16, 30.0, std::min(140.0, a.w / 4));
  const bool has_events = plot.x == "step" && !data.events.empty();
  const double left = l.is_turned ? 58 : 52;
  double top = has_events ? 42 : l.is_turned ? 26 : 28;
  if (l.is_turned)
    top += std::max(0.0, legend_height(legend_of(plot, styles, a.x + left, a.right() - 16, 0, canvas)) - 13) +
           (plot.hidden.empty() ? 0 : 13);
  l.plot = l.has_words ? Box{a.x + left, a.y + top, a.w - left - right, a.h - top - 46} : a;
  const double from = l.is_turned ? l.plot.bottom() : l.plot.x, to = l.is_turned ? l.plot.y : l.plot.right();
  // Ticks rise, so that three of them say all that the axis needs.
  std::vector<double> ends = {plot.ticks.back()};
  if (std::binary_search(plot.ticks.begin(), plot.ticks.end(), 0.0)) ends.push_back(0);
  if (const auto first = std::upper_bound(plot.ticks.begin(), plot.ticks.end(), 0.0);
      first != plot.ticks.end())
    ends.push_back(*first);
  l.along = plot.x == "step" && options.steps == "log" ? step_scale(ends, from, to)
            : options.log_x && plot.x != "step" && plot.ticks.front() > 0
                ? log_scale(plot.ticks.front(), plot.ticks.back(), from, to)
                : linear_scale(plot.ticks.front(), plot.ticks.back(), from, to);
  l.value = l.is_turned ? value_scale(lines.range, plot, options, l.plot.x, l.plot.right())
                        : value_scale(lines.range, plot, options, l.plot.bottom(), l.plot.y);
  l.along = l.is_turned ? l.along.moved(look.area.y, look.zoom_down(), look.pan.y)
                        : l.along.moved(look.area.x, look.zoom, look.pan.x);
  l.value = l.is_turned ? l.value.moved(look.area.x, look.zoom, look.pan.x)
                        : l.value.moved(look.area.y, look.zoom_down(), look.pan.y);
  return l;
}

std::vector<Point> points_of(const LineLayout& l, const std::vector<double>& ticks,
                             const std::vector<double>& values) {
  std::vector<Point> points;
  points.reserve(ticks.size() + 1);
  for (size_t i = 0; i < ticks.size(); ++i) {
    points.push_back(l.point(ticks[i], values[i]));
    if (ticks[i] == 0 && l.along.slot != 0) points.push_back({nan, nan});
  }
  return points;
}

}  // namespace varve
