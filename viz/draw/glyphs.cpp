// Turns bytes of any origin into text that can be drawn and read.
#include "viz/draw/glyphs.h"

#include <fmt/format.h>

namespace varve {

int32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  const size_t begin = at++;
  if (first < 0x80) return first;
  const int extra = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || begin + static_cast<size_t>(extra) >= text.size()) return -1 - first;
  int32_t point = first & (0x3F >> extra);
  for (int i = 1; i <= extra; ++i) {
    const uint8_t next = byte(begin + static_cast<size_t>(i));
    if ((next & 0xC0) != 0x80) return -1 - first;
    point = (point << 6) | (next & 0x3F);
  }
  constexpr int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  if (point < smallest[extra] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return -1 - first;
  at = begin + static_cast<size_t>(extra) + 1;
  return point;
}

std::string utf8_of(int32_t p) {
  std::string out;
  if (p < 0x80) {
    out += static_cast<char>(p);
  } else if (p < 0x800) {
    out += static_cast<char>(0xC0 | (p >> 6));
    out += static_cast<char>(0x80 | (p & 0x3F));
  } else if (p < 0x10000) {
    out += static_cast<char>(0xE0 | (p >> 12));
    out += static_cast<char>(0x80 | ((p >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (p & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (p >> 18));
    out += static_cast<char>(0x80 | ((p >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((p >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (p & 0x3F));
  }
  return out;
}

std::string token_label(std::string_view token) {
  std::string out;
  size_t at = 0;
  bool leading = true;
  while (at < token.size()) {
    const int32_t point = next_code_point(token, at);
    if (point == ' ') {
      // A blank at the end would vanish too, so every blank at an edge is shown.
      const bool trailing = token.find_first_not_of(' ', at) == std::string_view::npos;
      out += leading || trailing ? "␣" : " ";
      continue;
    }
    leading = false;
    if (point == '\n') {
      out += "⏎";
    } else if (point == '\t') {
      out += "⇥";
    } else if (point < 0) {
      out += fmt::format("\\x{:02x}", -1 - point);
    } else if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
      out += fmt::format("\\x{:02x}", point);
    } else {
      out += utf8_of(point);
    }
  }
  return out;
}

std::string minus_signed(std::string number) {
  std::string out;
  for (const char c : number) {
    if (c == '-') {
      out += "−";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace varve
