// A Dataset as CSV in long form: one row for each place of the axes, one column for each axis and array.
#include "app/console/dataset_csv.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

using Groups = std::map<std::vector<std::string>, std::vector<std::string>>;  // axes -> array names

Groups groups_of(const Dataset& data, const std::vector<std::string>& globs) {
  Groups groups;
  for (const auto& [name, array] : data.arrays()) {
    const bool wanted =
        globs.empty() || std::any_of(globs.begin(), globs.end(),
                                     [&n = name](const auto& glob) { return glob_match(glob, n); });
    if (wanted) groups[array.axes()].push_back(name);
  }
  if (groups.empty()) fail_usage("no array of the result matches --array");
  return groups;
}

struct Columns {
  std::vector<std::string> axes, arrays;
};

std::string rows_of(const Dataset& data, const Columns& columns, const std::vector<std::string>& axes,
                    const std::vector<std::string>& names) {
  const Array& first = data[names[0]];
  const std::vector<int64_t>& shape = first.shape();
  std::vector<int64_t> index(axes.size(), 0);
  std::string out;
  for (int64_t flat = 0; flat < first.size(); ++flat) {
    std::string line;
    for (const std::string& axis : columns.axes) {
      const auto place = std::find(axes.begin(), axes.end(), axis) - axes.begin();
      if (place < static_cast<std::ptrdiff_t>(axes.size())) {
        const int64_t at = index[static_cast<size_t>(place)];
        const Array* const ticks = data.coord(axis);
        line += ticks ? csv_field(ticks->text(at)) : std::to_string(at);
      }
      line += ',';
    }
    for (const std::string& name : columns.arrays) {
      if (std::find(names.begin(), names.end(), name) != names.end())
        line += csv_field(data[name].text(flat));
      line += ',';
    }
    line.back() = '\n';
    out += line;
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

}  // namespace

// Quoted where RFC 4180 asks for it.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string to_csv(const Dataset& data, const std::vector<std::string>& globs) {
  const Groups groups = groups_of(data, globs);
  Columns columns;
  for (const std::string& axis : data.axes())
    for (const auto& [axes, names] : groups)
      if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
        columns.axes.push_back(axis);
        break;
      }
  for (const auto& [axes, names] : groups)
    columns.arrays.insert(columns.arrays.end(), names.begin(), names.end());
  std::string out;
  for (const std::string& axis : columns.axes) out += csv_field(axis) + ",";
  for (const std::string& name : columns.arrays) out += csv_field(name) + ",";
  out.back() = '\n';
  for (const auto& [axes, names] : groups) out += rows_of(data, columns, axes, names);
  return out;
}

}  // namespace varve
