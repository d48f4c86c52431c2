// Drawing the rail.
#include "app/desktop/rail_drawing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "analysis/core/text.h"
#include "viz/draw/glyphs.h"

namespace varve {

namespace {

constexpr Font label{.points = 7.5, .face = Face::sans};
constexpr Font flag{.points = 7.5, .face = Face::sans_bold};
constexpr double left_margin = 76, right_margin = 30;
constexpr double widest_lamina = 7;
constexpr double missing_change = 0.5;  // middle of the map: a lamina whose change nobody knows

struct Lanes {
  Box loss, core;
  double ruler = 0, flag = 0;  // y of the labels' middle, top of the cursor's flag
};

Lanes lanes_of(const Box& area) {
  const double left = area.x + left_margin, width = area.w - left_margin - right_margin;
  return {.loss = {left, area.y + 12, width, 44},
          .core = {left, area.y + 62, width, 12},
          .ruler = area.y + 87,
          .flag = area.y + 97};
}

// Colours laminae by the logarithm of the change: it spans decades over a training run.
class ChangeScale {
 public:
  explicit ChangeScale(const std::vector<Stop>& stops) {
    for (const Stop& stop : stops)
      if (std::isfinite(stop.change) && stop.change > 0) {
        low_ = std::min(low_, std::log(stop.change));
        high_ = std::max(high_, std::log(stop.change));
      }
  }
  double unit(double change) const {
    if (!std::isfinite(change) || change <= 0) return missing_change;
    if (high_ - low_ < 1e-9) return missing_change;
    // The palest tenth of the map would vanish on the panel.
    return 0.12 + 0.82 * (std::log(change) - low_) / (high_ - low_);
  }

 private:
  double low_ = 1e300, high_ = -1e300;
};

void draw_loss(const Opened& opened, const Scale& scale, const Lanes& lanes, const RailLook& look,
               Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Box& box = lanes.loss;
  canvas.fill(box, theme.canvas);
  if (opened.loss.empty()) {
    canvas.text({box.x + box.w / 2, box.y + box.h / 2}, "no training log beside this series", label,
                theme.ink3, Align::center);
    return;
  }
  double low = 1e300, high = -1e300;
  for (const LossPoint& point : opened.loss) {
    low = std::min(low, point.nats);
    high = std::max(high, point.nats);
  }
  const double span = std::max(1e-9, high - low);
  const auto y_of = [&](double nats) { return box.bottom() - 3 - (nats - low) / span * (box.h - 6); };
  // One bar from least to greatest for each column of pixels: no point of a long log is skipped.
  const auto columns = static_cast<size_t>(std::max(1.0, std::ceil(box.w)));
  std::vector<std::pair<double, double>> band(columns, {1e300, -1e300});
  std::vector<Point> middle;
  for (const LossPoint& point : opened.loss) {
    const double x = scale.pixel(static_cast<double>(point.step));
    if (!std::isfinite(x) || x < box.x || x > box.right()) continue;
    if (point.step <= 0) {
      canvas.disc({x, y_of(point.nats)}, 2, theme.category[0]);
      continue;
    }
    auto& [least, most] = band[std::min(columns - 1, static_cast<size_t>(x - box.x))];
    least = std::min(least, y_of(point.nats));
    most = std::max(most, y_of(point.nats));
  }
  for (size_t column = 0; column < columns; ++column) {
    const auto& [least, most] = band[column];
    if (least > most) continue;
    const double x = box.x + static_cast<double>(column) + 0.5;
    if (most - least > 1.5)
      canvas.fill({x - 0.5, least, 1, most - least}, mix(theme.category[0], theme.canvas, 0.55));
    middle.push_back({x, (least + most) / 2});
  }
  canvas.polyline(middle, theme.category[0], 1.75);
  const double x = box.x - 8;
  canvas.text({x, box.y + 5}, show_number(high), label, theme.ink3, Align::right);
  canvas.text({x, box.bottom() - 5}, show_number(low), label, theme.ink3, Align::right);
}

void draw_core(const Opened& opened, const Scale& scale, const Lanes& lanes, const RailLook& look,
               Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Box& box = lanes.core;
  canvas.fill(box, theme.raised);
  const ColorMap& strata = color_map("strata", theme);
  const ChangeScale change(opened.stops);
  std::vector<double> x;
  for (const Stop& stop : opened.stops) x.push_back(scale.pixel(static_cast<double>(stop.step)));
  for (size_t i = 0; i < x.size(); ++i) {
    double room = widest_lamina + 1;
    if (i > 0) room = std::min(room, x[i] - x[i - 1]);
    if (i + 1 < x.size()) room = std::min(room, x[i + 1] - x[i]);
    const double width = room > 4 ? room - 1 : std::max(room, 1.0);
    const Stop& stop = opened.stops[i];
    const Box lamina{x[i] - width / 2, box.y, width, box.h};
    canvas.fill(lamina, strata.at(change.unit(stop.change)));
    if (stop.nonfinite > 0) canvas.frame(lamina.inset(-1), theme.fail, 1);
    if (look.run && look.run->cells.contains(stop.step))
      canvas.fill({x[i] - std::min(width, 4.0) / 2, box.bottom() + 1.5, std::min(width, 4.0), 2},
                  theme.cached);
  }
}

void draw_ruler(const Opened& opened, const Scale& scale, const Lanes& lanes, const RailLook& look,
                Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Measure measure = [&canvas](const std::string& text) { return canvas.text_width(text, label); };
  for (const Tick& tick : ticks_of(scale, lanes.core.x, lanes.core.right(), measure, true)) {
    const double x = scale.pixel(tick.value);
    if (!std::isfinite(x)) continue;
    canvas.line({x, lanes.core.bottom() + 4}, {x, lanes.core.bottom() + (tick.label.empty() ? 6.0 : 8.0)},
                theme.strong);
    if (!tick.label.empty()) canvas.text({x, lanes.ruler + 2}, tick.label, label, theme.ink3, Align::center);
  }
  if (opened.stops.front().step == 0 && opened.stops.size() > 1)
    draw_axis_break(canvas, theme, lanes.core, scale);
}

void draw_flag(double x, const std::string& words, Color fill, Color ink, const Lanes& lanes, const Box& area,
               Canvas& canvas) {
  const double width = canvas.text_width(words, flag) + 12;
  const double left = std::clamp(x - width / 2, area.x, area.right() - width - 2);
  canvas.fill({left, lanes.flag, width, 16}, fill, 3);
  canvas.text({left + width / 2, lanes.flag + 8.5}, words, flag, ink, Align::center);
}

}  // namespace

Scale rail_scale(const Opened& opened, const Box& area) {
  std::vector<double> steps;
  for (const Stop& stop : opened.stops) steps.push_back(static_cast<double>(stop.step));
  const Lanes lanes = lanes_of(area);
  return step_scale(steps, lanes.core.x + 8, lanes.core.right() - 8);
}

void draw_rail(const Opened& opened, int64_t current_step, const RailLook& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Lanes lanes = lanes_of(look.area);
  const Scale scale = rail_scale(opened, look.area);
  const double x = look.area.x;
  const bool logs = !opened.loss.empty();
  canvas.text({x, lanes.loss.y + lanes.loss.h / 2}, logs ? "loss, nats" : "loss", label, theme.ink2);
  canvas.text({x, lanes.core.y + lanes.core.h / 2}, "Δ weights", label, theme.ink2);
  canvas.text({x, lanes.ruler + 2}, scale.spacing == Spacing::linear ? "step" : "step, log", label,
              theme.ink2);
  draw_loss(opened, scale, lanes, look, canvas);
  draw_core(opened, scale, lanes, look, canvas);
  draw_ruler(opened, scale, lanes, look, canvas);

  if (look.pointer && look.pointer->x >= lanes.core.x && look.pointer->x <= lanes.core.right()) {
    const auto under = static_cast<int64_t>(std::llround(scale.value(look.pointer->x)));
    const Stop& stop = opened.stops[static_cast<size_t>(opened.nearest_stop(under))];
    const double hover = scale.pixel(static_cast<double>(stop.step));
    canvas.line({hover, lanes.loss.y}, {hover, lanes.core.bottom()}, theme.strong, 1, Dash::event);
    std::string words = "step " + show_count(stop.step);
    if (std::isfinite(stop.change) && stop.change >= 0) words += " · Δ " + show_number(stop.change);
    if (const LossPoint* loss = opened.loss_at(stop.step)) words += " · loss " + show_number(loss->nats);
    draw_flag(hover, words, theme.raised, theme.ink, lanes, look.area, canvas);
  }
  // The cursor last, with a halo, so that it is seen on every lamina.
  const double cursor = scale.pixel(static_cast<double>(current_step));
  const double top = lanes.loss.y - 2, height = lanes.core.bottom() - lanes.loss.y + 4;
  canvas.fill({cursor - 2.5, top, 5, height}, theme.panel);
  canvas.fill({cursor - 1.5, top, 3, height}, theme.ink);
  if (!look.pointer)
    draw_flag(cursor, "step " + show_step(current_step), theme.tip, theme.tip_text, lanes, look.area, canvas);
}

}  // namespace varve
