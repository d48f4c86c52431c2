// Plain text tables for people: columns as wide as their widest cell, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace varve {

class TextTable {
 public:
  // A heading that begins with '>' is set to the right, and so is its column.
  explicit TextTable(const std::vector<std::string>& headings);
  void row(std::vector<std::string> cells);  // as many cells as headings
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

size_t columns_of(const std::string& utf8);  // characters, which is columns for the text we print

}  // namespace varve
