// Pathways over the series: distances between samples at every checkpoint, over the same pairs.
#pragma once

#include <cstdint>

#include "analysis/inputs.h"
#include "analysis/pathways/groups.h"

namespace varve {

struct PathwayConfig {
  double theta = 0.7;  // a layer's path holds the experts whose summed weight exceeds it
  double tie = 1e-5;   // a sum this near to theta, or two neighbours this near, count as a near tie
  int64_t pairs = 20000;
  int64_t bootstrap = 200;
  int64_t matrix = 48;  // samples whose distances to each other are kept one by one; below 2: none
  uint64_t seed = 0;
};

// weights [step, layer, prompt, expert]. Gives over (step, pairs): `distance` in characters of the whole
// string, `distance_experts` in experts, each also divided by the longer of the two, and over (step, layer,
// pairs) `distance_layer` in experts; over (step, sample, sample_2) `pair_distance` of some samples of each
// group, the groups side by side; path lengths, near ties, entropies and how far entropy explains
// distance.
Dataset pathway_distances(const Array& weights, const Groups& groups, const PathwayConfig& config,
                          Task& task);

}  // namespace varve
