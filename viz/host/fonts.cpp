// Finding DejaVu and building the glyph atlas at device pixels, so that text is sharp on every screen.
#include "viz/host/fonts.h"

#include <imgui.h>

#include <cmath>
#include <filesystem>

#include "analysis/core/error.h"
#include "viz/draw/glyphs.h"

namespace varve {

namespace {

constexpr double pixels_per_point = 4.0 / 3.0;
// ImGui sizes a font by ascent + descent; design sizes are em. DejaVu: (1901 + 483) / 2048 units.
constexpr double em_to_imgui = (1901.0 + 483.0) / 2048.0;

constexpr const char* folders[] = {"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu",
                                   "/usr/share/fonts/TTF", "/usr/local/share/fonts"};

// What a token of the supported tokenizers may show: Latin, Greek, Cyrillic, punctuation, arrows, signs,
// shapes.
constexpr ImWchar ranges[] = {0x0020, 0x024F, 0x0250, 0x02FF, 0x0370, 0x03FF, 0x0400, 0x04FF, 0x1E00,
                              0x1EFF, 0x2000, 0x206F, 0x2070, 0x209F, 0x20A0, 0x20BF, 0x2190, 0x21FF,
                              0x2200, 0x22FF, 0x23CE, 0x23CE, 0x2423, 0x2423, 0x25A0, 0x25FF, 0};

bool has_glyph(int32_t code) {
  for (size_t i = 0; ranges[i]; i += 2)
    if (code >= ranges[i] && code <= ranges[i + 1]) return true;
  return false;
}

}  // namespace

std::string font_file(Face face) {
  const char* name = face == Face::sans        ? "DejaVuSans.ttf"
                     : face == Face::sans_bold ? "DejaVuSans-Bold.ttf"
                     : face == Face::mono      ? "DejaVuSansMono.ttf"
                                               : "DejaVuSansMono-Bold.ttf";
  for (const char* folder : folders) {
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    if (std::filesystem::exists(file)) return file.string();
  }
  fail("the font {} is in none of {}, {}, {}, {}. Install DejaVu (package fonts-dejavu-core).", name,
       folders[0], folders[1], folders[2], folders[3]);
}

ScreenFonts::ScreenFonts(double dpr) : dpr_(dpr) {
  // What nearly every view asks for, so that the first picture needs no second atlas.
  for (const double points : {7.0, 7.5, 8.0, 8.5}) {
    wanted_.insert(name_of({points, Face::sans}));
    wanted_.insert(name_of({points, Face::mono}));
  }
  wanted_.insert(name_of({7.5, Face::sans_bold}));
  wanted_.insert(name_of({8.5, Face::sans_bold}));
}

ScreenFonts::Name ScreenFonts::name_of(Font font) const {
  return {static_cast<int>(std::lround(font.points * pixels_per_point * dpr_ * 4)), font.face};
}

ScreenFonts::Name ScreenFonts::nearest(Font font) const {
  const Name name = name_of(font);
  if (fonts_.contains(name)) return name;
  Name best = fonts_.begin()->first;
  const auto far = [&name](const Name& other) {
    return std::abs(other.first - name.first) + (other.second == name.second ? 0 : 10000);
  };
  for (const auto& [other, loaded] : fonts_)
    if (far(other) < far(best)) best = other;
  return best;
}

ImFont* ScreenFonts::font(Font font) {
  const Name name = name_of(font);
  if (!loaded_.contains(name)) wanted_.insert(name);
  return fonts_.at(nearest(font));
}

double ScreenFonts::scale_for(Font font) const {
  return static_cast<double>(name_of(font).first) / nearest(font).first;
}

void ScreenFonts::build(ImFontAtlas& atlas) {
  loaded_.merge(wanted_);
  wanted_.clear();
  fonts_.clear();
  atlas.Clear();
  for (const Name& name : loaded_) {
    ImFontConfig config;
    config.OversampleH = 1;  // glyphs stand on whole device pixels: no smearing
    config.OversampleV = 1;
    config.PixelSnapH = true;
    const auto size = static_cast<float>(name.first / 4.0 * em_to_imgui);
    fonts_[name] = atlas.AddFontFromFileTTF(font_file(name.second).c_str(), size, &config, ranges);
  }
  if (!atlas.Build()) fail("the glyph atlas could not be built from {}", font_file(Face::sans));
}

std::string drawable(std::string_view utf8) {
  std::string text;
  for (size_t at = 0; at < utf8.size();) {
    const int32_t code = next_code_point(utf8, at);
    if (code >= 0 && has_glyph(code))
      text += utf8_of(code);
    else if (code >= 0)
      text += fmt::format("U+{:04X}", code);
    else
      text += fmt::format("\\x{:02x}", -1 - code);
  }
  return text;
}

}  // namespace varve
