// Finds companions, orders arrays by how well they fit, lays slices out and tells absent values apart.
#include "viz/choice.h"

#include <algorithm>
#include <cmath>

namespace varve {
namespace {

const char* const endings[] = {"_low",
                               "_high",
                               "_lo",
                               "_hi",
                               "_n",
                               "_fit",
                               "_fit_low",
                               "_fit_high",
                               "_used",
                               "_floor",
                               "_noise",
                               "_noise_low",
                               "_noise_high",
                               "_peak_step",
                               "_peak_step_low",
                               "_peak_step_high",
                               "_peak_low",
                               "_peak_high",
                               "_peak_value",
                               "_peak_value_low",
                               "_peak_value_high"};

template <class T>
std::vector<T> moved(std::span<const T> from, const std::vector<int64_t>& shape,
                     const std::vector<int64_t>& stride) {
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  std::vector<T> out;
  out.reserve(static_cast<size_t>(size));
  if (size == 0) return out;
  const size_t rank = shape.size();
  std::vector<int64_t> index(rank, 0);
  const int64_t inner = rank > 0 ? shape[rank - 1] : 1, inner_stride = rank > 0 ? stride[rank - 1] : 1;
  for (int64_t base = 0; static_cast<int64_t>(out.size()) < size;) {
    for (int64_t i = 0; i < inner; ++i) out.push_back(from[static_cast<size_t>(base + i * inner_stride)]);
    size_t a = rank > 0 ? rank - 1 : 0;
    while (a-- > 0) {
      base += stride[a];
      if (++index[a] < shape[a]) break;
      base -= stride[a] * shape[a];
      index[a] = 0;
    }
  }
  return out;
}

}  // namespace

bool is_companion(const Dataset& data, const std::string& name) {
  if (name == "audited_bad" || name == "computed") return true;
  for (const std::string ending : endings)
    if (name.size() > ending.size() && name.ends_with(ending) &&
        data.has(name.substr(0, name.size() - ending.size())))
      return true;
  return false;
}

std::string companion_name(const Dataset& data, const std::string& name, const std::string& ending) {
  std::vector<std::string> names = {name + "_" + ending};
  if (ending.ends_with("low")) names.push_back(name + "_" + ending.substr(0, ending.size() - 1));
  if (ending.ends_with("high")) names.push_back(name + "_" + ending.substr(0, ending.size() - 2));
  // Where a fit peaks is a step, whether its name says so or not.
  if (ending.starts_with("peak_step")) names.push_back(name + "_peak" + ending.substr(9));
  if (!data.has(name)) return "";
  for (const std::string& one : names) {
    if (!data.has(one) || !is_numeric(data[one])) continue;
    const auto& axes = data[one].axes();
    if (std::all_of(axes.begin(), axes.end(),
                    [&](const std::string& axis) { return data[name].axis(axis).has_value(); }))
      return one;
  }
  return "";
}

const Array* companion(const Dataset& data, const std::string& name, const std::string& ending) {
  const std::string found = companion_name(data, name, ending);
  return found.empty() ? nullptr : &data[found];
}

std::vector<std::string> arrays_by(const Dataset& data, const std::function<double(const Array&)>& score) {
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [name, array] : data.arrays()) {
    if (!is_numeric(array) || is_companion(data, name)) continue;
    const double points = score(array);
    if (points > 0) ranked.emplace_back(points, name);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (const auto leading = data.provenance.find("leading_array"); leading != data.provenance.end())
    std::stable_partition(ranked.begin(), ranked.end(),
                          [&leading](const auto& one) { return one.second == leading->second; });
  std::vector<std::string> names;
  for (auto& [points, name] : ranked) names.push_back(std::move(name));
  return names;
}

void require_axis(const Array& array, const std::string& name, const std::string& axis,
                  const std::string& whose) {
  if (!array.axis(axis))
    fail_usage("{}: '{}' has no axis '{}'; did you mean '{}'?", whose, name, axis,
               nearest(axis, array.axes()));
}

Places places_left(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
                   const Places& given, const Selection& selection) {
  Places places;
  for (const std::string& axis : array.axes())
    if (std::find(kept.begin(), kept.end(), axis) == kept.end())
      places[axis] = place_of(axis, data, given, selection);
  return places;
}

Array arranged(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
               const Places& given, const Selection& selection, Places& fixed) {
  const Places places = places_left(array, kept, data, given, selection);
  fixed.insert(places.begin(), places.end());
  std::vector<int64_t> strides(array.axes().size(), 1);
  for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * array.shape()[i];
  std::vector<std::string> axes;
  std::vector<int64_t> shape, stride;
  for (const std::string& axis : kept)
    if (const auto at = array.axis(axis)) {
      axes.push_back(axis);
      shape.push_back(array.shape()[static_cast<size_t>(*at)]);
      stride.push_back(strides[static_cast<size_t>(*at)]);
    }
  int64_t base = 0;
  bool is_empty = array.size() == 0;
  for (const auto& [axis, index] : places) base += index * strides[static_cast<size_t>(*array.axis(axis))];
  if (is_empty && axes.empty()) axes = {array.axes().front()}, shape = {0}, stride = {1};
  if (is_empty) std::fill(shape.begin(), shape.end(), 0);
  Array out = std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        const std::span<const T> from(values);
        return Array(axes, shape,
                     moved<T>(is_empty ? from : from.subspan(static_cast<size_t>(base)), shape, stride));
      },
      array.values());
  out.title = array.title;
  out.unit = array.unit;
  return out;
}

Array picked(const Array& array, const std::string& axis, const std::vector<int64_t>& items) {
  const auto place = array.axis(axis);
  if (!place) return array;
  const auto at = static_cast<size_t>(*place);
  std::vector<int64_t> shape = array.shape();
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < at; ++i) outer *= shape[i];
  for (size_t i = at + 1; i < shape.size(); ++i) inner *= shape[i];
  const int64_t count = shape[at];
  shape[at] = static_cast<int64_t>(items.size());
  Array out = std::visit(
      [&](const auto& values) {
        std::decay_t<decltype(values)> chosen;
        chosen.reserve(static_cast<size_t>(outer * shape[at] * inner));
        for (int64_t o = 0; o < outer; ++o)
          for (const int64_t item : items) {
            const auto from = values.begin() + static_cast<std::ptrdiff_t>((o * count + item) * inner);
            chosen.insert(chosen.end(), from, from + static_cast<std::ptrdiff_t>(inner));
          }
        return Array(array.axes(), shape, std::move(chosen));
      },
      array.values());
  out.title = array.title;
  out.unit = array.unit;
  return out;
}

std::vector<FreeAxis> free_axes_of(const Dataset& data, const Places& places) {
  std::vector<FreeAxis> all;
  for (const std::string& axis : data.axes())
    if (const auto found = places.find(axis); found != places.end())
      all.push_back({axis, data.extent(axis), found->second, name_at(data, axis, found->second)});
  return all;
}

std::vector<std::string> axes_of(const Dataset& data, const std::string& array) {
  return !array.empty() && data.has(array) ? data[array].axes() : std::vector<std::string>();
}

AbsenceMap::AbsenceMap(const Dataset& data, const std::string& y, const std::string& x, const Places& fixed)
    : bad_(flag_of(data, "audited_bad", y, x, fixed)), computed_(flag_of(data, "computed", y, x, fixed)) {}

AbsenceMap::Flag AbsenceMap::flag_of(const Dataset& data, const std::string& name, const std::string& y,
                                     const std::string& x, const Places& fixed) {
  Flag flag;
  if (!data.has(name) || !is_numeric(data[name]) || data[name].size() == 0) return flag;
  const Array& array = data[name];
  Places places;
  for (const std::string& axis : array.axes()) {
    if (axis == y || axis == x) continue;
    if (!fixed.count(axis)) return flag;  // it speaks of places this slice does not know
    places[axis] = fixed.at(axis);
  }
  Places said_of;
  std::vector<std::string> kept;
  for (const std::string& axis : {y, x})
    if (!axis.empty() && array.axis(axis)) kept.push_back(axis);
  const Array slice = arranged(array, kept, data, places, {}, said_of);
  for (int64_t i = 0; i < slice.size(); ++i) flag.values.push_back(slice.number(i) != 0);
  if (slice.axis(x)) flag.column_stride = 1;
  if (slice.axis(y)) flag.row_stride = slice.axis(x) ? slice.extent(x) : 1;
  return flag;
}

std::optional<Absent> AbsenceMap::at(int64_t row, int64_t column, double value) const {
  if (computed_.size() > 0 && !computed_.at(row, column)) return Absent::not_computed;
  if (bad_.size() > 0 && bad_.at(row, column)) return Absent::bad;
  if (std::isnan(value)) return Absent::missing;
  if (std::isinf(value)) return Absent::not_finite;
  return std::nullopt;
}

}  // namespace varve
