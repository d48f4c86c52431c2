// A band between two edges as triangles that share their corners: a see-through fill has no seams inside.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "viz/draw/canvas.h"

namespace varve {

struct Strip {
  struct Corner {
    Point at;
    bool is_solid;  // false: outside the edge, where the fill has faded out
  };
  std::vector<Corner> corners;
  std::vector<uint32_t> triangles;  // three corners each
};

bool is_convex(std::span<const Point> points);
// One edge forth, the other back, as many points on each; in device pixels.
Strip strip_of(std::span<const Point> outline);

}  // namespace varve
