// Draws the marks of a plot of lines; no loop runs over points that lie outside or share a pixel column.
#include "viz/line_marks.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/marks.h"

namespace varve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The places that can be seen, with one more at each side so that lines leave the plot.
std::pair<size_t, size_t> seen_of(const LinePlot& plot, const LineLayout& l) {
  const std::vector<double>& ticks = plot.ticks;
  if (l.is_turned) return {0, ticks.size()};
  const auto below = [&l](double limit) {
    return [&l, limit](double tick, double) {
      const double x = l.along.pixel(tick);
      return std::isnan(x) || x < limit;
    };
  };
  const auto first = std::lower_bound(ticks.begin(), ticks.end(), 0.0, below(l.plot.x)) - ticks.begin();
  const auto last =
      std::lower_bound(ticks.begin(), ticks.end(), 0.0, below(l.plot.right() + 1)) - ticks.begin();
  return {static_cast<size_t>(std::max<std::ptrdiff_t>(0, first - 1)),
          std::min(ticks.size(), static_cast<size_t>(last) + 1)};
}

bool stands_alone(const LinePlot& plot, const LineLayout& l, size_t i) {
  return plot.ticks[i] == 0 && l.along.slot != 0;
}

std::vector<Point> thin_of(const Pyramid& values, const LinePlot& plot, const LineLayout& l, double pixel) {
  auto [first, last] = seen_of(plot, l);
  std::vector<Point> out;
  const auto y_of = [&l](double v) { return l.value.pixel(v); };
  if (l.is_turned) {  // layers are few
    for (size_t i = 0; i < std::min(plot.ticks.size(), values.size()); ++i)
      out.push_back(l.point(plot.ticks[i], values.values()[i]));
    return out;
  }
  if (values.size() == 0) return out;
  while (first < last && stands_alone(plot, l, first)) {
    out.push_back(l.point(0, values.values()[first]));
    out.push_back({nan, nan});
    ++first;
  }
  const auto x_of = [&](size_t i) { return l.along.pixel(plot.ticks[i]); };
  const std::vector<Point> rest = thinned(values, first, last, x_of, y_of, pixel);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

struct Ends {
  std::vector<Point> low, high;
};

// One stretch a pixel column is all that can be seen; it keeps the furthest ends.
Ends ends_of(const Pyramid& low, const Pyramid& high, const LinePlot& plot, const LineLayout& l,
             double pixel) {
  Ends ends;
  auto [first, last] = seen_of(plot, l);
  const auto add = [&](double tick, double a, double b) {
    ends.low.push_back(l.point(tick, a));
    ends.high.push_back(l.point(tick, b));
  };
  for (size_t i = first; i < last;) {
    const double x = l.along.pixel(plot.ticks[i]);
    size_t inside = i;
    if (!l.is_turned && std::isfinite(x) && !stands_alone(plot, l, i)) {
      const double edge = (std::floor(x / pixel) + 1) * pixel;
      const auto end = std::lower_bound(plot.ticks.begin() + static_cast<std::ptrdiff_t>(i),
                                        plot.ticks.begin() + static_cast<std::ptrdiff_t>(last), 0.0,
                                        [&](double tick, double) { return l.along.pixel(tick) < edge; });
      inside = static_cast<size_t>(
          std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(i), end - plot.ticks.begin() - 1));
    }
    const Pyramid::Extremes a = low.over(i, inside + 1), b = high.over(i, inside + 1);
    if (inside == i || !a.has_value || !b.has_value) {
      add(plot.ticks[i], low.values()[i], high.values()[i]);
      if (stands_alone(plot, l, i)) ends.low.push_back({nan, nan}), ends.high.push_back({nan, nan});
    } else {
      add(plot.ticks[i], low.values()[a.low], high.values()[b.high]);
    }
    i = inside + 1;
  }
  return ends;
}

// A hatch as tall as a word at the foot of the plot.
void draw_foot(Canvas& canvas, const Theme& theme, const LineLayout& l, double x, double half, Absent what) {
  if (x < l.plot.x || x > l.plot.right()) return;
  draw_absent(canvas, theme, {x - half, l.plot.bottom() - 10, 2 * half, 10}, what);
}

}  // namespace

void draw_interval(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
                   const Theme& theme, Canvas& canvas) {
  const Pyramid &low = lines.low[line], &high = lines.high[line];
  if (low.size() == 0 || high.size() == 0) return;
  const Ends ends = ends_of(low, high, lines.plot, l, canvas.pixel());
  if (!lines.plot.series[line].fit.empty()) {
    for (size_t i = 0; i < ends.low.size(); ++i)
      draw_whisker(canvas, ends.low[i], ends.high[i], mix(style.line, theme.canvas, 0.4));
    return;
  }
  draw_band(canvas, ends.low, ends.high, band_color(theme, style.line));
}

void draw_curve(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
                Canvas& canvas) {
  const LinePlot& plot = lines.plot;
  const std::vector<Point> points = thin_of(lines.value[line], plot, l, canvas.pixel());
  const bool has_fit = !plot.series[line].fit.empty();
  if (!has_fit) canvas.polyline(points, style.line, style.width);
  if (!style.is_strong) return;
  const bool are_few = plot.ticks.size() <= 30;
  const double radius = plot.ticks.size() > 60 ? 1.7 : 2.2;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!std::isfinite(points[i].x) || !std::isfinite(points[i].y)) continue;
    const bool before_hole = i + 1 >= points.size() || !std::isfinite(points[i + 1].y);
    const bool after_hole = i == 0 || !std::isfinite(points[i - 1].y);
    // A value without neighbours would be no line at all.
    if (has_fit || are_few || (before_hole && after_hole))
      canvas.disc(points[i], has_fit ? radius : 2.2, style.line);
  }
}

void draw_fit_band(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
                   const Theme& theme, Canvas& canvas) {
  const LineSeries& series = lines.plot.series[line];
  if (series.fit_low.empty() || series.fit_high.empty() || !style.is_strong) return;
  const Ends ends = ends_of(Pyramid(series.fit_low), Pyramid(series.fit_high), lines.plot, l, canvas.pixel());
  draw_band(canvas, ends.low, ends.high, band_color(theme, style.line));
}

void draw_fit(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
              const Theme& theme, Canvas& canvas) {
  const LinePlot& plot = lines.plot;
  const LineSeries& series = plot.series[line];
  if (series.fit.empty() || !style.is_strong) return;
  const double pixel = canvas.pixel();
  std::vector<Point> curve = thin_of(Pyramid(series.fit), plot, l, pixel);
  if (series.peak_in_sight(plot.ticks) && !l.is_turned) {
    // The curve passes through its peak, which may lie between two checkpoints.
    const Point top = l.point(series.peak, series.peak_value);
    const auto after = std::find_if(curve.begin(), curve.end(), [&top](Point p) { return p.x > top.x; });
    if (std::isfinite(top.x) && std::isfinite(top.y) && after != curve.begin()) curve.insert(after, top);
  }
  canvas.polyline(curve, style.line, 2);
  if (!std::isfinite(series.peak) || l.is_turned) return;
  // The fitted value at the peak: between its two neighbours, so that the mark lies on the curve.
  const auto above = std::lower_bound(plot.ticks.begin(), plot.ticks.end(), series.peak) - plot.ticks.begin();
  if (above <= 0 || above >= static_cast<std::ptrdiff_t>(plot.ticks.size())) return;
  const auto i = static_cast<size_t>(above);
  const double x = l.along.pixel(series.peak), x0 = l.along.pixel(plot.ticks[i - 1]),
               x1 = l.along.pixel(plot.ticks[i]);
  const double y0 = l.value.pixel(series.fit[i - 1]), y1 = l.value.pixel(series.fit[i]);
  const double between = x1 > x0 ? y0 + (y1 - y0) * (x - x0) / (x1 - x0) : y1;
  const double y = std::isfinite(series.peak_value) ? l.value.pixel(series.peak_value) : between;
  if (!std::isfinite(x) || !std::isfinite(y) || x < l.plot.x || x > l.plot.right()) return;
  canvas.line({x, y}, {x, l.plot.bottom()}, theme.ink, 1, Dash::reference);
  const double from = l.along.pixel(series.peak_low), to = l.along.pixel(series.peak_high);
  if (std::isfinite(from) && std::isfinite(to))
    canvas.fill({from, l.plot.bottom() - 2, std::max(2.0, to - from), 4}, theme.ink);
  draw_diamond(canvas, {x, y}, 7, theme.ink);
  draw_diamond(canvas, {x, y}, 5, theme.canvas);
}

void draw_noise(const Lines& lines, size_t line, const LineLayout& l, const Theme& theme, Canvas& canvas) {
  const Pyramid &low = lines.noise_low[line], &high = lines.noise_high[line];
  if (low.size() == 0 || high.size() == 0) return;
  const Ends ends = ends_of(low, high, lines.plot, l, canvas.pixel());
  draw_band(canvas, ends.low, ends.high, theme.raised);
  if (l.is_turned) return;
  double tallest = 0;
  Point at;
  for (size_t i = 0; i < ends.low.size(); ++i) {
    const double top = std::max(ends.high[i].y, l.plot.y), bottom = std::min(ends.low[i].y, l.plot.bottom());
    if (bottom - top <= tallest) continue;
    tallest = bottom - top;
    at = {ends.high[i].x, (top + bottom) / 2};
  }
  const double half = canvas.text_width("noise", line_label_font) / 2;
  if (tallest < 14) return;
  at.x = std::clamp(at.x, l.plot.x + half + 4, l.plot.right() - half - 4);
  canvas.text(at, "noise", line_label_font, theme.ink3, Align::center);
}

void draw_noise_floor(const LinePlot& plot, const LineLayout& l, const Theme& theme, Canvas& canvas) {
  if (plot.floor.empty() || l.is_turned) return;
  const double top = std::clamp(l.value.pixel(plot.floor.front()), l.plot.y, l.plot.bottom());
  if (!(top < l.plot.bottom() - 1)) return;
  canvas.fill({l.plot.x, top, l.plot.w, l.plot.bottom() - top}, theme.raised);
  if (l.plot.bottom() - top > 11)
    canvas.text({l.plot.x + 24, top + 6}, "noise floor", line_label_font, theme.ink3);
}

void draw_left_out(const Lines& lines, const LineLayout& l, const Theme& theme, Canvas& canvas) {
  if (l.is_turned) return;
  constexpr size_t most = 200;
  const LinePlot& plot = lines.plot;
  for (size_t k = 0; k < std::min(most, lines.left_out.size()); ++k) {
    const size_t i = lines.left_out[k];
    const bool is_bad = i < plot.bad.size() && plot.bad[i];
    draw_foot(canvas, theme, l, l.along.pixel(plot.ticks[i]), 3, is_bad ? Absent::bad : Absent::missing);
  }
}

void draw_events(const Dataset& data, const LineLayout& l, const Look& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  const double y = l.plot.y - 9;
  double taken = l.plot.x - 10;
  std::vector<Event> events = data.events;
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.step < b.step; });
  for (size_t i = 0; i < events.size(); ++i) {
    const double x = l.along.pixel(static_cast<double>(events[i].step));
    if (!(x >= l.plot.x && x <= l.plot.right())) continue;
    canvas.line({x, y + 4}, {x, l.plot.bottom()}, theme.strong, 1, Dash::event);
    draw_diamond(canvas, {x, y}, 4, theme.ink2);
    double next = look.area.right();
    if (i + 1 < events.size()) {
      const double after = l.along.pixel(static_cast<double>(events[i + 1].step));
      if (std::isfinite(after)) next = std::min(next, after - 8);
    }
    const double width = canvas.text_width(events[i].label, line_label_font);
    if (x + 8 + width <= next) {
      canvas.text({x + 8, y}, events[i].label, line_label_font, theme.ink2);
      taken = x + 8 + width;
    } else if (x - 8 - width >= taken + 8) {
      canvas.text({x - 8, y}, events[i].label, line_label_font, theme.ink2, Align::right);
      taken = x + 6;
    } else {
      taken = x + 6;  // words that would touch are hidden; the diamond stays
    }
  }
}

}  // namespace varve
