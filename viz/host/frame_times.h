// How long the last frames took: for the hidden overlay and for those who measure.
#pragma once

#include <cstdint>
#include <deque>

#include "viz/draw/canvas.h"

namespace varve {

class FrameTimes {
 public:
  void add(double millis);
  double last() const { return times_.empty() ? 0 : times_.back(); }
  double median() const;
  double worst() const;
  int64_t count() const { return count_; }
  // A small card in the lower left corner: last, median and worst of the last 120 frames.
  void draw(Canvas& canvas, const Theme& theme) const;

 private:
  std::deque<double> times_;
  int64_t count_ = 0;
};

}  // namespace varve
