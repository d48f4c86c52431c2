// Four corners at every pair of points: faded and solid at one edge, solid and faded at the other.
#include "viz/host/strip.h"

#include <algorithm>
#include <cmath>

namespace varve {

bool is_convex(std::span<const Point> points) {
  bool turns_left = false, turns_right = false;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point &a = points[i], &b = points[(i + 1) % points.size()], &c = points[(i + 2) % points.size()];
    const double turn = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
    turns_left = turns_left || turn > 1e-9;
    turns_right = turns_right || turn < -1e-9;
  }
  return !(turns_left && turns_right);
}

Strip strip_of(std::span<const Point> outline) {
  constexpr double half_fringe = 0.5;
  const size_t pairs = outline.size() / 2;
  const auto one = [&](size_t i) { return outline[i]; };
  const auto other = [&](size_t i) { return outline[outline.size() - 1 - i]; };
  // Half a pixel across the edge is more than that from one edge to the other where the band is steep.
  const auto across = [&](const auto& edge, size_t i) {
    const Point a = edge(i > 0 ? i - 1 : i), b = edge(std::min(i + 1, pairs - 1));
    const Point from = one(i), to = other(i);
    const double along = std::hypot(b.x - a.x, b.y - a.y), width = std::hypot(to.x - from.x, to.y - from.y);
    if (!(along > 0) || !(width > 0)) return half_fringe;
    const double sine =
        std::abs((b.x - a.x) * (to.y - from.y) - (b.y - a.y) * (to.x - from.x)) / (along * width);
    return half_fringe / std::max(sine, 0.1);
  };
  Strip strip;
  for (size_t i = 0; i < pairs; ++i) {
    const Point from = one(i), to = other(i);
    const double width = std::hypot(to.x - from.x, to.y - from.y);
    const double ux = width > 0 ? (to.x - from.x) / width : 0, uy = width > 0 ? (to.y - from.y) / width : 0;
    const double first = across(one, i), second = across(other, i);
    const double in_first = std::min(first, width / 2), in_second = std::min(second, width / 2);
    strip.corners.push_back({{from.x - ux * first, from.y - uy * first}, false});
    strip.corners.push_back({{from.x + ux * in_first, from.y + uy * in_first}, true});
    strip.corners.push_back({{to.x - ux * in_second, to.y - uy * in_second}, true});
    strip.corners.push_back({{to.x + ux * second, to.y + uy * second}, false});
    if (i == 0) continue;
    const auto here = static_cast<uint32_t>(4 * i);
    for (uint32_t row = 0; row < 3; ++row) {
      const uint32_t a = here - 4 + row, b = here + row;
      strip.triangles.insert(strip.triangles.end(), {a, b, b + 1, a, b + 1, a + 1});
    }
  }
  return strip;
}

}  // namespace varve
