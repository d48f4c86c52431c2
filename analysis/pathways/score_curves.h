// Numbers by checkpoint from results and tables, brought to common steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

// One number a step.
struct Curve {
  std::string name;
  std::vector<int64_t> steps;  // rising
  std::vector<double> values;
};

// Every array along `step` as curves: one for each item of its other axes, named as in "distance · math".
// Intervals and counts (NAME_low, NAME_high, NAME_n, NAME_se) are left out. Names must match the glob. Throws
// Error naming what there is where nothing does.
std::vector<Curve> curves_of(const Dataset& data, const std::string& glob, const std::string& what);

// The value at a step, NaN where there is none.
double at_step(const Curve& curve, int64_t step);
// The last value at or before a step, and the mean of the last `window` finite ones.
double last_before(const Curve& curve, int64_t step, int64_t window);

// The first of the steps from which a score rises for good: its last lowest value before its highest.
int64_t start_of_rise(const std::vector<int64_t>& steps, const std::vector<double>& score);

}  // namespace varve
