// The canvas for plain widgets (rail, inspector, token strip): drawing calls through QPainter.
#pragma once

#include <QPainter>
#include <QWidget>

#include "viz/draw/canvas.h"

namespace varve {

class PainterCanvas : public Canvas {
 public:
  PainterCanvas(QPainter& painter, Box area, double dpr);
  Box area() const override { return area_; }
  double pixel() const override { return 1 / dpr_; }
  void fill(Box box, Color color, double radius = 0) override;
  void frame(Box box, Color color, double width = 1, double radius = 0) override;
  void line(Point from, Point to, Color color, double width = 1, Dash dash = Dash::none) override;
  void polyline(std::span<const Point> points, Color color, double width) override;
  void polygon(std::span<const Point> points, Color color) override;
  void disc(Point center, double radius, Color color) override;
  void arc(Point center, double radius, double from, double to, Color color, double width) override;
  void cells(Box box, int64_t rows, int64_t columns, std::span<const Color> colors,
             uint64_t identity) override;
  void text(Point at, std::string_view utf8, Font font, Color color, Align align = Align::left) override;
  void vertical_text(Point at, std::string_view utf8, Font font, Color color,
                     Align align = Align::center) override;
  double text_width(std::string_view utf8, Font font) const override;
  void push_clip(Box box) override;
  void pop_clip() override;

 private:
  double snapped(double logical) const;
  QPainter& painter_;
  Box area_;
  double dpr_;
};

QColor qcolor(Color color);
// A font of the design's sizes for a widget: 1 pt = 4/3 logical px, whatever the screen says of itself.
QFont qfont(Font font);
QString qtext(const std::string& utf8);

}  // namespace varve
