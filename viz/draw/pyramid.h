// The lowest and highest of any stretch of a long series without looking at all of it. Exact: never sampled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "viz/draw/canvas.h"

namespace varve {

class Pyramid {
 public:
  Pyramid() = default;
  // NaN and infinite values are holes.
  explicit Pyramid(std::vector<double> values);

  struct Extremes {
    size_t low = 0, high = 0;  // places of the first lowest and first highest value
    bool has_hole = false, has_value = false;
  };
  Extremes over(size_t first, size_t last) const;  // of [first, last)
  const std::vector<double>& values() const { return levels_values_; }
  size_t size() const { return levels_values_.size(); }
  int64_t bytes() const;

 private:
  struct Block {
    uint32_t low = 0, high = 0;
    bool has_hole = false, has_value = false;
  };
  void take(Extremes& into, size_t place) const;
  void take(Extremes& into, const Block& block) const;
  std::vector<double> levels_values_;
  std::vector<std::vector<Block>> levels_;  // each block stands for 64 of the level below
};

// As thinned() gives it for the points (x_of(i), y_of(value i)) of places [first, last): every pixel column
// keeps its first, lowest, highest and last value. x_of must rise. A hole is one NaN point.
std::vector<Point> thinned(const Pyramid& pyramid, size_t first, size_t last,
                           const std::function<double(size_t)>& x_of,
                           const std::function<double(double)>& y_of, double pixel);

}  // namespace varve
