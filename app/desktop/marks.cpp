// Signs as lines and arcs: 12 px, 1.2 px line.
#include "app/desktop/marks.h"

#include <array>
#include <numbers>

namespace varve {

namespace {
constexpr double line_width = 1.4, radius = 4;
}

Color mark_color(Mark mark, const Theme& theme) {
  switch (mark) {
    case Mark::check:
      return theme.ok;
    case Mark::cross:
      return theme.fail;
    case Mark::warning:
      return theme.warn;
    case Mark::running:
    case Mark::pinned:
      return theme.accent;
    case Mark::cached:
      return theme.cached;
    default:
      return theme.ink3;
  }
}

void draw_square(Canvas& canvas, Point middle, Color color) {
  canvas.fill({middle.x - 4, middle.y - 4, 8, 8}, color);
}

void draw_mark(Canvas& canvas, Mark mark, Point middle, const Theme& theme, double turn) {
  const Color color = mark_color(mark, theme);
  const auto at = [&](double x, double y) { return Point{middle.x + x, middle.y + y}; };
  const auto stroke = [&](std::initializer_list<Point> points) {
    canvas.polyline(std::span<const Point>(points.begin(), points.size()), color, line_width);
  };
  switch (mark) {
    case Mark::none:
    case Mark::square:
      break;
    case Mark::check:
      stroke({at(-4, 0.5), at(-1.2, 3.3), at(4, -3.3)});
      break;
    case Mark::cross:
      stroke({at(-3.2, -3.2), at(3.2, 3.2)});
      stroke({at(3.2, -3.2), at(-3.2, 3.2)});
      break;
    case Mark::warning:
      stroke({at(0, -4.4), at(4.6, 3.8), at(-4.6, 3.8), at(0, -4.4)});
      canvas.line(at(0, -1.6), at(0, 1.2), color, line_width);
      canvas.disc(at(0, 2.6), 0.7, color);
      break;
    case Mark::ring:
      canvas.arc(middle, radius - 0.6, 0, 2 * std::numbers::pi, color, line_width);
      break;
    case Mark::running: {
      const double from = turn * 2 * std::numbers::pi;
      canvas.arc(middle, radius, from, from + 1.5 * std::numbers::pi, color, line_width);
      break;
    }
    case Mark::cached:
      canvas.fill({middle.x - 4, middle.y - 3.5, 8, 2.6}, color);
      canvas.fill({middle.x - 4, middle.y + 0.9, 8, 2.6}, color);
      break;
    case Mark::stopped:
      canvas.fill({middle.x - 3, middle.y - 3, 6, 6}, color);
      break;
    case Mark::folder:
      stroke(
          {at(-5, 3.8), at(-5, -3.6), at(-1.6, -3.6), at(-0.4, -2.2), at(5, -2.2), at(5, 3.8), at(-5, 3.8)});
      break;
    case Mark::unfolded: {
      const std::array<Point, 3> corners = {at(-3.6, -2), at(3.6, -2), at(0, 2.6)};
      canvas.polygon(corners, color);
      break;
    }
    case Mark::pin:
    case Mark::pinned:
      if (mark == Mark::pinned)
        canvas.fill({middle.x - 3.5, middle.y - 7, 7, 9}, color, 2);
      else
        canvas.frame({middle.x - 3.5, middle.y - 7, 7, 9}, color, 1, 2);
      canvas.line(at(0, 2), at(0, 7), color, line_width);
      break;
  }
}

}  // namespace varve
