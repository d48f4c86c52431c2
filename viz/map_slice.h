// Two axes of an array as a grid: what a heat map, a matrix and small maps draw, and how it is coloured.
#pragma once

#include <string>
#include <vector>

#include "viz/cell_map.h"
#include "viz/choice.h"
#include "viz/map_axis.h"

namespace varve {

// One slice [y, x] of an array, ready to be drawn.
struct MapSlice {
  std::string name, x, y;
  Places fixed;
  Array values;  // [y, x]
  Spread spread;
  AbsenceMap absence;
  int64_t rows() const { return values.shape()[0]; }
  int64_t columns() const { return values.shape()[1]; }
  double value(int64_t row, int64_t column) const { return values.number(row * columns() + column); }
  int64_t bytes() const { return values.bytes(); }
};

// The colours of a slice: those of the whole stretch of training where there is one, so that scrubbing keeps
// one scale. `map` "auto" is tide where values lie on both sides of zero, else strata.
MapSlice map_slice(const Dataset& data, const std::string& name, const std::string& x, const std::string& y,
                   const Places& given, const Selection& selection, const std::string& range,
                   const std::string& map);
std::string map_name(const std::string& wanted, const Spread& spread);

// The grid of a stretch of rows and columns; what it refers to must outlive it.
CellGrid cell_grid(const MapSlice& slice, const MapAxis::Part& rows, const MapAxis::Part& columns,
                   const ColorScale& scale, bool has_gaps);

// Name, value and what goes with it, for the tip of a cell.
std::vector<TipRow> map_tip(const Dataset& data, const MapSlice& slice, int64_t row, int64_t column);
std::string map_spoken(const Dataset& data, const MapSlice& slice, int64_t row, int64_t column);

// The slice with its companions and coordinates, as exported.
Dataset map_data(const Dataset& data, const MapSlice& slice);

}  // namespace varve
