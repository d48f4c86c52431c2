// The one table of colours and sizes; Qt, ImGui and Cairo read it. Light and dark.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace varve {

struct Color {
  uint8_t r = 0, g = 0, b = 0, a = 255;
  bool operator==(const Color&) const = default;
};
Color hex(const char* text);            // "#RRGGBB"
Color mix(Color a, Color b, double t);  // t = 0: a
double contrast(Color a, Color b);      // WCAG ratio, 1 to 21

struct Theme {
  bool is_dark = false;
  Color ground, panel, canvas, raised, hair, grid, strong, ink, ink2, ink3, accent, on_accent, soft;
  Color ok, ok_soft, warn, warn_soft, fail, fail_soft, cached, tip, tip_text, tip_second;
  std::array<Color, 10> category, category_text;
  static const Theme& light();
  static const Theme& dark();
};

// strata and cividis, viridis, greys run from low to high (reversed in the dark theme); tide is centred on
// 0.5.
struct ColorMap {
  std::string name;
  bool diverging = false;
  std::array<Color, 256> entries;
  Color at(double unit) const;  // clamped; NaN gives entries[0]
};
const ColorMap& color_map(const std::string& name,
                          const Theme& theme);  // throws Error naming the maps there are
std::span<const std::string> color_map_names();
Color text_on(Color cell);  // black or white, whichever contrasts more

}  // namespace varve
