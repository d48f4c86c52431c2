// Builds and asks pyramids of extremes.
#include "viz/draw/pyramid.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/marks.h"

namespace varve {
namespace {

constexpr size_t fan = 64;
constexpr size_t few = 32;  // shorter stretches are looked at one by one

}  // namespace

Pyramid::Pyramid(std::vector<double> values) : levels_values_(std::move(values)) {
  const size_t n = levels_values_.size();
  if (n <= fan) return;
  std::vector<Block> level;
  for (size_t begin = 0; begin < n; begin += fan) {
    Extremes e;
    for (size_t i = begin; i < std::min(n, begin + fan); ++i) take(e, i);
    level.push_back({static_cast<uint32_t>(e.low), static_cast<uint32_t>(e.high), e.has_hole, e.has_value});
  }
  levels_.push_back(std::move(level));
  while (levels_.back().size() > fan) {
    const std::vector<Block>& below = levels_.back();
    std::vector<Block> above;
    for (size_t begin = 0; begin < below.size(); begin += fan) {
      Extremes e;
      for (size_t i = begin; i < std::min(below.size(), begin + fan); ++i) take(e, below[i]);
      above.push_back({static_cast<uint32_t>(e.low), static_cast<uint32_t>(e.high), e.has_hole, e.has_value});
    }
    levels_.push_back(std::move(above));
  }
}

void Pyramid::take(Extremes& into, size_t place) const {
  const double value = levels_values_[place];
  if (!std::isfinite(value)) {
    into.has_hole = true;
    return;
  }
  if (!into.has_value || value < levels_values_[into.low]) into.low = place;
  if (!into.has_value || value > levels_values_[into.high]) into.high = place;
  into.has_value = true;
}

void Pyramid::take(Extremes& into, const Block& block) const {
  into.has_hole = into.has_hole || block.has_hole;
  if (!block.has_value) return;
  take(into, block.low);
  take(into, block.high);
}

Pyramid::Extremes Pyramid::over(size_t first, size_t last) const {
  Extremes e;
  last = std::min(last, levels_values_.size());
  // Up the levels as far as whole blocks fit, then down again.
  while (first < last) {
    size_t level = 0, span = 1;  // the stretch one block of `level` stands for
    while (level < levels_.size() && first % (span * fan) == 0 && first + span * fan <= last) {
      span *= fan;
      ++level;
    }
    if (level == 0) {
      take(e, first);
    } else {
      take(e, levels_[level - 1][first / span]);
    }
    first += span;
  }
  return e;
}

int64_t Pyramid::bytes() const {
  size_t bytes = levels_values_.size() * sizeof(double);
  for (const auto& level : levels_) bytes += level.size() * sizeof(Block);
  return static_cast<int64_t>(bytes);
}

std::vector<Point> thinned(const Pyramid& pyramid, size_t first, size_t last,
                           const std::function<double(size_t)>& x_of,
                           const std::function<double(double)>& y_of, double pixel) {
  std::vector<Point> out;
  const std::vector<double>& values = pyramid.values();
  last = std::min(last, values.size());
  const auto is_open = [&out] {
    return !out.empty() && std::isfinite(out.back().x) && std::isfinite(out.back().y);
  };
  const auto add = [&](size_t i) {
    const Point p{x_of(i), y_of(values[i])};
    if (std::isfinite(p.x) && std::isfinite(p.y)) {
      out.push_back(p);
    } else if (is_open()) {
      constexpr double nan = std::numeric_limits<double>::quiet_NaN();
      out.push_back({nan, nan});
    }
  };
  for (size_t begin = first; begin < last;) {
    const double x = x_of(begin);
    if (!std::isfinite(x)) {
      add(begin++);
      continue;
    }
    // The end of this pixel column: strides grow, then halve.
    const double edge = (std::floor(x / pixel) + 1) * pixel;
    size_t inside = begin, stride = 1;
    while (inside + stride < last && x_of(inside + stride) < edge) inside += stride, stride *= 2;
    for (; stride > 0; stride /= 2)
      if (inside + stride < last && x_of(inside + stride) < edge) inside += stride;
    const size_t end = inside + 1;
    const Pyramid::Extremes e =
        end - begin > few ? pyramid.over(begin, end) : Pyramid::Extremes{0, 0, true, true};
    if (e.has_hole) {
      std::vector<Point> points;
      for (size_t i = begin; i < end; ++i) points.push_back({x_of(i), y_of(values[i])});
      const bool begins_open = std::isfinite(points[0].x) && std::isfinite(points[0].y);
      if (!begins_open) add(begin);
      for (const Point& p : end - begin > 4 ? thinned(points, pixel) : points) {
        const bool is_hole = !std::isfinite(p.x) || !std::isfinite(p.y);
        if (!is_hole || is_open()) out.push_back(p);
      }
    } else {
      const size_t kept[] = {begin, std::min(e.low, e.high), std::max(e.low, e.high), end - 1};
      for (int i = 0; i < 4; ++i)
        if (i == 0 || kept[i] != kept[i - 1]) add(kept[i]);
    }
    begin = end;
  }
  return out;
}

}  // namespace varve
