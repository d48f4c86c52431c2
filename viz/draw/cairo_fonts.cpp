// Measures text without hinting, so that a window, a PNG at any scale and a PDF break lines at the same
// place.
#include "viz/draw/cairo_fonts.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/draw/glyphs.h"

#ifdef __SANITIZE_ADDRESS__
// Fontconfig keeps pointers as offsets, which the leak checker takes for memory that nobody knows any more.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }
#endif

namespace varve {
namespace {

bool has_glyph(cairo_scaled_font_t* font, const std::string& utf8) {
  cairo_glyph_t* glyphs = nullptr;
  int count = 0;
  const cairo_status_t status = cairo_scaled_font_text_to_glyphs(
      font, 0, 0, utf8.data(), static_cast<int>(utf8.size()), &glyphs, &count, nullptr, nullptr, nullptr);
  const bool is_there = status == CAIRO_STATUS_SUCCESS && count > 0 && glyphs[0].index != 0;
  cairo_glyph_free(glyphs);
  return is_there;
}

double advance(cairo_scaled_font_t* font, const std::string& utf8) {
  cairo_text_extents_t extents;
  cairo_scaled_font_text_extents(font, utf8.c_str(), &extents);
  return extents.x_advance;
}

}  // namespace

CairoFonts::CairoFonts() : options_(cairo_font_options_create()) {
  cairo_font_options_set_antialias(options_, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_metrics(options_, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options_, CAIRO_HINT_STYLE_NONE);
}

CairoFonts::~CairoFonts() {
  for (auto& [key, font] : fonts_) cairo_scaled_font_destroy(font);
  cairo_font_options_destroy(options_);
}

cairo_scaled_font_t* CairoFonts::scaled(Font font) const {
  const auto key = std::make_pair(font.points, font.face);
  const auto found = fonts_.find(key);
  if (found != fonts_.end()) return found->second;
  const bool is_mono = font.face == Face::mono || font.face == Face::mono_bold;
  const bool is_bold = font.face == Face::sans_bold || font.face == Face::mono_bold;
  cairo_font_face_t* face =
      cairo_toy_font_face_create(is_mono ? "DejaVu Sans Mono" : "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                                 is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_matrix_t size, unit;
  const double pixels = std::max(0.01, font.points * pixels_per_point);
  cairo_matrix_init_scale(&size, pixels, pixels);
  cairo_matrix_init_identity(&unit);
  cairo_scaled_font_t* made = cairo_scaled_font_create(face, &size, &unit, options_);
  cairo_font_face_destroy(face);
  fonts_.emplace(key, made);
  return made;
}

std::vector<CairoFonts::Run> CairoFonts::runs(std::string_view utf8, Font font) const {
  cairo_scaled_font_t* face = scaled(font);
  std::vector<Run> all;
  const auto append = [&all](const std::string& piece, bool is_fallback) {
    if (all.empty() || all.back().is_fallback != is_fallback) all.push_back({"", 0, is_fallback});
    all.back().utf8 += piece;
  };
  for (size_t at = 0; at < utf8.size();) {
    const int32_t point = next_code_point(utf8, at);
    if (point < 0x20) {
      append(fmt::format("\\x{:02x}", point < 0 ? -1 - point : point), true);
      continue;
    }
    const std::string piece = utf8_of(point);
    const bool is_known = point < 0x7F || has_glyph(face, piece);
    append(is_known ? piece : fmt::format("U+{:04X}", point), !is_known);
  }
  for (Run& run : all) run.width = advance(face, run.utf8);
  return all;
}

}  // namespace varve
