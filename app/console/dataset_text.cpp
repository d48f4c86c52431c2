// A Dataset for people to read in a terminal: a table over the steps, then what else it holds.
#include "app/console/dataset_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/text.h"
#include "app/console/table.h"

namespace varve {
namespace {

// More columns than this wrap in most terminals.
constexpr size_t widest_table = 8;
constexpr int64_t longest_table = 64;

std::string cell_text(const Array& array, int64_t flat) {
  if (array.dtype() == Dtype::text || array.dtype() == Dtype::i64) return array.text(flat);
  return show_number(array.number(flat));
}

// What is shown beside its own estimate: score_low, score_high and score_n belong to score.
bool is_companion(const Dataset& data, const std::string& name) {
  for (const char* const ending : {"_low", "_high", "_n"})
    if (name.ends_with(ending) && data.has(name.substr(0, name.rfind('_')))) return true;
  return false;
}

// "0.811 (0.784 – 0.838)" where the array has an interval there.
std::string estimate_text(const Dataset& data, const std::string& name, int64_t flat) {
  const std::string text = cell_text(data[name], flat);
  if (!data.has(name + "_low") || !data.has(name + "_high")) return text;
  const Array &low = data[name + "_low"], &high = data[name + "_high"];
  if (low.size() <= flat || high.size() <= flat || !std::isfinite(low.number(flat))) return text;
  return fmt::format("{} ({} – {})", text, cell_text(low, flat), cell_text(high, flat));
}

bool is_column(const Array& array) {
  return array.axes().size() == 1 && array.axes()[0] == "step" && array.size() <= longest_table;
}

// Arrays that have the step axis only, side by side.
std::string step_table(const Dataset& data) {
  std::vector<std::string> headings = {">step"};
  std::vector<std::string> columns;
  for (const auto& [name, array] : data.arrays()) {
    if (!is_column(array) || is_companion(data, name) || columns.size() == widest_table) continue;
    headings.push_back(">" + name + (array.unit.empty() ? "" : " (" + array.unit + ")"));
    columns.push_back(name);
  }
  if (columns.empty()) return "";
  const Array* const steps = data.coord("step");
  TextTable table(headings);
  for (int64_t row = 0; row < data[columns[0]].size(); ++row) {
    std::vector<std::string> cells = {steps ? steps->text(row) : std::to_string(row)};
    for (const std::string& column : columns) cells.push_back(estimate_text(data, column, row));
    table.row(std::move(cells));
  }
  return table.text() + "\n";
}

std::string spread(const Array& array) {
  if (array.dtype() == Dtype::text || array.size() == 0) return "";
  double low = INFINITY, high = -INFINITY;
  int64_t finite = 0;
  for (int64_t i = 0; i < array.size(); ++i) {
    const double value = array.number(i);
    if (!std::isfinite(value)) continue;
    ++finite;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (finite == 0) return "nothing finite";
  return fmt::format("{} to {}", show_number(low), show_number(high));
}

}  // namespace

std::string dataset_text(const Dataset& data) {
  std::string text = data.title.empty() ? "" : data.title + "\n\n";
  text += step_table(data);
  TextTable table({"array", "axes", "unit", ">values", "range", "what"});
  for (const auto& [name, array] : data.arrays()) {
    if (is_companion(data, name)) continue;
    std::vector<std::string> axes;
    for (size_t i = 0; i < array.axes().size(); ++i)
      axes.push_back(fmt::format("{} {}", array.axes()[i], array.shape()[i]));
    table.row({name, fmt::format("{}", fmt::join(axes, ", ")), array.unit, show_count(array.size()),
               spread(array), array.title});
  }
  return text + table.text();
}

}  // namespace varve
