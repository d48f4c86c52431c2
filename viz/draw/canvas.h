// A dozen drawing calls with two makers: ImGui draw list (screen) and Cairo (PNG, SVG, PDF). Logical pixels,
// y down.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "viz/draw/theme.h"

namespace varve {

struct Point {
  double x = 0, y = 0;
};
struct Box {
  double x = 0, y = 0, w = 0, h = 0;
  double right() const { return x + w; }
  double bottom() const { return y + h; }
  bool holds(Point p) const { return p.x >= x && p.x < x + w && p.y >= y && p.y < y + h; }
  Box inset(double by) const { return {x + by, y + by, w - 2 * by, h - 2 * by}; }
};

enum class Face { sans, sans_bold, mono, mono_bold };
// Points of design-language.md section 4, at a system font of 9 pt; 1 pt = 4/3 px.
struct Font {
  double points = 7.5;
  Face face = Face::sans;
};
enum class Align { left, center, right };
enum class Dash { none, reference, event };  // 4-3 and 1-3

class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual Box area() const = 0;
  virtual double pixel() const = 0;  // one device pixel in logical pixels; hairlines are this wide or 1
  virtual void fill(Box box, Color color, double radius = 0) = 0;
  virtual void frame(Box box, Color color, double width = 1, double radius = 0) = 0;
  virtual void line(Point from, Point to, Color color, double width = 1, Dash dash = Dash::none) = 0;
  virtual void polyline(std::span<const Point> points, Color color, double width) = 0;
  virtual void polygon(std::span<const Point> points, Color color) = 0;  // convex, or a band: forth and back
  virtual void disc(Point center, double radius, Color color) = 0;
  virtual void arc(Point center, double radius, double from, double to, Color color, double width) = 0;
  // One colour a cell, [rows, columns] from the top left, nearest, never smoothed. `identity` lets a maker
  // keep a texture.
  virtual void cells(Box box, int64_t rows, int64_t columns, std::span<const Color> colors,
                     uint64_t identity) = 0;
  // y is the vertical middle of the text's x-height box; x by alignment. Vertical text reads upwards.
  virtual void text(Point at, std::string_view utf8, Font font, Color color, Align align = Align::left) = 0;
  virtual void vertical_text(Point at, std::string_view utf8, Font font, Color color,
                             Align align = Align::center) = 0;
  virtual double text_width(std::string_view utf8, Font font) const = 0;
  virtual void push_clip(Box box) = 0;
  virtual void pop_clip() = 0;
};

std::string elide(const Canvas& canvas, std::string_view utf8, Font font,
                  double width);  // ends in an ellipsis

enum class PictureKind { svg, pdf, png };
PictureKind picture_kind(const std::string& file_name);  // by ending; throws Error (usage)
// A Cairo canvas that ends as the bytes of a picture. Same input, same bytes.
class PictureCanvas : public Canvas {
 public:
  virtual std::string finish() = 0;  // call once
};
std::unique_ptr<PictureCanvas> make_picture(PictureKind kind, double width, double height, double scale,
                                            Color background);

}  // namespace varve
