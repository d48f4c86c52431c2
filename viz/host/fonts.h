// The four DejaVu faces as ImGui fonts: one atlas, grown when a size, face or script is first asked for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "viz/draw/canvas.h"
#include "viz/host/raster.h"

struct ImFont;
struct ImFontAtlas;

namespace varve {

// Rasterising is slow, so every canvas of a window draws from the same ScreenFonts: glyphs are made once,
// sizes, faces and scripts only when they are first asked for.
class ScreenFonts {
 public:
  // dpr: device pixels in a logical pixel.
  explicit ScreenFonts(double dpr);
  ~ScreenFonts();
  ScreenFonts(const ScreenFonts&) = delete;
  ScreenFonts& operator=(const ScreenFonts&) = delete;

  ImFontAtlas& atlas() { return *atlas_; }
  double dpr() const { return dpr_; }
  void begin_anew(double dpr);  // the window is on another screen
  // The font, or the nearest size there is until the atlas has been rebuilt. Never null after build().
  ImFont* font(Font font);
  double scale_for(Font font) const;  // of the ImFont returned, to get the size that was asked for
  // The text as it can be drawn; scripts that are not in the atlas yet come with the next build().
  std::string shown(std::string_view utf8);
  bool stale() const { return !wanted_.empty() || adds_blocks_; }
  // Builds the atlas with every font and script asked for so far. Between frames only.
  void build();

 private:
  using Name = std::pair<int, Face>;  // em size in device pixels, times 4
  Name name_of(Font font) const;
  Name nearest(Font font) const;
  std::unique_ptr<ImFontAtlas> atlas_;
  double dpr_;
  std::set<Name> wanted_, loaded_;
  std::set<size_t> blocks_;  // of code points, beside those that every font has
  bool adds_blocks_ = false;
  std::map<Name, ImFont*> fonts_;
  Texture glyphs_;  // of the atlas
};

std::string font_file(Face face);  // throws Error naming the folders that were searched

// Text the atlas can draw: code points without a glyph become `U+1F600`.
std::string drawable(std::string_view utf8);

}  // namespace varve
