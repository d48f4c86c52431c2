// A grid of coloured cells of any size, painted square by square and kept, so that panning paints only what
// is new.
#pragma once

#include <string>

#include "viz/cache.h"
#include "viz/draw/marks.h"

namespace varve {

// As draw_cells. `key` names all the colours depend on apart from the places of the edges.
int64_t draw_cell_map(Canvas& canvas, const Look& look, Box clip, const CellGrid& grid,
                      const std::string& key);

}  // namespace varve
