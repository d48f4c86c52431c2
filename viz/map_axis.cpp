// Places cells along an axis, and says which one lies under a pixel.
#include "viz/map_axis.h"

#include <algorithm>
#include <cmath>

#include "viz/pick.h"

namespace varve {
namespace {

constexpr Font tick_font{7.5, Face::sans}, bold_font{7.5, Face::sans_bold};

bool is_rising(const std::vector<double>& ticks) {
  for (size_t i = 0; i < ticks.size(); ++i)
    if (!(ticks[i] >= 0) || (i > 0 && !(ticks[i] > ticks[i - 1]))) return false;
  return ticks.size() > 1;
}

MapAxis by_step(const std::vector<double>& ticks, bool log, double from, double to) {
  MapAxis axis;
  axis.is_scaled = true;
  axis.scale = log ? step_scale(ticks, from, to) : linear_scale(ticks.front(), ticks.back(), from, to);
  size_t begin = 0;
  if (axis.scale.slot != 0) {
    axis.parts.push_back({{from, from + axis.scale.slot * 0.55}, 0, 1});
    begin = 1;
  }
  MapAxis::Part part;
  part.first = static_cast<int64_t>(begin);
  for (size_t i = begin; i <= ticks.size(); ++i) {
    // Each cell reaches half way to its neighbours; the outer two end with the axis.
    double edge = to;
    if (i < ticks.size()) edge = axis.scale.pixel(ticks[i]);
    if (i > begin && i < ticks.size()) edge = (axis.scale.pixel(ticks[i - 1]) + edge) / 2;
    if (i == begin && axis.scale.slot != 0) edge = from + axis.scale.slot * 0.8;
    part.edges.push_back(edge);
  }
  if (ticks.size() > begin) axis.parts.push_back(std::move(part));
  return axis;
}

}  // namespace

MapAxis map_axis(const Dataset& data, const std::string& name, int64_t count, const std::string& steps,
                 double from, double to, Direction direction) {
  MapAxis axis;
  const std::vector<double> ticks = ticks_along(data, name, count);
  if (name == "step" && steps != "even" && direction == Direction::forward && data.coord(name) &&
      is_rising(ticks)) {
    axis = by_step(ticks, steps == "log", from, to);
  } else {
    MapAxis::Part part;
    for (int64_t i = 0; i <= count; ++i)
      part.edges.push_back(from + (to - from) * static_cast<double>(i) /
                                      static_cast<double>(std::max<int64_t>(1, count)));
    if (direction == Direction::backward) part.first = count - 1, part.step = -1;
    axis.parts.push_back(std::move(part));
  }
  axis.names = names_along(data, name, count);
  return axis;
}

void MapAxis::move(double origin, double zoom, double pan) {
  for (Part& part : parts)
    for (double& edge : part.edges) edge = origin + (edge - origin) * zoom + pan;
  scale = scale.moved(origin, zoom, pan);
}

std::optional<int64_t> MapAxis::item_at(double pixel) const {
  for (const Part& part : parts) {
    const auto above = std::upper_bound(part.edges.begin(), part.edges.end(), pixel);
    if (above == part.edges.begin() || above == part.edges.end()) continue;
    return part.item(above - part.edges.begin() - 1);
  }
  return std::nullopt;
}

std::optional<std::pair<double, double>> MapAxis::extent(int64_t item) const {
  for (const Part& part : parts) {
    const int64_t cell = (item - part.first) * part.step;
    if (cell < 0 || cell + 1 >= static_cast<int64_t>(part.edges.size())) continue;
    return std::pair(part.edges[static_cast<size_t>(cell)], part.edges[static_cast<size_t>(cell + 1)]);
  }
  return std::nullopt;
}

double MapAxis::middle(int64_t item) const {
  const auto range = extent(item);
  return range ? (range->first + range->second) / 2 : -1e9;
}

void MapAxis::draw_along_x(Canvas& canvas, const Theme& theme, Box plot, const std::string& title,
                           std::optional<int64_t> chosen) const {
  const Measure measure = [&canvas](const std::string& text) { return canvas.text_width(text, bold_font); };
  if (is_scaled) {
    const std::vector<Tick> ticks = ticks_of(scale, plot.x, plot.right(), measure, true, 6);
    const std::string spacing = scale.spacing == Spacing::linear ? "" : ", log";
    draw_x_axis(canvas, theme, plot, scale, ticks, title + spacing, Grid::none);
    return;
  }
  const double width = parts.front().edges.size() > 1 ? parts.front().edges[1] - parts.front().edges[0] : 0;
  for (const Tick& tick : item_ticks(names, width, measure)) {
    const auto item = static_cast<int64_t>(tick.value);
    const double at = middle(item);
    if (at < plot.x || at > plot.right() || chosen == item) continue;
    if (chosen && std::abs(middle(*chosen) - at) < measure(tick.label) + 4) continue;
    canvas.text({at, plot.bottom() + 12}, tick.label, tick_font, theme.ink3, Align::center);
  }
  if (chosen && *chosen >= 0 && *chosen < static_cast<int64_t>(names.size()) && middle(*chosen) >= plot.x &&
      middle(*chosen) <= plot.right())
    canvas.text({middle(*chosen), plot.bottom() + 12}, names[static_cast<size_t>(*chosen)], bold_font,
                theme.ink, Align::center);
  canvas.text({plot.x + plot.w / 2, plot.bottom() + 30}, title, tick_font, theme.ink3, Align::center);
}

void MapAxis::draw_along_y(Canvas& canvas, const Theme& theme, Box plot, const std::string& title,
                           std::optional<int64_t> chosen) const {
  const Measure height = [](const std::string&) { return 11.0; };
  const double each = parts.front().edges.size() > 1 ? parts.front().edges[1] - parts.front().edges[0] : 0;
  std::vector<Tick> ticks = item_ticks(names, each, height, 0);
  if (is_scaled) {
    ticks.clear();
    for (size_t i = 0; i < names.size(); ++i) ticks.push_back({static_cast<double>(i), names[i]});
  }
  double before = -1e9;
  for (const Tick& tick : ticks) {
    const auto item = static_cast<int64_t>(tick.value);
    const double at = middle(item);
    if (at < plot.y || at > plot.bottom() || chosen == item) continue;
    if (std::abs(at - before) < 11 || (chosen && std::abs(middle(*chosen) - at) < 11)) continue;
    before = at;
    canvas.text({plot.x - 7, at}, elide(canvas, tick.label, tick_font, plot.x - canvas.area().x - 8),
                tick_font, theme.ink3, Align::right);
  }
  if (chosen && *chosen >= 0 && *chosen < static_cast<int64_t>(names.size()) && middle(*chosen) >= plot.y &&
      middle(*chosen) <= plot.bottom())
    canvas.text({plot.x - 7, middle(*chosen)}, names[static_cast<size_t>(*chosen)], bold_font, theme.ink,
                Align::right);
  if (title == "layer") {
    canvas.vertical_text({plot.x - 46, plot.y + plot.h / 2}, title, tick_font, theme.ink3);
  } else {
    canvas.text({plot.x - 44, plot.y - 15}, title, tick_font, theme.ink3);
  }
}

}  // namespace varve
