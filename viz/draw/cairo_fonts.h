// The two type faces as Cairo sees them: sized, measured, and split where a glyph is missing.
#pragma once

#include <cairo.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "viz/draw/canvas.h"

namespace varve {

constexpr double pixels_per_point = 4.0 / 3.0;

class CairoFonts {
 public:
  struct Run {
    std::string utf8;
    double width = 0;
    bool is_fallback = false;  // `U+1F600` in place of a glyph no face has
  };

  CairoFonts();
  ~CairoFonts();
  CairoFonts(const CairoFonts&) = delete;
  CairoFonts& operator=(const CairoFonts&) = delete;

  const cairo_font_options_t* options() const { return options_; }
  cairo_scaled_font_t* scaled(Font font) const;
  std::vector<Run> runs(std::string_view utf8, Font font) const;

 private:
  cairo_font_options_t* options_ = nullptr;
  mutable std::map<std::pair<double, Face>, cairo_scaled_font_t*> fonts_;
};

}  // namespace varve
