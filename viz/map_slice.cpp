// Takes slices for maps, colours them and puts their cells into words.
#include "viz/map_slice.h"

#include <algorithm>
#include <cmath>

namespace varve {
namespace {

constexpr int64_t most_for_one_scale = 8'000'000;

std::string state_words(Absent what) {
  switch (what) {
    case Absent::missing:
      return "missing";
    case Absent::bad:
      return "audited bad, left out";
    case Absent::not_computed:
      return "not computed yet";
    case Absent::not_finite:
      return "not finite";
  }
  return "";
}

// R2 says something from 0, as good as the mean, to 1. Below 0 it has no scale of its own: one hopeless curve
// would take the colours from all others.
Spread spread_of_r2(Spread spread, const Array& values) {
  const std::vector<double> all = numbers_of(values);
  spread.below = std::count_if(all.begin(), all.end(), [](double v) { return v < 0; });
  spread.above = 0;
  spread.low = spread.lowest = 0;
  spread.high = 1;
  return spread;
}

}  // namespace

std::string map_name(const std::string& wanted, const Spread& spread) {
  if (wanted != "auto") return wanted;
  return spread.lowest < 0 && spread.highest > 0 ? "tide" : "strata";
}

MapSlice map_slice(const Dataset& data, const std::string& name, const std::string& x, const std::string& y,
                   const Places& given, const Selection& selection, const std::string& range,
                   const std::string& map) {
  MapSlice slice;
  slice.name = name;
  slice.x = x;
  slice.y = y;
  const Array& array = data[name];
  slice.values = arranged(array, {y, x}, data, given, selection, slice.fixed);
  slice.absence = AbsenceMap(data, y, x, slice.fixed);
  Spread all = spread_of(slice.values, "full");
  if (slice.fixed.count("step") && !given.count("step") && array.size() <= most_for_one_scale) {
    Places ignored;
    const Array whole = arranged(array, {"step", y, x}, data, given, selection, ignored);
    all = spread_of(whole, "full");
    const Centre centre = map_name(map, all) == "tide" ? Centre::zero : Centre::none;
    slice.spread = spread_of(whole, range, centre);
  } else {
    slice.spread = spread_of(slice.values, range, map_name(map, all) == "tide" ? Centre::zero : Centre::none);
  }
  if (array.unit == "R2") slice.spread = spread_of_r2(slice.spread, slice.values);
  return slice;
}

CellGrid cell_grid(const MapSlice& slice, const MapAxis::Part& rows, const MapAxis::Part& columns,
                   const ColorScale& scale, bool has_gaps) {
  CellGrid grid;
  grid.row_edges = rows.edges;
  grid.column_edges = columns.edges;
  grid.has_gaps = has_gaps;
  grid.value = [&slice, &rows, &columns](int64_t row, int64_t column) {
    return slice.value(rows.item(row), columns.item(column));
  };
  grid.color = [&scale](double v) { return color_of(scale, v); };
  if (slice.absence.speaks())
    grid.state = [&slice, &rows, &columns](int64_t row, int64_t column, double value) {
      return slice.absence.at(rows.item(row), columns.item(column), value);
    };
  std::visit(
      [&](const auto& all) {
        using T = typename std::decay_t<decltype(all)>::value_type;
        if constexpr (!std::is_same_v<T, std::string>) {
          const T* values = all.data();
          const int64_t width = slice.columns();
          grid.row_values = [values, width, &rows, &columns](int64_t row, int64_t first, int64_t last,
                                                             double* out) {
            const T* from = values + rows.item(row) * width + columns.first;
            for (int64_t j = first; j < last; ++j)
              out[j - first] = static_cast<double>(from[j * columns.step]);
          };
        }
      },
      slice.values.values());
  return grid;
}

std::vector<TipRow> map_tip(const Dataset& data, const MapSlice& slice, int64_t row, int64_t column) {
  std::vector<TipRow> tip;
  const double value = slice.value(row, column);
  tip.push_back({fmt::format("{} {} · {} {}", slice.y, name_at(data, slice.y, row), slice.x,
                             name_at(data, slice.x, column)),
                 ""});
  const auto state = slice.absence.at(row, column, value);
  tip.push_back(
      {title_of(data, slice.name), state ? state_words(*state) : shown_exactly(slice.values, value)});
  if (!slice.values.unit.empty()) tip.push_back({"unit", slice.values.unit});
  const auto beside = [&](const char* ending) -> std::optional<double> {
    const Array* other = companion(data, slice.name, ending);
    if (!other) return std::nullopt;
    Places places = slice.fixed;
    places[slice.y] = row;
    places[slice.x] = column;
    Places ignored;
    const Array one = arranged(*other, {}, data, places, {}, ignored);
    return one.size() == 1 ? std::optional<double>(one.number(0)) : std::nullopt;
  };
  const auto low = beside("low"), high = beside("high"), n = beside("n"), floor = beside("floor"),
             noise = beside("noise");
  if (low && high && std::isfinite(*low)) tip.push_back({"interval", shown(*low) + " – " + shown(*high)});
  if (n) tip.push_back({"n", shown(*n)});
  if (floor) tip.push_back({"noise floor", shown(*floor)});
  if (noise && std::isfinite(*noise)) tip.push_back({"noise", shown(*noise)});
  return tip;
}

std::string map_spoken(const Dataset& data, const MapSlice& slice, int64_t row, int64_t column) {
  return fmt::format("{} {} · {} {}: {} {}", slice.y, name_at(data, slice.y, row), slice.x,
                     name_at(data, slice.x, column), title_of(data, slice.name),
                     spoken_number(slice.value(row, column)));
}

Dataset map_data(const Dataset& data, const MapSlice& slice) {
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  out.set(slice.name, slice.values);
  for (const char* ending : {"low", "high", "n", "floor", "noise"}) {
    const std::string other = companion_name(data, slice.name, ending);
    Places ignored;
    if (!other.empty())
      out.set(other, arranged(data[other], {slice.y, slice.x}, data, slice.fixed, {}, ignored));
  }
  for (const char* flag : {"audited_bad", "computed"}) {
    if (!data.has(flag) || !is_numeric(data[flag])) continue;
    Places ignored;
    const Array one = arranged(data[flag], {slice.y, slice.x}, data, slice.fixed, {}, ignored);
    if (!one.axes().empty()) out.set(flag, one);
  }
  for (const std::string& axis : slice.values.axes())
    if (const Array* ticks = data.coord(axis); ticks && ticks->size() == slice.values.extent(axis))
      out.set_coord(axis, *ticks);
  if (!slice.fixed.empty()) out.notes.push_back(said(data, slice.fixed));
  return out;
}

}  // namespace varve
