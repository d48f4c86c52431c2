// Plain text tables for people: columns as wide as their widest cell, numbers to the right.
#include "app/console/table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace varve {

size_t columns_of(const std::string& utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

TextTable::TextTable(const std::vector<std::string>& headings) {
  std::vector<std::string> names;
  for (const std::string& heading : headings) {
    const bool right = !heading.empty() && heading[0] == '>';
    right_.push_back(right);
    names.push_back(right ? heading.substr(1) : heading);
  }
  rows_.push_back(std::move(names));
}

void TextTable::row(std::vector<std::string> cells) {
  assert(cells.size() == right_.size() && "a table row has one cell a heading");
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<size_t> widths(right_.size(), 0);
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns_of(row[c]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - columns_of(row[c]), ' ');
      line += (c == 0 ? "" : "  ") + (right_[c] ? space + row[c] : row[c] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace varve
