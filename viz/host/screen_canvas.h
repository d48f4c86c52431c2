// The canvas that makes pixels on screen: drawing calls become an ImGui draw list in device pixels.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "viz/draw/canvas.h"
#include "viz/host/fonts.h"
#include "viz/host/raster.h"

struct ImDrawList;

namespace varve {

// Heat maps as textures, kept while they are drawn.
class Textures {
 public:
  // Stays in its place until it has not been asked for in two frames.
  const Texture& of(int64_t rows, int64_t columns, std::span<const Color> colors, uint64_t identity);
  void next_frame();  // drops what two frames did not draw

 private:
  struct Kept {
    int64_t used = 0;
    Texture texture;
  };
  std::map<uint64_t, Kept> kept_;
  int64_t frame_ = 0;
};

class ScreenCanvas : public Canvas {
 public:
  ScreenCanvas(ImDrawList& list, ScreenFonts& fonts, Textures& textures, Box area);
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
  double device(double logical) const { return logical * dpr_; }
  double whole(double logical_width) const;  // device pixels, at least one
  void band(std::span<const Point> points, Color color);
  void straight(Point from, Point to, Color color, double width);
  ImDrawList& list_;
  ScreenFonts& fonts_;
  Textures& textures_;
  Box area_;
  double dpr_;
};

}  // namespace varve
