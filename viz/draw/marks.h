// Marks that several views share: thinned lines, bands, whiskers, the looks of absent values, the selection.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "viz/draw/axes.h"
#include "viz/draw/canvas.h"

namespace varve {

// Points in pixels, thinned so that every pixel column keeps its first, lowest, highest and last value
// exactly. A NaN point breaks the line and stays in the result as one NaN point.
std::vector<Point> thinned(std::span<const Point> points, double pixel);

// The stretch between `low` and `high` (pixel points of equal x, or equal y where upright), a colour of its
// own so that it may overlap itself.
void draw_band(Canvas& canvas, std::span<const Point> low, std::span<const Point> high, Color color);
void draw_whisker(Canvas& canvas, Point low, Point high, Color color);
Color band_color(const Theme& theme, Color series);  // 78 % towards the canvas

// Four states, four looks; none has a map colour.
enum class Absent { missing, bad, not_computed, not_finite };
void draw_absent(Canvas& canvas, const Theme& theme, Box box, Absent what);

enum class Frame { selected, focused };  // focused: dashed
void draw_selection(Canvas& canvas, const Theme& theme, Box box, Frame kind = Frame::selected);
void draw_diamond(Canvas& canvas, Point center, double radius, Color color);
// One sentence in the middle, why there is nothing to see.
void draw_empty(Canvas& canvas, const Theme& theme, Box area, const std::string& why);

// A grid of coloured values over `box`, thinned to device pixels: where several cells share a pixel the
// largest value shows. Edges are pixel places, ascending, one more than there are rows or columns; row 0 is
// at the top.
struct CellGrid {
  std::vector<double> row_edges, column_edges;
  std::function<double(int64_t row, int64_t column)> value;  // NaN: absent
  std::function<Color(double)> color;
  Absent absent = Absent::missing;
  bool has_gaps = true;  // one pixel of canvas between cells that are wide enough
  // Which look a place has instead of its value; empty: NaN is `absent`, infinite is not_finite.
  std::function<std::optional<Absent>(int64_t row, int64_t column, double value)> state = {};
  // The values of columns [first, last) of a row at once, where that is quicker than one by one; may be
  // empty.
  std::function<void(int64_t row, int64_t first, int64_t last, double* out)> row_values = {};
};
// Returns how many cells share one pixel at most; 1 where every cell is seen.
int64_t draw_cells(Canvas& canvas, const Theme& theme, Box clip, const CellGrid& grid);

// The parts of it, for those who keep what they painted. Boxes: every cell is wide enough to be drawn by
// itself.
bool fits_as_boxes(const Canvas& canvas, Box clip, const CellGrid& grid);
void draw_cell_boxes(Canvas& canvas, const Theme& theme, Box clip, const CellGrid& grid);
// Device pixels of the stretch that begins `left`, `top` pixels from the grid's first edges.
void paint_cells(const CellGrid& grid, const Theme& theme, double pixel, int64_t left, int64_t top,
                 int64_t wide, int64_t high, std::span<Color> out);
int64_t cells_a_pixel(const CellGrid& grid, double pixel);

}  // namespace varve
