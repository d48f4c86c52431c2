// The four DejaVu faces as ImGui fonts: one atlas per canvas, grown when a size or face is first asked for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "viz/draw/canvas.h"

struct ImFont;
struct ImFontAtlas;

namespace varve {

class ScreenFonts {
 public:
  // dpr: device pixels in a logical pixel.
  explicit ScreenFonts(double dpr);
  double dpr() const { return dpr_; }
  // The font, or the nearest size there is until the atlas has been rebuilt. Never null after build().
  ImFont* font(Font font);
  double scale_for(Font font) const;  // of the ImFont returned, to get the size that was asked for
  bool stale() const { return !wanted_.empty(); }
  // Builds the atlas with every font asked for so far. Between frames only.
  void build(ImFontAtlas& atlas);

 private:
  using Name = std::pair<int, Face>;  // em size in device pixels, times 4
  Name name_of(Font font) const;
  Name nearest(Font font) const;
  double dpr_;
  std::set<Name> wanted_, loaded_;
  std::map<Name, ImFont*> fonts_;
};

std::string font_file(Face face);  // throws Error naming the folders that were searched

// Text the atlas can draw: code points without a glyph become `U+1F600`.
std::string drawable(std::string_view utf8);

}  // namespace varve
