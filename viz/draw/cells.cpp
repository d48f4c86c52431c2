// Heat maps of any size: each device pixel shows the largest value that falls on it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/marks.h"

namespace varve {
namespace {

constexpr double gap_from = 4;          // cells wider than this keep one pixel of canvas between them
constexpr int64_t most_boxes = 20'000;  // more are drawn as one picture

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

}  // namespace

int64_t draw_cells(Canvas& canvas, const Theme& theme, Box clip, const CellGrid& grid) {
  if (grid.row_edges.size() < 2 || grid.column_edges.size() < 2 || !(clip.w > 0) || !(clip.h > 0)) return 1;
  canvas.push_clip(clip);
  const auto visible = [](const std::vector<double>& edges, double from, double to) {
    const int64_t n = static_cast<int64_t>(edges.size()) - 1;
    const int64_t first = std::upper_bound(edges.begin(), edges.end(), from) - edges.begin() - 1;
    const int64_t last = std::lower_bound(edges.begin(), edges.end(), to) - edges.begin();
    return Stretch{std::clamp<int64_t>(first, 0, n), std::clamp<int64_t>(last, 0, n)};
  };
  const Stretch r = visible(grid.row_edges, clip.y, clip.bottom());
  const Stretch c = visible(grid.column_edges, clip.x, clip.right());
  const bool is_roomy =
      grid.has_gaps && narrowest(grid.row_edges) > gap_from && narrowest(grid.column_edges) > gap_from;
  if (is_roomy && (r.last - r.first) * (c.last - c.first) <= most_boxes) {
    for (int64_t row = r.first; row < r.last; ++row)
      for (int64_t column = c.first; column < c.last; ++column) {
        const auto i = static_cast<size_t>(row), j = static_cast<size_t>(column);
        const Box box{grid.column_edges[j], grid.row_edges[i],
                      grid.column_edges[j + 1] - grid.column_edges[j] - 1,
                      grid.row_edges[i + 1] - grid.row_edges[i] - 1};
        const double value = grid.value(row, column);
        if (std::isnan(value)) {
          draw_absent(canvas, theme, box, grid.absent);
        } else if (std::isinf(value)) {
          draw_absent(canvas, theme, box, Absent::not_finite);
        } else {
          canvas.fill(box, grid.color(value));
        }
      }
    canvas.pop_clip();
    return 1;
  }
  const double pixel = canvas.pixel();
  const double left = std::max(clip.x, grid.column_edges.front()),
               top = std::max(clip.y, grid.row_edges.front());
  const double right = std::min(clip.right(), grid.column_edges.back());
  const double bottom = std::min(clip.bottom(), grid.row_edges.back());
  const int64_t wide = static_cast<int64_t>(std::round((right - left) / pixel));
  const int64_t high = static_cast<int64_t>(std::round((bottom - top) / pixel));
  int64_t shared = 1;
  if (wide > 0 && high > 0) {
    const std::vector<Stretch> across = stretches(grid.column_edges, left, pixel, wide);
    const std::vector<Stretch> down = stretches(grid.row_edges, top, pixel, high);
    std::vector<Color> colors(static_cast<size_t>(wide * high));
    // Without room for a hatch, absence is the neutral grey of marks.
    const Color absent =
        grid.absent == Absent::not_computed ? theme.raised : mix(theme.strong, theme.raised, 0.5);
    for (int64_t y = 0; y < high; ++y) {
      const Stretch row = down[static_cast<size_t>(y)];
      // Equal rows of pixels are copied: most maps have fewer rows than pixels.
      if (y > 0 && down[static_cast<size_t>(y - 1)].first == row.first &&
          down[static_cast<size_t>(y - 1)].last == row.last) {
        std::copy_n(colors.begin() + (y - 1) * wide, wide, colors.begin() + y * wide);
        continue;
      }
      for (int64_t x = 0; x < wide; ++x) {
        const Stretch column = across[static_cast<size_t>(x)];
        shared = std::max(shared, (row.last - row.first) * (column.last - column.first));
        double largest = std::numeric_limits<double>::quiet_NaN();
        for (int64_t i = row.first; i < row.last; ++i)
          for (int64_t j = column.first; j < column.last; ++j) largest = std::fmax(largest, grid.value(i, j));
        colors[static_cast<size_t>(y * wide + x)] = std::isnan(largest) ? absent : grid.color(largest);
      }
    }
    canvas.cells({left, top, right - left, bottom - top}, high, wide, colors, 0);
  }
  canvas.pop_clip();
  return shared;
}

}  // namespace varve
