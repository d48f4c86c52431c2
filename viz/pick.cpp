// Chooses slices of a Dataset by option, then by selection, and puts names and numbers into words.
#include "viz/pick.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/core/layer_axis.h"
#include "analysis/core/statistics.h"
#include "analysis/core/text.h"
#include "viz/draw/glyphs.h"

namespace varve {

Places parse_places(const std::string& text, const Dataset& data, const std::string& whose) {
  Places places;
  if (text.empty()) return places;
  for (const std::string& part : split(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string::npos)
      fail_usage("{}: 'at' is written axis=index, as in prompt=3,rank=0; '{}' is not", whose, part);
    const std::string axis = part.substr(0, equals), number = part.substr(equals + 1);
    if (!data.has_axis(axis))
      fail_usage("{}: 'at' names the axis '{}', which this result lacks; did you mean '{}'?", whose, axis,
                 nearest(axis, data.axes()));
    int64_t index = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
    if (error != std::errc() || end != number.data() + number.size() || index < 0 ||
        index >= data.extent(axis))
      fail_usage("{}: '{}' is no index of '{}'; there are 0 to {}", whose, number, axis,
                 data.extent(axis) - 1);
    places[axis] = index;
  }
  return places;
}

int64_t place_of(const std::string& axis, const Dataset& data, const Places& given,
                 const Selection& selection) {
  const int64_t extent = data.extent(axis);
  int64_t index = axis == "step" ? extent - 1 : 0;
  if (const auto selected = selection.index(axis)) index = *selected;
  if (const auto found = given.find(axis); found != given.end()) index = found->second;
  return std::clamp<int64_t>(index, 0, std::max<int64_t>(0, extent - 1));
}

Array sliced(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
             const Places& given, const Selection& selection, Places& fixed) {
  Array out;
  const Array* current = &array;  // the whole is never copied: it may hold every step
  for (const std::string& axis : array.axes()) {
    if (std::find(kept.begin(), kept.end(), axis) != kept.end()) continue;
    if (array.extent(axis) == 0) {
      // Nothing can be chosen from nothing: the slice has no values either.
      std::vector<int64_t> shape;
      std::vector<std::string> axes;
      for (const std::string& name : kept)
        if (array.axis(name)) axes.push_back(name), shape.push_back(0);
      if (axes.empty()) axes = {axis}, shape = {0};
      return Array::empty(array.dtype(), axes, shape);
    }
    const int64_t index = place_of(axis, data, given, selection);
    fixed[axis] = index;
    out = current->at(axis, index);
    current = &out;
  }
  if (current == &array) out = array;
  out.title = array.title;
  out.unit = array.unit;
  return out;
}

Array sliced_in_order(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
                      const Places& given, const Selection& selection, Places& fixed) {
  const Array slice = sliced(array, kept, data, given, selection, fixed);
  if (slice.axes() == kept || slice.axes().size() != 2 || kept.size() != 2 || slice.size() == 0) return slice;
  // Only the order of two axes can be wrong.
  const int64_t rows = slice.shape()[0], columns = slice.shape()[1];
  Array turned = Array::empty(Dtype::f64, {slice.axes()[1], slice.axes()[0]}, {columns, rows});
  const std::span<double> out = turned.as<double>();
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      out[static_cast<size_t>(c * rows + r)] = slice.number(r * columns + c);
  turned.title = array.title;
  turned.unit = array.unit;
  return turned;
}

bool is_numeric(const Array& array) { return array.dtype() != Dtype::text; }

const Array& array_named(const Dataset& data, const std::string& name, const std::string& whose) {
  if (data.has(name)) return data[name];
  std::vector<std::string> names;
  for (const auto& [known, array] : data.arrays()) names.push_back(known);
  fail_usage("{}: this result has no array '{}'; did you mean '{}'?", whose, name, nearest(name, names));
}

std::vector<double> ticks_along(const Dataset& data, const std::string& axis, int64_t extent) {
  std::vector<double> ticks(static_cast<size_t>(extent));
  std::iota(ticks.begin(), ticks.end(), 0.0);
  const Array* coord = data.coord(axis);
  if (coord && is_numeric(*coord) && coord->size() == extent)
    for (int64_t i = 0; i < extent; ++i) ticks[static_cast<size_t>(i)] = coord->number(i);
  return ticks;
}

int64_t places_along(const Dataset& data, const std::string& axis) {
  if (data.has_axis(axis)) return data.extent(axis);
  const auto& arrays = data.arrays();
  return std::any_of(
             arrays.begin(), arrays.end(),
             [&axis](const auto& one) { return one.second.dtype() == Dtype::i64 && one.second.unit == axis; })
             ? std::numeric_limits<int64_t>::max()
             : 0;
}

std::optional<MarkNumber> numbered(const Dataset& data, const std::string& axis, int64_t index) {
  const Array* coord = data.coord(axis);
  if (coord && is_numeric(*coord) && index >= 0 && index < coord->size()) {
    for (const char* named : {"head", "expert", "prompt", "sample", "feature", "token", "id"})
      if (axis == named) return std::nullopt;  // their numbers are names
    return MarkNumber{axis, coord->number(index)};
  }
  if (axis == "layer" || axis == "pos") return MarkNumber{axis, static_cast<double>(index)};
  return std::nullopt;
}

std::string name_at(const Dataset& data, const std::string& axis, int64_t index) {
  const Array* coord = data.coord(axis);
  if (!coord || index < 0 || index >= coord->size()) return std::to_string(index);
  if (coord->dtype() == Dtype::text) return token_label(coord->text(index));
  const double value = coord->number(index);
  if (std::floor(value) == value && std::abs(value) < 1e15) {
    const auto whole = static_cast<int64_t>(value);
    if (axis == "layer" && whole == 0 && coord->unit == blocks_applied) return "embed";
    return axis == "step" ? show_step(whole) : minus_signed(std::to_string(whole));
  }
  return shown(value);
}

std::vector<std::string> names_along(const Dataset& data, const std::string& axis, int64_t extent) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(extent));
  for (int64_t i = 0; i < extent; ++i) names.push_back(name_at(data, axis, i));
  return names;
}

std::string said(const Dataset& data, const Places& places) {
  std::string all;
  for (const std::string& axis : data.axes()) {
    const auto found = places.find(axis);
    if (found == places.end()) continue;
    if (!all.empty()) all += " · ";
    const Array* coord = data.coord(axis);
    if (axis == "step" && coord && is_numeric(*coord)) {
      all += "step " + show_count(static_cast<int64_t>(coord->number(found->second)));
    } else if (axis == "prompt") {
      all += fmt::format("prompt {} of {}", found->second + 1, data.extent(axis));
    } else {
      all += axis + " " + name_at(data, axis, found->second);
    }
  }
  return all;
}

std::string axis_title(const std::string& axis) {
  if (axis == "step") return "training step";
  if (axis == "pos") return "position";
  if (axis == "d_model") return "residual feature";
  std::string words = axis;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string interval_words(const Dataset& data, const std::string& name) {
  if (!data.has(name + "_low") || !is_numeric(data[name + "_low"])) return "";
  const std::vector<double> ends = numbers_of(data[name + "_low"]);
  if (std::none_of(ends.begin(), ends.end(), [](double v) { return std::isfinite(v); })) return "";
  // The whole sentence where the analysis wrote one, else what the title of the array says.
  const std::string told = "Intervals: ";
  for (const std::string& note : data.notes)
    if (note.rfind(told, 0) == 0) {
      std::string words = note.substr(told.size());
      if (words.ends_with('.')) words.pop_back();
      return words;
    }
  const std::string& title = data[name + "_low"].title;
  const size_t end = title.rfind(" of the ");
  const std::string kind = end == std::string::npos ? "" : title.substr(end + 8);
  return kind.ends_with("interval") ? kind : "interval of a kind the result does not name";
}

std::string title_of(const Dataset& data, const std::string& name) {
  if (data.has(name) && !data[name].title.empty()) return data[name].title;
  std::string words = name;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string with_unit(const Array& array, const std::string& title) {
  if (array.unit.empty() || title.find(array.unit) != std::string::npos) return title;
  return title + ", " + array.unit;
}

std::string shown(double value) {
  if (std::isnan(value)) return "–";
  if (value == 0) return "0";
  if (std::floor(value) == value && std::abs(value) < 1e15) return show_count(static_cast<int64_t>(value));
  return show_number(value);
}

std::string shown_exactly(const Array& array, double value) {
  if (std::isnan(value)) return "–";
  if (std::floor(value) == value && std::abs(value) < 1e15) return show_count(static_cast<int64_t>(value));
  return minus_signed(fmt::format("{:.{}g}", value, array.dtype() == Dtype::f32 ? 9 : 17));
}

std::string spoken_number(double value) { return std::isnan(value) ? "missing" : shown(value); }

double moved_x(const Look& look, double x) {
  return look.area.x + (x - look.area.x) * look.zoom + look.pan.x;
}
double moved_y(const Look& look, double y) {
  return look.area.y + (y - look.area.y) * look.zoom_down() + look.pan.y;
}

std::vector<double> numbers_of(const Array& array) {
  std::vector<double> values(static_cast<size_t>(array.size()));
  for (int64_t i = 0; i < array.size(); ++i) values[static_cast<size_t>(i)] = array.number(i);
  return values;
}

}  // namespace varve
