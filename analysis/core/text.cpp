// Matching, splitting and reading of small texts.
#include "analysis/core/text.h"

#include <charconv>
#include <cmath>

#include "analysis/core/error.h"

namespace varve {

bool glob_match(std::string_view pattern, std::string_view name) {
  // Going back only to the last star is enough, and keeps hostile patterns from taking exponential time.
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

int64_t parse_bytes(const std::string& size) {
  double number = 0;
  const char* end = size.data() + size.size();
  const auto [stopped_at, problem] = std::from_chars(size.data(), end, number, std::chars_format::fixed);
  std::string unit(stopped_at, end);
  for (char& letter : unit)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
  if (unit.ends_with('B')) unit.pop_back();

  static constexpr std::string_view letters = "KMGTP";
  const size_t power = unit.empty() ? 0 : letters.find(unit[0]) + 1;  // npos + 1 is 0
  const bool binary = unit.size() == 2 && unit[1] == 'I';
  const bool known = unit.empty() || (power > 0 && (unit.size() == 1 || binary));
  if (problem != std::errc{} || !known || !std::isfinite(number) || number < 0)
    fail_usage("'{}' is not a size; write it like 512M, 2G or 1.5GiB", size);
  const double bytes = number * std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power));
  if (bytes >= 9.2e18) fail_usage("the size '{}' is larger than any machine has", size);
  return static_cast<int64_t>(bytes);
}

bool is_utf8(std::string_view text) {
  // RFC 3629: the shortest form only, no surrogates, nothing above U+10FFFF.
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) continue;
    size_t more = 0;
    uint32_t code = 0, least = 0;
    if (first >= 0xC2 && first <= 0xDF) {
      more = 1, code = first & 0x1F, least = 0x80;
    } else if (first >= 0xE0 && first <= 0xEF) {
      more = 2, code = first & 0x0F, least = 0x800;
    } else if (first >= 0xF0 && first <= 0xF4) {
      more = 3, code = first & 0x07, least = 0x10000;
    } else {
      return false;
    }
    for (; more > 0; --more, ++i) {
      if (i >= text.size()) return false;
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xC0) != 0x80) return false;
      code = (code << 6) | (next & 0x3F);
    }
    if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  }
  return true;
}

}  // namespace varve
