// Places a plot of two value axes and draws what stands around it.
#include "viz/plot_frame.h"

#include <algorithm>
#include <cmath>

namespace varve {
namespace {

constexpr Font label_font{7.5, Face::sans};

Scale scale_of(std::pair<double, double> range, bool log, double from, double to) {
  if (log) return log_scale(range.first, range.second, from, to);
  const auto [low, high] = rounded_out(range.first, range.second);
  return linear_scale(low, high, from, to);
}

}  // namespace

std::pair<double, double> ends_of(std::span<const double> values, bool log) {
  double low = 0, high = 0;
  bool is_first = true;
  for (const double v : values) {
    if (!std::isfinite(v) || (log && !(v > 0))) continue;
    low = is_first ? v : std::min(low, v);
    high = is_first ? v : std::max(high, v);
    is_first = false;
  }
  return is_first ? std::pair(log ? 1.0 : 0.0, log ? 10.0 : 1.0) : std::pair(low, high);
}

PlotFrame plot_frame(const Look& look, const PlotRange& range) {
  PlotFrame frame;
  frame.has_grid = range.has_grid;
  const Box a = look.area;
  frame.has_words = a.w >= 200 && a.h >= 130;
  frame.plot =
      frame.has_words ? Box{a.x + 52, a.y + range.top, a.w - 52 - range.right, a.h - range.top - 46} : a;
  frame.x =
      scale_of(range.x, range.log_x, frame.plot.x, frame.plot.right()).moved(a.x, look.zoom, look.pan.x);
  frame.y = scale_of(range.y, range.log_y, frame.plot.bottom(), frame.plot.y)
                .moved(a.y, look.zoom_down(), look.pan.y);
  return frame;
}

void draw_frame_x(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& x_title,
                  bool integers) {
  if (!frame.has_words) return;
  const Measure wide = [&canvas](const std::string& text) { return canvas.text_width(text, label_font); };
  const std::string log = frame.x.spacing == Spacing::linear ? "" : ", log";
  draw_x_axis(canvas, theme, frame.plot, frame.x,
              ticks_of(frame.x, frame.plot.x, frame.plot.right(), wide, integers, 14),
              x_title.empty() ? "" : x_title + log, Grid::none);
}

void draw_frame_y(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& y_title,
                  bool integers) {
  if (!frame.has_words) return;
  const Box& plot = frame.plot;
  const Measure high = [](const std::string&) { return 12.0; };
  const std::string log = frame.y.spacing == Spacing::linear ? "" : ", log";
  draw_y_axis(canvas, theme, plot, frame.y, ticks_of(frame.y, plot.bottom(), plot.y, high, integers, 16), "",
              frame.has_grid ? Grid::lines : Grid::none);
  if (!y_title.empty())
    canvas.text({plot.x - 46, plot.y - 14}, elide(canvas, y_title + log, label_font, plot.w + 40), label_font,
                theme.ink3);
}

void draw_frame(Canvas& canvas, const Theme& theme, const PlotFrame& frame, const std::string& x_title,
                const std::string& y_title, bool integers_x) {
  draw_frame_x(canvas, theme, frame, x_title, integers_x);
  draw_frame_y(canvas, theme, frame, y_title);
}

}  // namespace varve
