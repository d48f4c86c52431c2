// Finding DejaVu and building the glyph atlas at device pixels, so that text is sharp on every screen.
#include "viz/host/fonts.h"

#include <imgui.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/core/error.h"
#include "viz/draw/glyphs.h"

namespace varve {

namespace {

constexpr double pixels_per_point = 4.0 / 3.0;
// ImGui sizes a font by ascent + descent; design sizes are em. DejaVu: (1901 + 483) / 2048 units.
constexpr double em_to_imgui = (1901.0 + 483.0) / 2048.0;

constexpr const char* folders[] = {"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu",
                                   "/usr/share/fonts/TTF", "/usr/local/share/fonts"};

struct Block {
  ImWchar first, last;
};

// In every font from the start: what nearly all words, numbers and signs of the views are made of.
constexpr Block common_blocks[] = {{0x0020, 0x00FF}, {0x2010, 0x2026}, {0x2190, 0x2193},
                                   {0x2212, 0x2212}, {0x23CE, 0x23CE}, {0x2423, 0x2423}};

// What else a token of the supported tokenizers may show: Latin, Greek, Cyrillic, punctuation, arrows, signs,
// shapes.
constexpr Block more_blocks[] = {{0x0100, 0x024F}, {0x0250, 0x02FF}, {0x0370, 0x03FF}, {0x0400, 0x04FF},
                                 {0x1E00, 0x1EFF}, {0x2000, 0x206F}, {0x2070, 0x209F}, {0x20A0, 0x20BF},
                                 {0x2190, 0x21FF}, {0x2200, 0x22FF}, {0x25A0, 0x25FF}};

template <size_t N>
std::optional<size_t> block_of(const Block (&blocks)[N], int32_t code) {
  for (size_t i = 0; i < N; ++i)
    if (code >= blocks[i].first && code <= blocks[i].last) return i;
  return std::nullopt;
}

bool has_glyph(int32_t code) { return block_of(common_blocks, code) || block_of(more_blocks, code); }

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

ScreenFonts::ScreenFonts(double dpr) : atlas_(std::make_unique<ImFontAtlas>()), dpr_(dpr) { begin_anew(dpr); }

ScreenFonts::~ScreenFonts() = default;

void ScreenFonts::begin_anew(double dpr) {
  dpr_ = dpr;
  loaded_.clear();
  wanted_.clear();
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

void ScreenFonts::build() {
  loaded_.merge(wanted_);
  wanted_.clear();
  adds_blocks_ = false;
  fonts_.clear();
  atlas_->Clear();
  // The list is read by Build(): it must last until then.
  std::vector<ImWchar> ranges;
  for (const Block& block : common_blocks) ranges.insert(ranges.end(), {block.first, block.last});
  for (const size_t i : blocks_) ranges.insert(ranges.end(), {more_blocks[i].first, more_blocks[i].last});
  ranges.push_back(0);
  for (const Name& name : loaded_) {
    ImFontConfig config;
    config.OversampleH = 1;  // glyphs stand on whole device pixels: no smearing
    config.OversampleV = 1;
    config.PixelSnapH = true;
    const auto size = static_cast<float>(name.first / 4.0 * em_to_imgui);
    fonts_[name] = atlas_->AddFontFromFileTTF(font_file(name.second).c_str(), size, &config, ranges.data());
  }
  if (!atlas_->Build()) fail("the glyph atlas could not be built from {}", font_file(Face::sans));
  unsigned char* covered = nullptr;
  int columns = 0, rows = 0;
  atlas_->GetTexDataAsAlpha8(&covered, &columns, &rows);
  glyphs_.rows = rows;
  glyphs_.columns = columns;
  glyphs_.glyphs = {covered, static_cast<size_t>(rows) * static_cast<size_t>(columns)};
  atlas_->SetTexID(&glyphs_);
}

std::string ScreenFonts::shown(std::string_view utf8) {
  for (size_t at = 0; at < utf8.size();) {
    const int32_t code = next_code_point(utf8, at);
    if (code < 0x100 || block_of(common_blocks, code)) continue;
    if (const auto block = block_of(more_blocks, code); block && blocks_.insert(*block).second)
      adds_blocks_ = true;
  }
  return drawable(utf8);
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
