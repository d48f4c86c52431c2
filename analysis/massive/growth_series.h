// The five-parameter fit of every layer of every curve of a series, with its rivals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/task.h"

namespace varve {

struct GrowthOptions {
  std::vector<std::string> arrays;  // [step, layer] each
  int64_t resamples = 200, starts = 3;
  uint64_t seed = 0;
};

// curves: arrays with the axes step and layer, a coordinate `step`. For each array Q: Q itself, Q_fit with
// Q_fit_low and Q_fit_high [step, layer]; Q_A Q_lambda Q_gamma Q_t0 Q_K Q_peak with _low and _high,
// Q_peak_value, Q_class, Q_note [layer]; Q_r2, Q_aic and Q_aic_above (the best) [layer, model]; and
// peak_surface [lambda, gamma]. A layer that is not fitted has no numbers and says why in Q_note.
Dataset fit_series(const Dataset& curves, const GrowthOptions& options, Task& task);

// The arrays of `curves` that can be fitted: `wanted` (comma-separated), else ratio, top1 and median where
// there are such, else every array [step, layer] that is no end of an interval.
std::vector<std::string> arrays_to_fit(const Dataset& curves, const std::string& wanted);

}  // namespace varve
