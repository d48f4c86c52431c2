// Drawing calls as ImGui draw list entries. The list is in device pixels, so hairlines and glyphs stay sharp.
#include "viz/host/screen_canvas.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "viz/host/strip.h"

namespace varve {

namespace {

constexpr double x_height_ratio = 1120.0 / 2048.0;  // DejaVu, all faces
constexpr double pixels_per_point = 4.0 / 3.0;
constexpr double steep = 4;  // times as tall as it is thick: a segment that looks upright

ImU32 packed(Color color) { return IM_COL32(color.r, color.g, color.b, color.a); }
ImVec2 vec(double x, double y) { return {static_cast<float>(x), static_cast<float>(y)}; }
bool finite(Point p) { return std::isfinite(p.x) && std::isfinite(p.y); }

}  // namespace

ScreenCanvas::ScreenCanvas(ImDrawList& list, ScreenFonts& fonts, Textures& textures, Box area)
    : list_(list), fonts_(fonts), textures_(textures), area_(area), dpr_(fonts.dpr()) {}

double ScreenCanvas::whole(double logical_width) const {
  return std::max(1.0, std::round(device(logical_width)));
}

void ScreenCanvas::fill(Box box, Color color, double radius) {
  if (!(box.w > 0) || !(box.h > 0)) return;
  const double left = std::round(device(box.x)), top = std::round(device(box.y));
  const double right = std::max(left + 1, std::round(device(box.right())));
  const double bottom = std::max(top + 1, std::round(device(box.bottom())));
  list_.AddRectFilled(vec(left, top), vec(right, bottom), packed(color), static_cast<float>(device(radius)));
}

void ScreenCanvas::frame(Box box, Color color, double width, double radius) {
  if (!(box.w > 0) || !(box.h > 0)) return;
  const double w = whole(width);
  const double left = std::round(device(box.x)), top = std::round(device(box.y));
  const double right = std::round(device(box.right())), bottom = std::round(device(box.bottom()));
  if (radius > 0) {
    // AddRect moves its corners inwards by half a pixel already.
    const double in = (w - 1) / 2;
    list_.AddRect(vec(left + in, top + in), vec(right - in, bottom - in), packed(color),
                  static_cast<float>(device(radius)), 0, static_cast<float>(w));
    return;
  }
  const ImU32 ink = packed(color);
  list_.AddRectFilled(vec(left, top), vec(right, top + w), ink);
  list_.AddRectFilled(vec(left, bottom - w), vec(right, bottom), ink);
  list_.AddRectFilled(vec(left, top + w), vec(left + w, bottom - w), ink);
  list_.AddRectFilled(vec(right - w, top + w), vec(right, bottom - w), ink);
}

void ScreenCanvas::straight(Point from, Point to, Color color, double width) {
  const double w = whole(width);
  if (from.x == to.x) {
    const double left = std::round(device(from.x) - w / 2);
    const double top = device(std::min(from.y, to.y)), bottom = device(std::max(from.y, to.y));
    list_.AddRectFilled(vec(left, top), vec(left + w, bottom), packed(color));
  } else if (from.y == to.y) {
    const double top = std::round(device(from.y) - w / 2);
    const double left = device(std::min(from.x, to.x)), right = device(std::max(from.x, to.x));
    list_.AddRectFilled(vec(left, top), vec(right, top + w), packed(color));
  } else {
    list_.AddLine(vec(device(from.x), device(from.y)), vec(device(to.x), device(to.y)), packed(color),
                  static_cast<float>(device(width)));
  }
}

void ScreenCanvas::line(Point from, Point to, Color color, double width, Dash dash) {
  if (!finite(from) || !finite(to)) return;
  if (dash == Dash::none) {
    straight(from, to, color, width);
    return;
  }
  const double on = dash == Dash::reference ? 4 : 1;
  const double period = dash == Dash::reference ? 7 : 4;
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (length <= 0 || length > 1e5) return;
  const Point unit{(to.x - from.x) / length, (to.y - from.y) / length};
  for (double at = 0; at < length; at += period) {
    const double end = std::min(length, at + on);
    straight({from.x + unit.x * at, from.y + unit.y * at}, {from.x + unit.x * end, from.y + unit.y * end},
             color, width);
  }
}

void ScreenCanvas::polyline(std::span<const Point> points, Color color, double width) {
  // Segment by segment: the draw list's own polyline collapses where a line turns back on itself.
  for (size_t i = 1; i < points.size(); ++i) {
    if (!finite(points[i - 1]) || !finite(points[i])) continue;
    const Point from{device(points[i - 1].x), device(points[i - 1].y)};
    const Point to{device(points[i].x), device(points[i].y)};
    const double w = whole(width);
    if (std::abs(to.x - from.x) < 1 && std::abs(to.y - from.y) > steep * w) {
      // Within one column of pixels: where many points share one, boxes cost a tenth of slanted lines.
      const double left = std::round((from.x + to.x - w) / 2);
      list_.AddRectFilled(vec(left, std::min(from.y, to.y)), vec(left + w, std::max(from.y, to.y)),
                          packed(color));
      continue;
    }
    list_.AddLine(vec(from.x, from.y), vec(to.x, to.y), packed(color), static_cast<float>(device(width)));
  }
}

void ScreenCanvas::polygon(std::span<const Point> points, Color color) {
  if (points.size() < 3) return;
  if (points.size() % 2 == 0 && !is_convex(points)) return band(points, color);
  std::vector<ImVec2> corners;
  double area = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!finite(points[i])) return;
    const Point& next = points[(i + 1) % points.size()];
    area += points[i].x * next.y - next.x * points[i].y;
    corners.push_back(vec(device(points[i].x), device(points[i].y)));
  }
  if (area < 0)
    std::reverse(corners.begin(), corners.end());  // the edge is smoothed outwards only one way round
  list_.AddConvexPolyFilled(corners.data(), static_cast<int>(corners.size()), packed(color));
}

void ScreenCanvas::band(std::span<const Point> points, Color color) {
  std::vector<Point> outline;
  for (const Point& point : points) {
    if (!finite(point)) return;
    outline.push_back({device(point.x), device(point.y)});
  }
  const Strip strip = strip_of(outline);
  list_.PrimReserve(static_cast<int>(strip.triangles.size()), static_cast<int>(strip.corners.size()));
  const unsigned first = list_._VtxCurrentIdx;
  Color faded = color;
  faded.a = 0;
  const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
  for (const Strip::Corner& corner : strip.corners)
    list_.PrimWriteVtx(vec(corner.at.x, corner.at.y), white, packed(corner.is_solid ? color : faded));
  for (const uint32_t corner : strip.triangles) list_.PrimWriteIdx(static_cast<ImDrawIdx>(first + corner));
}

void ScreenCanvas::disc(Point center, double radius, Color color) {
  if (finite(center))
    list_.AddCircleFilled(vec(device(center.x), device(center.y)), static_cast<float>(device(radius)),
                          packed(color), 24);
}

void ScreenCanvas::arc(Point center, double radius, double from, double to, Color color, double width) {
  if (!finite(center)) return;
  list_.PathArcTo(vec(device(center.x), device(center.y)), static_cast<float>(device(radius)),
                  static_cast<float>(from), static_cast<float>(to), 24);
  list_.PathStroke(packed(color), 0, static_cast<float>(device(width)));
}

void ScreenCanvas::cells(Box box, int64_t rows, int64_t columns, std::span<const Color> colors,
                         uint64_t identity) {
  if (rows <= 0 || columns <= 0 || static_cast<int64_t>(colors.size()) != rows * columns) return;
  const Texture& texture = textures_.of(rows, columns, colors, identity);
  list_.AddImage(const_cast<Texture*>(&texture), vec(device(box.x), device(box.y)),
                 vec(device(box.right()), device(box.bottom())));
}

double ScreenCanvas::text_width(std::string_view utf8, Font font) const {
  const ImFont* face = fonts_.font(font);
  const std::string shown = fonts_.shown(utf8);
  const auto size = static_cast<float>(face->FontSize * fonts_.scale_for(font));
  return face->CalcTextSizeA(size, FLT_MAX, 0, shown.data(), shown.data() + shown.size()).x / dpr_;
}

void ScreenCanvas::text(Point at, std::string_view utf8, Font font, Color color, Align align) {
  if (!finite(at) || utf8.empty()) return;
  const ImFont* face = fonts_.font(font);
  const double scale = fonts_.scale_for(font);
  const std::string shown = fonts_.shown(utf8);
  const double width = align == Align::left ? 0 : text_width(utf8, font);
  const double left = at.x - (align == Align::center ? width / 2 : align == Align::right ? width : 0);
  const double baseline = device(at.y) + device(font.points * pixels_per_point * x_height_ratio / 2);
  const double top = std::round(baseline) - face->Ascent * scale;
  list_.AddText(face, static_cast<float>(face->FontSize * scale),
                vec(std::round(device(left)), std::round(top)), packed(color), shown.data(),
                shown.data() + shown.size());
}

void ScreenCanvas::vertical_text(Point at, std::string_view utf8, Font font, Color color, Align align) {
  if (!finite(at)) return;
  // Laid level first, then turned a quarter about its anchor. Level text may lie outside the clip: lift it.
  const int first = list_.VtxBuffer.Size;
  list_.PushClipRect(vec(-1e6, -1e6), vec(1e6, 1e6));
  text(at, utf8, font, color, align);
  list_.PopClipRect();
  const auto x = static_cast<float>(std::round(device(at.x))),
             y = static_cast<float>(std::round(device(at.y)));
  for (int i = first; i < list_.VtxBuffer.Size; ++i) {
    ImVec2& p = list_.VtxBuffer[i].pos;
    p = {x + (p.y - y), y - (p.x - x)};
  }
}

void ScreenCanvas::push_clip(Box box) {
  list_.PushClipRect(vec(std::floor(device(box.x)), std::floor(device(box.y))),
                     vec(std::ceil(device(box.right())), std::ceil(device(box.bottom()))), true);
}

void ScreenCanvas::pop_clip() { list_.PopClipRect(); }

}  // namespace varve
