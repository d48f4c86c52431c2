// Drawing the rail.
#include "app/desktop/rail_drawing.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/core/text.h"
#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"

namespace varve {

namespace {

constexpr Font label{.points = 7.5, .face = Face::sans};
constexpr Font flag{.points = 7.5, .face = Face::sans_bold};
constexpr double left_margin = 76, right_margin = 30;
constexpr double widest_lamina = 7;
constexpr double missing_change = 0.5;  // middle of the map: a lamina whose change nobody knows
constexpr double lane_height = 10, lane_pitch = 12;

struct Lanes {
  Box loss, core;                          // core: all lanes together
  double events = 0, ruler = 0, flag = 0;  // middles of the words; top of the cursor's flag
  Box lane(size_t i) const {
    return {core.x, core.y + static_cast<double>(i) * lane_pitch, core.w, lane_height};
  }
};

size_t lane_count(const Opened& opened) {
  return std::min(most_lanes, std::max<size_t>(1, opened.branches.size()));
}

// More branches take from the loss: the rail keeps its height.
Lanes lanes_of(const Opened& opened, const Box& area) {
  const double left = area.x + left_margin, width = area.w - left_margin - right_margin;
  const double cores = static_cast<double>(lane_count(opened)) * lane_pitch;
  const double core_top = area.y + 77 - cores;
  return {.loss = {left, area.y + 22, width, core_top - 4 - (area.y + 22)},
          .core = {left, core_top, width, cores - (lane_pitch - lane_height)},
          .events = area.y + 11,
          .ruler = area.y + 88,
          .flag = area.y + 97};
}

// Which branches are seen: from the first lane on.
std::vector<std::string> seen_branches(const Opened& opened, const RailLook& look) {
  std::vector<std::string> seen;
  for (size_t i = look.first_lane; i < opened.branches.size() && seen.size() < most_lanes; ++i)
    seen.push_back(opened.branches[i]);
  return seen;
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

void draw_lane(const std::vector<Stop>& stops, const Scale& scale, const Box& box, bool is_main,
               const RailLook& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  canvas.fill(box, theme.raised);
  const ColorMap& strata = color_map("strata", theme);
  const ChangeScale change(stops);
  std::vector<double> x;
  for (const Stop& stop : stops) x.push_back(scale.pixel(static_cast<double>(stop.step)));
  for (size_t i = 0; i < x.size(); ++i) {
    double room = widest_lamina + 1;
    if (i > 0) room = std::min(room, x[i] - x[i - 1]);
    if (i + 1 < x.size()) room = std::min(room, x[i + 1] - x[i]);
    const double width = room > 4 ? room - 1 : std::max(room, 1.0);
    const Stop& stop = stops[i];
    const Box lamina{x[i] - width / 2, box.y, width, box.h};
    canvas.fill(lamina, strata.at(change.unit(stop.change)));
    if (stop.nonfinite > 0) {
      canvas.fill(lamina, theme.raised);
      canvas.line({lamina.x, lamina.bottom()}, {lamina.right(), lamina.y}, theme.fail);
      canvas.frame(lamina.inset(-1), theme.fail, 1);
    }
    if (is_main && look.run && look.run->cells.contains(stop.step))
      canvas.fill({x[i] - std::min(width, 4.0) / 2, box.bottom() + 1, std::min(width, 4.0), 2}, theme.cached);
  }
}

void draw_cores(const Opened& opened, const Scale& scale, const Lanes& lanes, const RailLook& look,
                Canvas& canvas) {
  const Theme& theme = *look.theme;
  const std::vector<std::string> seen = seen_branches(opened, look);
  for (size_t i = 0; i < seen.size(); ++i) {
    const bool is_now = seen[i] == look.branch || opened.branches.size() == 1;
    const Box lane = lanes.lane(i);
    draw_lane(opened.stops_of(seen[i]), scale, lane, is_now, look, canvas);
    if (opened.branches.size() > 1) {
      const Font font = is_now ? flag : label;
      canvas.text({look.area.x, lane.y + lane.h / 2}, elide(canvas, seen[i], font, left_margin - 10), font,
                  is_now ? theme.ink : theme.ink3);
    }
  }
  const size_t more = opened.branches.size() - look.first_lane - seen.size();
  if (more > 0)
    canvas.text({lanes.core.right() + 4, lanes.core.bottom() - 5}, "+" + std::to_string(more), label,
                theme.ink3);
}

// Words that would touch flip to the other side of their diamond, then hide.
void draw_events(const Scale& scale, const Lanes& lanes, const RailLook& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  std::vector<std::pair<double, double>> taken;  // stretches with words or diamonds
  const auto is_free = [&taken, &lanes](double from, double to) {
    if (from < lanes.loss.x - 8 || to > lanes.loss.right() + right_margin) return false;
    return std::none_of(taken.begin(), taken.end(),
                        [&](const auto& other) { return from < other.second && to > other.first; });
  };
  for (const RailEvent& event : look.events)
    if (const double x = scale.pixel(static_cast<double>(event.step)); std::isfinite(x))
      taken.emplace_back(x - 5, x + 5);
  for (const RailEvent& event : look.events) {
    const double x = scale.pixel(static_cast<double>(event.step));
    if (!std::isfinite(x)) continue;
    const Color color = event.is_bad ? theme.fail : theme.strong;
    canvas.line({x, lanes.events + 6}, {x, lanes.core.bottom()}, color, 1, Dash::event);
    draw_diamond(canvas, {x, lanes.events}, 3.5, event.is_bad ? theme.fail : theme.ink2);
    const double width = canvas.text_width(event.label, label);
    if (is_free(x + 6, x + 10 + width)) {
      canvas.text({x + 8, lanes.events}, event.label, label, theme.ink2);
      taken.emplace_back(x + 6, x + 16 + width);
    } else if (is_free(x - 10 - width, x - 6)) {
      canvas.text({x - 8, lanes.events}, event.label, label, theme.ink2, Align::right);
      taken.emplace_back(x - 16 - width, x - 6);
    }
  }
}

void draw_brush(const Scale& scale, const Lanes& lanes, const RailLook& look, Canvas& canvas) {
  if (!look.brush) return;
  const double from = scale.pixel(static_cast<double>(look.brush->first));
  const double to = scale.pixel(static_cast<double>(look.brush->second));
  if (!std::isfinite(from) || !std::isfinite(to)) return;
  const Box box{from, lanes.loss.y, std::max(1.0, to - from), lanes.loss.h};
  canvas.fill(box, look.theme->soft);
  canvas.frame(box, look.theme->ink, 1);
}

void draw_pin(const Scale& scale, const Lanes& lanes, const RailLook& look, Canvas& canvas) {
  if (!look.pin) return;
  const double x = scale.pixel(static_cast<double>(*look.pin));
  if (!std::isfinite(x)) return;
  const Color color = look.theme->category[1];
  canvas.fill({x - 0.5, lanes.loss.y, 1, lanes.core.bottom() - lanes.loss.y}, color);
  canvas.fill({x - 7, lanes.flag, 14, 14}, color, 3);
  canvas.text({x, lanes.flag + 7.5}, "A", flag, text_on(color), Align::center);
}

void draw_ruler(const Scale& scale, const Lanes& lanes, const RailLook& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Measure measure = [&canvas](const std::string& text) { return canvas.text_width(text, label); };
  for (const Tick& tick : ticks_of(scale, lanes.core.x, lanes.core.right(), measure, true)) {
    const double x = scale.pixel(tick.value);
    if (!std::isfinite(x)) continue;
    canvas.line({x, lanes.core.bottom() + 4}, {x, lanes.core.bottom() + (tick.label.empty() ? 6.0 : 8.0)},
                theme.strong);
    if (!tick.label.empty()) canvas.text({x, lanes.ruler}, tick.label, label, theme.ink3, Align::center);
  }
  if (scale.spacing == Spacing::log_step && scale.slot != 0)
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

std::vector<RailEvent> rail_events(const Session& session) {
  std::vector<RailEvent> events;
  const auto add = [&events](RailEvent event) {
    for (const RailEvent& known : events)
      if (known.step == event.step && known.label == event.label) return;
    events.push_back(std::move(event));
  };
  for (const Stop& stop : session.stops())
    if (stop.nonfinite > 0)
      add({.step = stop.step,
           .label = show_count(stop.nonfinite) + " not finite",
           .rule = "entries of the weights that are NaN or infinite",
           .is_bad = true});
  for (const auto& [id, run] : session.runs())
    if (run.series && run.request.branch == session.choice().branch)
      for (const Event& event : run.series->events)
        add({.step = event.step, .label = event.label, .rule = run.request.analysis + ": " + event.rule});
  std::stable_sort(events.begin(), events.end(),
                   [](const RailEvent& a, const RailEvent& b) { return a.step < b.step; });
  return events;
}

Scale rail_scale(const Opened& opened, const Box& area) {
  std::vector<double> steps;
  for (const auto& [branch, stops] : opened.lanes)
    for (const Stop& stop : stops) steps.push_back(static_cast<double>(stop.step));
  std::sort(steps.begin(), steps.end());
  const Lanes lanes = lanes_of(opened, area);
  return step_scale(steps, lanes.core.x + 8, lanes.core.right() - 8);
}

std::optional<RailEvent> event_at(const Opened& opened, const RailLook& look, Point point) {
  const Lanes lanes = lanes_of(opened, look.area);
  if (std::abs(point.y - lanes.events) > 9) return std::nullopt;
  const Scale scale = rail_scale(opened, look.area);
  std::optional<RailEvent> nearest;
  double best = 7;
  for (const RailEvent& event : look.events)
    if (const double away = std::abs(scale.pixel(static_cast<double>(event.step)) - point.x); away < best) {
      best = away;
      nearest = event;
    }
  return nearest;
}

std::string lane_at(const Opened& opened, const RailLook& look, Point point) {
  const Lanes lanes = lanes_of(opened, look.area);
  const std::vector<std::string> seen = seen_branches(opened, look);
  for (size_t i = 0; i < seen.size(); ++i)
    if (const Box lane = lanes.lane(i); point.y >= lane.y - 1 && point.y < lane.bottom() + 1) return seen[i];
  return "";
}

void draw_rail(const Opened& opened, int64_t current_step, const RailLook& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  const Lanes lanes = lanes_of(opened, look.area);
  const Scale scale = rail_scale(opened, look.area);
  const double x = look.area.x;
  const std::vector<Stop>& stops = opened.stops_of(look.branch);
  const bool logs = !opened.loss.empty();
  canvas.text({x, lanes.events}, "events", label, theme.ink2);
  if (look.events.empty())
    canvas.text({lanes.loss.x, lanes.events}, "none found yet: analyses over the series find them", label,
                theme.ink3);
  canvas.text({x, lanes.loss.y + lanes.loss.h / 2}, logs ? "loss, nats" : "loss", label, theme.ink2);
  if (opened.branches.size() == 1)
    canvas.text({x, lanes.core.y + lanes.core.h / 2}, "Δ weights", label, theme.ink2);
  canvas.text({x, lanes.ruler}, scale.spacing == Spacing::linear ? "step" : "step, log", label, theme.ink2);
  draw_loss(opened, scale, lanes, look, canvas);
  draw_brush(scale, lanes, look, canvas);
  draw_cores(opened, scale, lanes, look, canvas);
  draw_ruler(scale, lanes, look, canvas);
  draw_events(scale, lanes, look, canvas);
  draw_pin(scale, lanes, look, canvas);

  const bool hovers =
      look.pointer && look.pointer->x >= lanes.core.x && look.pointer->x <= lanes.core.right();
  if (hovers) {
    std::string words;
    double hover = 0;
    if (const auto event = event_at(opened, look, *look.pointer)) {
      hover = scale.pixel(static_cast<double>(event->step));
      words = event->label + " · step " + show_count(event->step) + " · " + event->rule;
    } else {
      const auto under = static_cast<int64_t>(std::llround(scale.value(look.pointer->x)));
      const Stop& stop = stops[static_cast<size_t>(nearest_stop(stops, under))];
      hover = scale.pixel(static_cast<double>(stop.step));
      words = "step " + show_count(stop.step);
      if (std::isfinite(stop.change) && stop.change >= 0) words += " · Δ " + show_number(stop.change);
      if (const LossPoint* loss = opened.loss_at(stop.step)) words += " · loss " + show_number(loss->nats);
    }
    canvas.line({hover, lanes.loss.y}, {hover, lanes.core.bottom()}, theme.strong, 1, Dash::event);
    draw_flag(hover, words, theme.raised, theme.ink, lanes, look.area, canvas);
  }
  // The cursor last, with a halo, so that it is seen on every lamina.
  const double cursor = scale.pixel(static_cast<double>(current_step));
  const double top = lanes.loss.y - 2, height = lanes.core.bottom() - lanes.loss.y + 4;
  canvas.fill({cursor - 2.5, top, 5, height}, theme.panel);
  canvas.fill({cursor - 1.5, top, 3, height}, theme.ink);
  if (!hovers)
    draw_flag(cursor, "step " + show_step(current_step), theme.tip, theme.tip_text, lanes, look.area, canvas);
}

}  // namespace varve
