// Heat maps of any size: each device pixel shows the largest value that falls on it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/marks.h"

namespace varve {
namespace {

constexpr double gap_from = 4;          // cells wider than this keep one pixel of canvas between them
constexpr int64_t most_boxes = 20'000;  // more are drawn as one picture
constexpr int64_t most_close_boxes = 6'000;

struct Stretch {
  int64_t first = 0, last = 0;  // half-open; empty where no cell is
};

// For each device pixel of [from, from + count), the cells it shows.
std::vector<Stretch> stretches(const std::vector<double>& edges, double from, double pixel, int64_t count) {
  std::vector<Stretch> all(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const double left = from + static_cast<double>(i) * pixel, middle = left + pixel / 2;
    const auto under = std::upper_bound(edges.begin(), edges.end(), middle) - edges.begin() - 1;
    // Cells that begin inside this pixel are merged; else the one under its middle.
    const auto begin = std::lower_bound(edges.begin(), edges.end(), left) - edges.begin();
    const auto end = std::lower_bound(edges.begin(), edges.end(), left + pixel) - edges.begin();
    const int64_t cells = static_cast<int64_t>(edges.size()) - 1;
    Stretch s{under, under + 1};
    if (end - begin > 1) s = {std::min<int64_t>(under, begin), end};
    s.first = std::clamp<int64_t>(s.first, 0, cells);
    s.last = std::clamp<int64_t>(s.last, s.first, cells);
    if (under < 0 || under >= cells) s = {0, 0};
    all[static_cast<size_t>(i)] = s;
  }
  return all;
}

double narrowest(const std::vector<double>& edges) {
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i + 1 < edges.size(); ++i) least = std::min(least, edges[i + 1] - edges[i]);
  return least;
}

Stretch visible(const std::vector<double>& edges, double from, double to) {
  const int64_t n = static_cast<int64_t>(edges.size()) - 1;
  const int64_t first = std::upper_bound(edges.begin(), edges.end(), from) - edges.begin() - 1;
  const int64_t last = std::lower_bound(edges.begin(), edges.end(), to) - edges.begin();
  return {std::clamp<int64_t>(first, 0, n), std::clamp<int64_t>(last, 0, n)};
}

std::optional<Absent> state_of(const CellGrid& grid, int64_t row, int64_t column, double value) {
  if (grid.state) return grid.state(row, column, value);
  if (std::isnan(value)) return grid.absent;
  if (std::isinf(value)) return Absent::not_finite;
  return std::nullopt;
}

// The four looks, a pixel at a time: the hatch runs through cells smaller than its own period.
Color absent_pixel(const Theme& theme, Absent what, int64_t x, int64_t y) {
  constexpr int64_t period = 6;
  const bool is_line = (x + y) % period == 0;
  if (what == Absent::not_finite) return (x + y) % 2 == 0 ? theme.fail : theme.raised;
  if (what == Absent::not_computed || !is_line) return theme.raised;
  return what == Absent::bad ? theme.fail : theme.strong;
}

bool has_cells(const CellGrid& grid) { return grid.row_edges.size() > 1 && grid.column_edges.size() > 1; }

// Pixels an axis of cells takes, from its first edge snapped to a device pixel.
int64_t length_of(const std::vector<double>& edges, double pixel) {
  return std::max<int64_t>(1, std::llround((edges.back() - edges.front()) / pixel));
}

int64_t widest(const std::vector<Stretch>& all) {
  int64_t most = 1;
  for (const Stretch& s : all) most = std::max(most, s.last - s.first);
  return most;
}

}  // namespace

bool fits_as_boxes(const Canvas& canvas, Box clip, const CellGrid& grid) {
  if (!has_cells(grid)) return true;
  const Stretch r = visible(grid.row_edges, clip.y, clip.bottom());
  const Stretch c = visible(grid.column_edges, clip.x, clip.right());
  const int64_t boxes = (r.last - r.first) * (c.last - c.first);
  const double least = std::min(narrowest(grid.row_edges), narrowest(grid.column_edges));
  if (grid.has_gaps && least > gap_from) return boxes <= most_boxes;
  return least >= canvas.pixel() && boxes <= most_close_boxes;
}

void draw_cell_boxes(Canvas& canvas, const Theme& theme, Box clip, const CellGrid& grid) {
  if (!has_cells(grid)) return;
  canvas.push_clip(clip);
  const Stretch r = visible(grid.row_edges, clip.y, clip.bottom());
  const Stretch c = visible(grid.column_edges, clip.x, clip.right());
  const bool is_roomy =
      grid.has_gaps && narrowest(grid.row_edges) > gap_from && narrowest(grid.column_edges) > gap_from;
  const double gap = is_roomy ? 1 : 0;
  for (int64_t row = r.first; row < r.last; ++row)
    for (int64_t column = c.first; column < c.last; ++column) {
      const auto i = static_cast<size_t>(row), j = static_cast<size_t>(column);
      const Box box{grid.column_edges[j], grid.row_edges[i],
                    grid.column_edges[j + 1] - grid.column_edges[j] - gap,
                    grid.row_edges[i + 1] - grid.row_edges[i] - gap};
      const double value = grid.value(row, column);
      if (const auto absent = state_of(grid, row, column, value)) {
        draw_absent(canvas, theme, box, *absent);
      } else if (const Color color = grid.color(value); color.a > 0) {
        canvas.fill(box, color);
      }
    }
  canvas.pop_clip();
}

int64_t cells_a_pixel(const CellGrid& grid, double pixel) {
  if (!has_cells(grid)) return 1;
  return widest(stretches(grid.column_edges, grid.column_edges.front(), pixel,
                          length_of(grid.column_edges, pixel))) *
         widest(stretches(grid.row_edges, grid.row_edges.front(), pixel, length_of(grid.row_edges, pixel)));
}

void paint_cells(const CellGrid& grid, const Theme& theme, double pixel, int64_t left, int64_t top,
                 int64_t wide, int64_t high, std::span<Color> out) {
  if (!has_cells(grid) || wide <= 0 || high <= 0) return;
  const std::vector<Stretch> across = stretches(
      grid.column_edges, grid.column_edges.front() + static_cast<double>(left) * pixel, pixel, wide);
  const std::vector<Stretch> down =
      stretches(grid.row_edges, grid.row_edges.front() + static_cast<double>(top) * pixel, pixel, high);
  int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
  for (const Stretch& s : across)
    if (s.last > s.first) first = std::min(first, s.first), last = std::max(last, s.last);
  if (last <= first) return;
  constexpr double lowest = -std::numeric_limits<double>::infinity();
  std::vector<double> line(static_cast<size_t>(last - first)), values(line.size());
  std::vector<uint8_t> is_absent(static_cast<size_t>(wide));
  for (int64_t y = 0; y < high; ++y) {
    const Stretch row = down[static_cast<size_t>(y)];
    if (row.last <= row.first) continue;
    const bool is_same = y > 0 && down[static_cast<size_t>(y - 1)].first == row.first &&
                         down[static_cast<size_t>(y - 1)].last == row.last;
    if (!is_same) {
      std::fill(line.begin(), line.end(), lowest);
      for (int64_t i = row.first; i < row.last; ++i) {
        if (grid.row_values) {
          grid.row_values(i, first, last, values.data());
        } else {
          for (int64_t j = first; j < last; ++j) values[static_cast<size_t>(j - first)] = grid.value(i, j);
        }
        for (size_t j = 0; j < line.size(); ++j) {
          const bool is_drawn = !grid.state || !grid.state(i, first + static_cast<int64_t>(j), values[j]) ||
                                std::isinf(values[j]);
          if (is_drawn) line[j] = values[j] > line[j] ? values[j] : line[j];
        }
      }
    }
    for (int64_t x = 0; x < wide; ++x) {
      const Stretch column = across[static_cast<size_t>(x)];
      Color& color = out[static_cast<size_t>(y * wide + x)];
      // Equal rows of pixels are copied: most maps have fewer rows than pixels.
      if (is_same && !is_absent[static_cast<size_t>(x)]) {
        color = out[static_cast<size_t>((y - 1) * wide + x)];
        continue;
      }
      double largest = lowest;
      for (int64_t j = column.first; j < column.last; ++j)
        largest = std::max(largest, line[static_cast<size_t>(j - first)]);
      is_absent[static_cast<size_t>(x)] = !std::isfinite(largest);
      if (std::isfinite(largest)) {
        color = grid.color(largest);
      } else if (column.last > column.first) {
        const double value = grid.value(row.first, column.first);
        const Absent what = std::isfinite(largest) || largest > 0
                                ? Absent::not_finite
                                : state_of(grid, row.first, column.first, value).value_or(Absent::missing);
        color = absent_pixel(theme, what, left + x, top + y);
      }
    }
  }
}

int64_t draw_cells(Canvas& canvas, const Theme& theme, Box clip, const CellGrid& grid) {
  if (!has_cells(grid) || !(clip.w > 0) || !(clip.h > 0)) return 1;
  if (fits_as_boxes(canvas, clip, grid)) {
    draw_cell_boxes(canvas, theme, clip, grid);
    return 1;
  }
  const double pixel = canvas.pixel();
  const auto origin_x = std::llround(grid.column_edges.front() / pixel),
             origin_y = std::llround(grid.row_edges.front() / pixel);
  const int64_t wide = length_of(grid.column_edges, pixel), high = length_of(grid.row_edges, pixel);
  const auto seen = [pixel](double from, double to, int64_t origin, int64_t length) {
    const auto first = static_cast<int64_t>(std::floor(from / pixel)) - origin,
               last = static_cast<int64_t>(std::ceil(to / pixel)) - origin;
    return Stretch{std::clamp<int64_t>(first, 0, length), std::clamp<int64_t>(last, 0, length)};
  };
  const Stretch x = seen(clip.x, clip.right(), origin_x, wide),
                y = seen(clip.y, clip.bottom(), origin_y, high);
  if (x.last <= x.first || y.last <= y.first) return 1;
  std::vector<Color> colors(static_cast<size_t>((x.last - x.first) * (y.last - y.first)), theme.canvas);
  paint_cells(grid, theme, pixel, x.first, y.first, x.last - x.first, y.last - y.first, colors);
  canvas.push_clip(clip);
  canvas.cells(
      {static_cast<double>(origin_x + x.first) * pixel, static_cast<double>(origin_y + y.first) * pixel,
       static_cast<double>(x.last - x.first) * pixel, static_cast<double>(y.last - y.first) * pixel},
      y.last - y.first, x.last - x.first, colors, 0);
  canvas.pop_clip();
  return cells_a_pixel(grid, pixel);
}

}  // namespace varve
