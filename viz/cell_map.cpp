// Heat maps that are larger than the screen.
#include "viz/cell_map.h"

#include <algorithm>
#include <cmath>

#include "viz/tiles.h"

namespace varve {

int64_t draw_cell_map(Canvas& canvas, const Look& look, Box clip, const CellGrid& grid,
                      const std::string& key) {
  const Theme& theme = *look.theme;
  if (!look.cache || fits_as_boxes(canvas, clip, grid)) return draw_cells(canvas, theme, clip, grid);
  const double pixel = canvas.pixel();
  Tiles tiles;
  tiles.origin = {grid.column_edges.front(), grid.row_edges.front()};
  const double w = grid.column_edges.back() - grid.column_edges.front(),
               h = grid.row_edges.back() - grid.row_edges.front();
  tiles.width = std::max<int64_t>(1, std::llround(w / pixel));
  tiles.height = std::max<int64_t>(1, std::llround(h / pixel));
  tiles.key =
      fmt::format("{}|cells {:.4f} x {:.4f} at {} {}", key, w, h, pixel, theme.is_dark ? "dark" : "light");
  tiles.paint = [&](int64_t left, int64_t top, int64_t wide, int64_t high, std::span<Color> out) {
    std::fill(out.begin(), out.end(), theme.canvas);
    paint_cells(grid, theme, pixel, left, top, wide, high, out);
  };
  draw_tiles(canvas, look.cache, clip, tiles);
  struct Shared {
    int64_t cells;
    int64_t bytes() const { return 8; }
  };
  return look.cache->get<Shared>(tiles.key + "|shared", [&] { return Shared{cells_a_pixel(grid, pixel)}; })
      ->cells;
}

}  // namespace varve
