// QPainter as a Canvas.
#include "app/desktop/painter_canvas.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainterPath>
#include <QPolygonF>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "viz/draw/glyphs.h"

namespace varve {

namespace {
constexpr double x_height_ratio = 1120.0 / 2048.0;  // DejaVu, all faces
constexpr double pixels_per_point = 4.0 / 3.0;

QRectF rect(Box box) { return {box.x, box.y, box.w, box.h}; }
QPointF point(Point p) { return {p.x, p.y}; }
QString words(std::string_view utf8) {
  return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}
}  // namespace

QColor qcolor(Color color) { return {color.r, color.g, color.b, color.a}; }

QFont qfont(Font font) {
  const bool mono = font.face == Face::mono || font.face == Face::mono_bold;
  QFont made(mono ? QStringLiteral("DejaVu Sans Mono") : QStringLiteral("DejaVu Sans"));
  // Fractional pixel sizes exist only as points; widgets are laid out at 96 dots per inch logically.
  static const double points_per_pixel = [] {
    const QWidget probe;
    return 72.0 / probe.logicalDpiY();
  }();
  made.setPointSizeF(font.points * pixels_per_point * points_per_pixel);
  made.setBold(font.face == Face::sans_bold || font.face == Face::mono_bold);
  made.setHintingPreference(QFont::PreferVerticalHinting);
  return made;
}

QString qtext(const std::string& utf8) { return QString::fromStdString(utf8); }

PainterCanvas::PainterCanvas(QPainter& painter, Box area, double dpr)
    : painter_(painter), area_(area), dpr_(dpr) {
  painter_.setRenderHint(QPainter::Antialiasing);
  painter_.setRenderHint(QPainter::TextAntialiasing);
}

double PainterCanvas::snapped(double logical) const { return std::round(logical * dpr_) / dpr_; }

void PainterCanvas::fill(Box box, Color color, double radius) {
  if (!(box.w > 0) || !(box.h > 0)) return;
  painter_.setPen(Qt::NoPen);
  painter_.setBrush(qcolor(color));
  if (radius > 0) {
    painter_.drawRoundedRect(rect(box), radius, radius);
    return;
  }
  const double left = snapped(box.x), top = snapped(box.y);
  const double right = std::max(left + 1 / dpr_, snapped(box.right()));
  const double bottom = std::max(top + 1 / dpr_, snapped(box.bottom()));
  painter_.fillRect(QRectF(left, top, right - left, bottom - top), qcolor(color));
}

void PainterCanvas::frame(Box box, Color color, double width, double radius) {
  if (!(box.w > 0) || !(box.h > 0)) return;
  painter_.setPen(QPen(qcolor(color), width, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
  painter_.setBrush(Qt::NoBrush);
  const Box settled{snapped(box.x), snapped(box.y), snapped(box.right()) - snapped(box.x),
                    snapped(box.bottom()) - snapped(box.y)};
  painter_.drawRoundedRect(rect(settled.inset(width / 2)), radius, radius);
}

void PainterCanvas::line(Point from, Point to, Color color, double width, Dash dash) {
  const double w = std::max(1.0, std::round(width * dpr_)) / dpr_;
  const double shift = std::lround(w * dpr_) % 2 == 1 ? 0.5 / dpr_ : 0.0;
  if (from.x == to.x) from.x = to.x = snapped(from.x - shift) + shift;
  if (from.y == to.y) from.y = to.y = snapped(from.y - shift) + shift;
  QPen pen(qcolor(color), w, Qt::SolidLine, Qt::FlatCap);
  // Qt counts dashes in widths of the pen.
  if (dash == Dash::reference) pen.setDashPattern({4 / w, 3 / w});
  if (dash == Dash::event) pen.setDashPattern({1 / w, 3 / w});
  painter_.setPen(pen);
  painter_.drawLine(point(from), point(to));
}

void PainterCanvas::polyline(std::span<const Point> points, Color color, double width) {
  QPainterPath path;
  bool open = false;
  for (const Point& p : points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
      open = false;
      continue;
    }
    if (open)
      path.lineTo(point(p));
    else
      path.moveTo(point(p));
    open = true;
  }
  painter_.setPen(QPen(qcolor(color), width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter_.setBrush(Qt::NoBrush);
  painter_.drawPath(path);
}

void PainterCanvas::polygon(std::span<const Point> points, Color color) {
  QPolygonF polygon;
  for (const Point& p : points) polygon << point(p);
  painter_.setPen(Qt::NoPen);
  painter_.setBrush(qcolor(color));
  painter_.drawConvexPolygon(polygon);
}

void PainterCanvas::disc(Point center, double radius, Color color) {
  painter_.setPen(Qt::NoPen);
  painter_.setBrush(qcolor(color));
  painter_.drawEllipse(point(center), radius, radius);
}

void PainterCanvas::arc(Point center, double radius, double from, double to, Color color, double width) {
  painter_.setPen(QPen(qcolor(color), width, Qt::SolidLine, Qt::FlatCap));
  painter_.setBrush(Qt::NoBrush);
  // Qt counts sixteenths of a degree, against the clock.
  const double unit = 16 * 180 / std::numbers::pi;
  painter_.drawArc(QRectF(center.x - radius, center.y - radius, 2 * radius, 2 * radius),
                   static_cast<int>(std::lround(-from * unit)),
                   static_cast<int>(std::lround((from - to) * unit)));
}

void PainterCanvas::cells(Box box, int64_t rows, int64_t columns, std::span<const Color> colors, uint64_t) {
  if (rows <= 0 || columns <= 0 || static_cast<int64_t>(colors.size()) != rows * columns) return;
  QImage image(static_cast<int>(columns), static_cast<int>(rows), QImage::Format_RGBA8888);
  for (int row = 0; row < image.height(); ++row)
    for (int column = 0; column < image.width(); ++column)
      image.setPixelColor(column, row, qcolor(colors[static_cast<size_t>(row * columns + column)]));
  painter_.setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter_.drawImage(rect(box), image);
}

void PainterCanvas::text(Point at, std::string_view utf8, Font font, Color color, Align align) {
  const double width = align == Align::left ? 0 : text_width(utf8, font);
  const double left = at.x - (align == Align::center ? width / 2 : align == Align::right ? width : 0);
  const double baseline = at.y + font.points * pixels_per_point * x_height_ratio / 2;
  painter_.setFont(qfont(font));
  painter_.setPen(qcolor(color));
  painter_.drawText(QPointF(snapped(left), snapped(baseline)), words(utf8));
}

void PainterCanvas::vertical_text(Point at, std::string_view utf8, Font font, Color color, Align align) {
  painter_.save();
  painter_.translate(point(at));
  painter_.rotate(-90);
  text({0, 0}, utf8, font, color, align);
  painter_.restore();
}

double PainterCanvas::text_width(std::string_view utf8, Font font) const {
  return QFontMetricsF(qfont(font)).horizontalAdvance(words(utf8));
}

void PainterCanvas::push_clip(Box box) {
  painter_.save();
  painter_.setClipRect(rect(box), Qt::IntersectClip);
}

void PainterCanvas::pop_clip() { painter_.restore(); }

}  // namespace varve
