// Draws marks: thinned lines, bands, hatches, frames.
#include "viz/draw/marks.h"

#include <algorithm>
#include <cmath>

namespace varve {
namespace {

bool is_drawable(Point p) { return std::isfinite(p.x) && std::isfinite(p.y); }

void hatch(Canvas& canvas, Box box, Color color) {
  canvas.push_clip(box);
  // Lines through fixed places of the canvas: neighbouring cells continue each other's pattern.
  constexpr double apart = 4 * 1.4142135623730951;
  const double first = std::floor((box.x + box.y) / apart) * apart;
  const double last = box.right() + box.bottom();
  // A hatch denser than the eye can see is a waste; the largest screens need some thousand lines.
  for (double sum = first; sum <= last && sum < first + 20000 * apart; sum += apart)
    canvas.line({sum - box.y + 1, box.y - 1}, {sum - box.bottom() - 1, box.bottom() + 1}, color, 1);
  canvas.pop_clip();
}

}  // namespace

std::vector<Point> thinned(std::span<const Point> points, double pixel) {
  std::vector<Point> out;
  for (size_t begin = 0; begin < points.size();) {
    if (!is_drawable(points[begin])) {
      if (!out.empty() && is_drawable(out.back())) out.push_back(points[begin]);
      ++begin;
      continue;
    }
    const double column = std::floor(points[begin].x / pixel);
    size_t low = begin, high = begin, end = begin;
    for (; end < points.size() && is_drawable(points[end]) && std::floor(points[end].x / pixel) == column;
         ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    size_t kept[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (int i = 0; i < 4; ++i)
      if (i == 0 || kept[i] != kept[i - 1]) out.push_back(points[kept[i]]);
    begin = end;
  }
  return out;
}

Color band_color(const Theme& theme, Color series) { return mix(series, theme.canvas, 0.78); }

void draw_band(Canvas& canvas, std::span<const Point> low, std::span<const Point> high, Color color) {
  const size_t count = std::min(low.size(), high.size());
  for (size_t i = 0; i < count; ++i) {
    if (!is_drawable(low[i]) || !is_drawable(high[i])) continue;
    // Each joint is drawn over, else the blended edges of two neighbours would leave a pale seam.
    canvas.line(low[i], high[i], color, 1);
    if (i + 1 == count || !is_drawable(low[i + 1]) || !is_drawable(high[i + 1])) continue;
    const Point corners[] = {low[i], low[i + 1], high[i + 1], high[i]};
    canvas.polygon(corners, color);
  }
}

void draw_whisker(Canvas& canvas, Point low, Point high, Color color) {
  if (is_drawable(low) && is_drawable(high)) canvas.line(low, high, color, 1);
}

void draw_absent(Canvas& canvas, const Theme& theme, Box box, Absent what) {
  if (!(box.w > 0) || !(box.h > 0)) return;
  canvas.fill(box, theme.raised);
  if (what == Absent::missing) hatch(canvas, box, theme.strong);
  if (what == Absent::bad) {
    hatch(canvas, box, theme.fail);
    canvas.frame(box, theme.fail);
  }
  if (what == Absent::not_finite && box.h >= 8 && box.w >= 4)
    canvas.text({box.x + box.w / 2, box.y + box.h / 2}, "!", {7, Face::mono_bold}, theme.fail, Align::center);
}

void draw_selection(Canvas& canvas, const Theme& theme, Box box, Frame kind) {
  canvas.frame(box.inset(-2), theme.canvas, 1);
  canvas.frame(box.inset(1), theme.canvas, 1);
  if (kind == Frame::selected) {
    canvas.frame(box.inset(-1), theme.ink, 2);
    return;
  }
  const Box b = box.inset(-0.5);
  const Point corners[] = {
      {b.x, b.y}, {b.right(), b.y}, {b.right(), b.bottom()}, {b.x, b.bottom()}, {b.x, b.y}};
  for (int i = 0; i < 4; ++i) canvas.line(corners[i], corners[i + 1], theme.ink, 2, Dash::reference);
}

void draw_diamond(Canvas& canvas, Point c, double r, Color color) {
  const Point corners[] = {{c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}};
  canvas.polygon(corners, color);
}

void draw_empty(Canvas& canvas, const Theme& theme, Box area, const std::string& why) {
  constexpr Font font{8.5, Face::sans};
  if (area.h < 12 || area.w < 30) return;
  // Broken at blanks; a sentence has few words.
  std::vector<std::string> lines{""};
  for (size_t at = 0; at < why.size();) {
    const size_t end = std::min(why.find(' ', at), why.size());
    const std::string word = why.substr(at, end - at);
    const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (!lines.back().empty() && canvas.text_width(longer, font) > area.w - 20) {
      lines.push_back(word);
    } else {
      lines.back() = longer;
    }
    at = end + 1;
  }
  double y = area.y + area.h / 2 - 8 * (static_cast<double>(lines.size()) - 1);
  for (const std::string& line : lines) {
    if (y > area.y + 4 && y < area.bottom() - 4)
      canvas.text({area.x + area.w / 2, y}, elide(canvas, line, font, area.w), font, theme.ink2,
                  Align::center);
    y += 16;
  }
}

}  // namespace varve
