// Renames `surface17`, `image23` ... in order of their first appearance.
#include "viz/draw/svg_ids.h"

#include <cctype>
#include <map>
#include <string_view>

namespace varve {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; }

// The names follow either of these marks: where they are given, and where they are used.
size_t mark_length(std::string_view svg, size_t at) {
  if (svg.substr(at, 4) == "id=\"") return 4;
  if (svg.substr(at, 2) == "(#" || svg.substr(at, 2) == "\"#") return 2;
  return 0;
}

}  // namespace

std::string renumber_svg_ids(const std::string& svg) {
  std::map<std::string, std::string> renamed;
  std::map<std::string, int> count;
  std::string out;
  out.reserve(svg.size());
  for (size_t at = 0; at < svg.size();) {
    const size_t mark = mark_length(svg, at);
    if (mark == 0) {
      out += svg[at++];
      continue;
    }
    out.append(svg, at, mark);
    at += mark;
    size_t end = at;
    while (end < svg.size() && is_name(svg[end])) ++end;
    const std::string name = svg.substr(at, end - at);
    size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
    const std::string kind = name.substr(0, digits);
    const auto [place, is_new] = renamed.try_emplace(name);
    if (is_new) place->second = digits == name.size() ? name : kind + std::to_string(count[kind]++);
    out += place->second;
    at = end;
  }
  return out;
}

}  // namespace varve
