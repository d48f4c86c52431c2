// The window's glyphs: drawn, never picture files, so they are sharp at any size and follow the theme.
#include <QIconEngine>
#include <QPainter>
#include <array>
#include <cmath>
#include <numbers>

#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

namespace {

class GlyphEngine : public QIconEngine {
 public:
  GlyphEngine(Glyph glyph, Color on, Color off) : glyph_(glyph), on_(on), off_(off) {}
  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    PainterCanvas canvas(*painter, {0, 0, 0, 0}, painter->device()->devicePixelRatioF());
    const double side = std::min(rect.width(), rect.height());
    const Box box{rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side};
    draw_glyph(canvas, glyph_, box, mode == QIcon::Disabled ? off_ : on_);
  }
  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(0, 0), size), mode, state);
    return pixmap;
  }
  QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override {
    QPixmap pixmap(size);  // in device pixels
    pixmap.setDevicePixelRatio(scale);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRectF(0, 0, size.width() / scale, size.height() / scale).toRect(), mode, state);
    return pixmap;
  }
  QIconEngine* clone() const override { return new GlyphEngine(glyph_, on_, off_); }

 private:
  Glyph glyph_;
  Color on_, off_;
};

void triangle(Canvas& canvas, Box box, Color color, bool pointing_left) {
  const double tip = pointing_left ? box.x : box.right(), base = pointing_left ? box.right() : box.x;
  const std::array<Point, 3> corners{{{base, box.y}, {tip, box.y + box.h / 2}, {base, box.bottom()}}};
  canvas.polygon(corners, color);
}

// An arrow that turns back: a half circle with a head at its left end.
void turn(Canvas& canvas, Box box, Color color, bool leftwards) {
  const double r = box.w * 0.30;
  const Point center{box.x + box.w / 2, box.y + box.h * 0.55};
  const double from = leftwards ? -std::numbers::pi : -0.8 * std::numbers::pi;
  canvas.arc(center, r, from, from + 1.8 * std::numbers::pi * 0.75, color, 1.4);
  const double x = center.x + (leftwards ? -r : r), h = box.w * 0.17;
  const std::array<Point, 3> head{
      {{x - h, center.y - h * 0.4}, {x + h, center.y - h * 0.4}, {x, center.y + h}}};
  canvas.polygon(head, color);
}

void line_shape(Canvas& canvas, Color color, std::initializer_list<Point> points) {
  const std::vector<Point> all(points);
  canvas.polyline(all, color, 1.2);
}

}  // namespace

void draw_glyph(Canvas& canvas, Glyph glyph, Box b, Color color) {
  const auto at = [&b](double x, double y) { return Point{b.x + b.w * x, b.y + b.h * y}; };
  const auto part = [&b](double x, double y, double w, double h) {
    return Box{b.x + b.w * x, b.y + b.h * y, b.w * w, b.h * h};
  };
  switch (glyph) {
    case Glyph::first:
      canvas.fill(part(0.2, 0.22, 0.1, 0.56), color);
      triangle(canvas, part(0.36, 0.22, 0.42, 0.56), color, true);
      break;
    case Glyph::previous:
      triangle(canvas, part(0.28, 0.22, 0.42, 0.56), color, true);
      break;
    case Glyph::play:
      triangle(canvas, part(0.3, 0.18, 0.5, 0.64), color, false);
      break;
    case Glyph::pause:
      canvas.fill(part(0.27, 0.2, 0.16, 0.6), color);
      canvas.fill(part(0.57, 0.2, 0.16, 0.6), color);
      break;
    case Glyph::next:
      triangle(canvas, part(0.3, 0.22, 0.42, 0.56), color, false);
      break;
    case Glyph::last:
      triangle(canvas, part(0.22, 0.22, 0.42, 0.56), color, false);
      canvas.fill(part(0.7, 0.22, 0.1, 0.56), color);
      break;
    case Glyph::folder:
      line_shape(canvas, color,
                 {at(0.1, 0.8), at(0.1, 0.22), at(0.4, 0.22), at(0.5, 0.34), at(0.9, 0.34), at(0.9, 0.8),
                  at(0.1, 0.8)});
      break;
    case Glyph::store:
      for (const double y : {0.2, 0.44, 0.68}) canvas.frame(part(0.12, y, 0.76, 0.16), color, 1.2);
      break;
    case Glyph::save:
      line_shape(canvas, color, {at(0.5, 0.1), at(0.5, 0.6)});
      line_shape(canvas, color, {at(0.3, 0.42), at(0.5, 0.62), at(0.7, 0.42)});
      line_shape(canvas, color, {at(0.14, 0.62), at(0.14, 0.86), at(0.86, 0.86), at(0.86, 0.62)});
      break;
    case Glyph::share:
      line_shape(canvas, color, {at(0.5, 0.66), at(0.5, 0.12)});
      line_shape(canvas, color, {at(0.3, 0.32), at(0.5, 0.12), at(0.7, 0.32)});
      line_shape(canvas, color,
                 {at(0.3, 0.5), at(0.14, 0.5), at(0.14, 0.9), at(0.86, 0.9), at(0.86, 0.5), at(0.7, 0.5)});
      break;
    case Glyph::undo:
      turn(canvas, b, color, true);
      break;
    case Glyph::redo:
      turn(canvas, b, color, false);
      break;
    case Glyph::fit:
      for (const double x : {0.12, 0.88})
        for (const double y : {0.12, 0.88}) {
          const double dx = x < 0.5 ? 0.24 : -0.24, dy = y < 0.5 ? 0.24 : -0.24;
          line_shape(canvas, color, {at(x + dx, y), at(x, y), at(x, y + dy)});
        }
      break;
    case Glyph::more:
      for (const double y : {0.22, 0.5, 0.78}) canvas.disc(at(0.5, y), b.w * 0.07, color);
      break;
    case Glyph::close:
      line_shape(canvas, color, {at(0.25, 0.25), at(0.75, 0.75)});
      line_shape(canvas, color, {at(0.75, 0.25), at(0.25, 0.75)});
      break;
    case Glyph::copy:
      canvas.frame(part(0.12, 0.12, 0.52, 0.6), color, 1.2);
      line_shape(canvas, color, {at(0.36, 0.88), at(0.88, 0.88), at(0.88, 0.3)});
      break;
  }
}

QIcon glyph_icon(Glyph glyph, const Theme& theme, bool on_accent) {
  return QIcon(new GlyphEngine(glyph, on_accent ? theme.on_accent : theme.ink2, theme.strong));
}

void draw_logo(Canvas& canvas, Box box, const Theme&) {
  const ColorMap& strata = color_map("strata", Theme::light());
  constexpr std::array<double, 6> height{0.14, 0.08, 0.2, 0.12, 0.16, 0.3};
  double y = box.y;
  for (size_t i = 0; i < height.size(); ++i) {
    canvas.fill({box.x, y, box.w, box.h * height[i] - canvas.pixel()},
                strata.at(0.25 + 0.6 * static_cast<double>(i) / 5.0));
    y += box.h * height[i];
  }
}

}  // namespace varve
