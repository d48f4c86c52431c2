// What all makers of a canvas share: shortening text, and which kind of picture a file name asks for.
#include "viz/draw/canvas.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "analysis/core/error.h"
#include "viz/draw/glyphs.h"

namespace varve {

std::string elide(const Canvas& canvas, std::string_view utf8, Font font, double width) {
  if (canvas.text_width(utf8, font) <= width) return std::string(utf8);
  std::vector<size_t> ends;  // a cut is only allowed between code points
  for (size_t at = 0; at < utf8.size();) {
    ends.push_back(at);
    next_code_point(utf8, at);
  }
  const std::string dots = "…";
  if (canvas.text_width(dots, font) > width) return "";
  size_t low = 0, high = ends.size() - 1;  // the longest cut that fits lies in [low, high]
  while (low < high) {
    const size_t middle = (low + high + 1) / 2;
    const std::string candidate = std::string(utf8.substr(0, ends[middle])) + dots;
    if (canvas.text_width(candidate, font) <= width) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return std::string(utf8.substr(0, ends[low])) + dots;
}

PictureKind picture_kind(const std::string& file_name) {
  const size_t dot = file_name.rfind('.');
  std::string ending = dot == std::string::npos ? "" : file_name.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == "svg") return PictureKind::svg;
  if (ending == "pdf") return PictureKind::pdf;
  if (ending == "png") return PictureKind::png;
  fail_usage("'{}' does not say which picture to make; end the name in .svg, .pdf or .png", file_name);
}

}  // namespace varve
