// A report page: plain HTML with its style inside, no script, nothing fetched.
#pragma once

#include <string>
#include <vector>

namespace varve {

std::string escaped(const std::string& text);  // for HTML

class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}
  void heading(const std::string& text);  // also an entry of the contents line
  void paragraph(const std::string& text, const std::string& style = "");
  void badge(bool passed, const std::string& text);  // shape and word carry it, colour only helps
  void figure(const std::string& stem, const std::string& caption);  // figures/<stem>.svg, with its PNG
  void link(const std::string& file, const std::string& text);
  // Columns whose heading begins with '>' are set to the right.
  void table(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows);
  // Folded away until asked for.
  void details(const std::string& summary, const std::vector<std::vector<std::string>>& names_and_values);
  std::string html() const;

 private:
  std::string title_, contents_, body_;
  int headings_ = 0;
};

}  // namespace varve
