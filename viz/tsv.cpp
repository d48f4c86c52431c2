// Lays the arrays of a Dataset out as rows and columns of text.
#include "viz/tsv.h"

#include <algorithm>
#include <vector>

namespace varve {
namespace {

// A tab or line end inside a value would start a new cell.
std::string plain(std::string text) {
  for (char& c : text)
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  return text;
}

bool lies_within(const Array& array, const std::vector<std::string>& axes) {
  return std::all_of(array.axes().begin(), array.axes().end(), [&axes](const std::string& axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  });
}

std::string tick(const Dataset& data, const std::string& axis, int64_t index) {
  const Array* coord = data.coord(axis);
  return coord && index < coord->size() ? plain(coord->text(index)) : std::to_string(index);
}

struct Column {
  const Array* array;
  std::vector<int64_t> stride;  // for each axis of the block
};

std::string block_of(const Dataset& data, const Array& widest,
                     const std::vector<std::pair<std::string, const Array*>>& arrays) {
  const std::vector<std::string>& axes = widest.axes();
  std::string text;
  for (const std::string& axis : axes) text += (text.empty() ? "" : "\t") + plain(axis);
  std::vector<Column> columns;
  for (const auto& [name, array] : arrays) {
    Column column{array, std::vector<int64_t>(axes.size(), 0)};
    int64_t stride = 1;
    for (size_t i = array->axes().size(); i-- > 0; stride *= array->shape()[i])
      for (size_t a = 0; a < axes.size(); ++a)
        if (axes[a] == array->axes()[i]) column.stride[a] = stride;
    columns.push_back(std::move(column));
    text += (text.empty() ? "" : "\t") + plain(name) +
            (array->unit.empty() ? "" : " (" + plain(array->unit) + ")");
  }
  text += "\n";
  std::vector<int64_t> index(axes.size(), 0);
  for (int64_t row = 0; row < widest.size(); ++row) {
    int64_t rest = row;
    for (size_t a = axes.size(); a-- > 0; rest /= widest.shape()[a]) index[a] = rest % widest.shape()[a];
    std::string line;
    for (size_t a = 0; a < axes.size(); ++a) line += (a > 0 ? "\t" : "") + tick(data, axes[a], index[a]);
    for (size_t c = 0; c < columns.size(); ++c) {
      int64_t flat = 0;
      for (size_t a = 0; a < axes.size(); ++a) flat += index[a] * columns[c].stride[a];
      line += (axes.empty() && c == 0 ? "" : "\t") + plain(columns[c].array->text(flat));
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string tsv_of(const Dataset& data) {
  std::vector<std::pair<std::string, const Array*>> left;
  for (const auto& [name, array] : data.arrays()) left.emplace_back(name, &array);
  std::string text;
  while (!left.empty()) {
    const Array& widest = *std::max_element(left.begin(), left.end(), [](const auto& a, const auto& b) {
                             return a.second->axes().size() < b.second->axes().size();
                           })->second;
    std::vector<std::pair<std::string, const Array*>> here, later;
    for (const auto& one : left) (lies_within(*one.second, widest.axes()) ? here : later).push_back(one);
    text += (text.empty() ? "" : "\n") + block_of(data, widest, here);
    left = std::move(later);
  }
  return text;
}

std::string tsv_of(const View& view, const Dataset& data, const SettingValues& options,
                   const Selection& selection) {
  return tsv_of(view.drawn_data(data, options, selection));
}

}  // namespace varve
