// Draws axes, their grid and the legend of a colour map.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "viz/draw/axes.h"
#include "viz/draw/glyphs.h"

namespace varve {
namespace {

constexpr Font tick_font{7.5, Face::sans};
constexpr Font bold_tick{7.5, Face::sans_bold};

bool is_within(double v, double from, double to) {
  return v >= std::min(from, to) - 0.5 && v <= std::max(from, to) + 0.5;
}

void arrow(Canvas& canvas, Point tip, Point left, Point right, Color color) {
  const Point corners[] = {tip, left, right};
  canvas.polygon(corners, color);
}

std::string scale_label(const ColorScale& scale, double value) {
  if (value == 0) return "0";
  if (scale.log && value >= 1) return show_step(static_cast<int64_t>(std::llround(value)));
  if (std::floor(value) == value && std::abs(value) < 1e4) return minus_signed(fmt::format("{:.0f}", value));
  std::string text = fmt::format("{:.3g}", value);
  return minus_signed(text);
}

}  // namespace

void draw_x_axis(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale,
                 std::span<const Tick> ticks, const std::string& title, Grid grid) {
  for (const Tick& tick : ticks) {
    const double x = scale.pixel(tick.value);
    if (!is_within(x, plot.x, plot.right())) continue;
    const bool is_minor = tick.label.empty();
    if (grid == Grid::lines && !is_minor) canvas.line({x, plot.y}, {x, plot.bottom()}, theme.grid);
    canvas.line({x, plot.bottom()}, {x, plot.bottom() + (is_minor ? 2 : 4)}, theme.strong);
    if (is_minor) continue;
    // A label at the end of the axis leans inwards rather than leave the picture.
    const double half = canvas.text_width(tick.label, tick_font) / 2;
    const Box area = canvas.area();
    const double at = std::clamp(x, area.x + half + 1, std::max(area.x + half + 1, area.right() - half - 1));
    canvas.text({at, plot.bottom() + 13}, tick.label, tick_font, theme.ink3, Align::center);
  }
  canvas.line({plot.x, plot.bottom()}, {plot.right(), plot.bottom()}, theme.strong);
  if (!title.empty())
    canvas.text({plot.x + plot.w / 2, plot.bottom() + 31}, elide(canvas, title, tick_font, plot.w + 24),
                tick_font, theme.ink3, Align::center);
  draw_axis_break(canvas, theme, plot, scale);
}

void draw_axis_break(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale) {
  if (scale.slot == 0) return;
  const double x = scale.from + scale.slot * 0.68;
  if (!is_within(x, plot.x, plot.right())) return;
  canvas.fill({x - 3, plot.bottom() - 2, 6, 4}, theme.canvas);
  for (const double shift : {-2.0, 2.0})
    canvas.line({x + shift - 2, plot.bottom() + 4}, {x + shift + 2, plot.bottom() - 4}, theme.strong);
}

void draw_y_axis(Canvas& canvas, const Theme& theme, Box plot, const Scale& scale,
                 std::span<const Tick> ticks, const std::string& title, Grid grid, double bold_value) {
  for (const Tick& tick : ticks) {
    const double y = scale.pixel(tick.value);
    if (!is_within(y, plot.y, plot.bottom())) continue;
    const bool is_minor = tick.label.empty();
    if (grid == Grid::lines && !is_minor) canvas.line({plot.x, y}, {plot.right(), y}, theme.grid);
    canvas.line({plot.x - (is_minor ? 2 : 4), y}, {plot.x, y}, theme.strong);
    if (is_minor) continue;
    const bool is_bold = tick.value == bold_value;
    canvas.text({plot.x - 8, y}, tick.label, is_bold ? bold_tick : tick_font,
                is_bold ? theme.ink : theme.ink3, Align::right);
  }
  canvas.line({plot.x, plot.y}, {plot.x, plot.bottom()}, theme.strong);
  if (!title.empty())
    canvas.text({std::max(canvas.area().x, plot.x - 40), plot.y - 12},
                elide(canvas, title, tick_font, plot.w + 40), tick_font, theme.ink3);
}

double unit_of(const ColorScale& scale, double value) {
  if (scale.log) {
    if (!(value > 0)) return 0;
    return std::log(value / scale.low) / std::log(scale.high / scale.low);
  }
  return (value - scale.low) / (scale.high - scale.low);
}

Color color_of(const ColorScale& scale, double value) { return scale.map->at(unit_of(scale, value)); }

void draw_color_scale(Canvas& canvas, const Theme& theme, Box bar, const ColorScale& scale) {
  if (bar.w < 4 || bar.h < 4) return;
  const bool is_upright = bar.h > bar.w;
  std::vector<Color> colors(scale.map->entries.begin(), scale.map->entries.end());
  if (is_upright) std::reverse(colors.begin(), colors.end());
  const int64_t n = static_cast<int64_t>(colors.size());
  canvas.cells(bar, is_upright ? n : 1, is_upright ? 1 : n, colors, 0);
  canvas.frame(bar, theme.strong);
  const double middle = scale.log ? std::sqrt(scale.low * scale.high) : (scale.low + scale.high) / 2;
  const double values[] = {scale.low, middle, scale.high};
  if (is_upright) {
    for (int i = 0; i < 3; ++i) {
      const double y = bar.bottom() - bar.h * i / 2;
      canvas.line({bar.right(), y}, {bar.right() + 3, y}, theme.strong);
      const double inside = i == 0 ? -3 : i == 2 ? 3 : 0;
      canvas.text({bar.right() + 6, y + inside}, scale_label(scale, values[i]), tick_font, theme.ink3);
    }
    const double x = bar.x + bar.w / 2;
    if (scale.above > 0)
      arrow(canvas, {x, bar.y - 7}, {x - 4, bar.y - 2}, {x + 4, bar.y - 2}, scale.map->entries[255]);
    if (scale.below > 0)
      arrow(canvas, {x, bar.bottom() + 7}, {x + 4, bar.bottom() + 2}, {x - 4, bar.bottom() + 2},
            theme.strong);
    return;
  }
  for (int i = 0; i < 3; ++i) {
    const double x = bar.x + bar.w * i / 2;
    canvas.line({x, bar.bottom()}, {x, bar.bottom() + 3}, theme.strong);
    canvas.text({x, bar.bottom() + 11}, scale_label(scale, values[i]), tick_font, theme.ink3, Align::center);
  }
  const double y = bar.y + bar.h / 2;
  if (scale.above > 0)
    arrow(canvas, {bar.right() + 7, y}, {bar.right() + 2, y - 4}, {bar.right() + 2, y + 4},
          scale.map->entries[255]);
  if (scale.below > 0) arrow(canvas, {bar.x - 7, y}, {bar.x - 2, y + 4}, {bar.x - 2, y - 4}, theme.strong);
  if (!scale.title.empty()) canvas.text({bar.x - 12, y}, scale.title, tick_font, theme.ink3, Align::right);
}

}  // namespace varve
