// Massive activations over training: what the cells of massive-activations, joined along `step`, say on
// average.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/task.h"

namespace varve {

// joined: top, top_pos, top_dim [step, layer, prompt, rank], median, massive, residual_peak and perhaps sink,
// value_drain [step, layer, prompt]. Gives, per (step, layer): `ratio`, mean top-1 over mean median (ratio of
// means, the paper's equation 8), and `ratio_each`, the mean of the ratios, with CV and SEM in percent of it;
// means of top1, top2, top3, median; the most frequent place of top-1 and how much of it lasts.
std::vector<std::string> massive_reads();  // the arrays of a cell that this takes, where the cell has them

Dataset massive_over_the_series(const Dataset& joined, int64_t resamplings, uint64_t seed, Task& task);

// From numbers per sequence alone: top [step, layer, prompt, rank] and median [step, layer, prompt].
void add_ratios(Dataset& series, const Array& top, const Array& median, int64_t resamplings, uint64_t seed,
                Task& task);

}  // namespace varve
