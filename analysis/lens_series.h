// The logit lens over training: what its cells, joined along `step`, say on average.
#pragma once

#include <cstdint>

#include "analysis/core/dataset.h"
#include "analysis/core/task.h"

namespace varve {

// joined: cells of logit-lens with the axis step in front. Gives, per (step, layer), means over all positions
// of all prompts, each with n and a 95 % bootstrap interval over prompts (`NAME_low`, `NAME_high`, `NAME_n`);
// per step, prediction depth, first-correct layer and the share that no layer gets right.
Dataset lens_over_the_series(const Dataset& joined, int64_t resamplings, uint64_t seed, Task& task);

}  // namespace varve
