// Groups of samples memorised at one step, groups of test items solved from one step on, and their best
// match.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/inputs.h"

namespace varve {

struct LearnedSamples {
  std::vector<int64_t> step;  // -1: belongs to no group
  std::vector<std::string> domain;
};

struct LearnedGroup {
  std::string domain;
  int64_t step = 0;
  std::vector<int64_t> members;
  std::string name() const;  // "math@500"
};

std::vector<LearnedGroup> learned_groups(const LearnedSamples& samples);  // by domain, then step

// Adds to `series` (whose axis `step` is that of the samples' checkpoints) what the test items do:
// `solved_step` [item], and, with embeddings of both, the matched pairs: steps, delay, similarity, sizes over
// the axis `pair`.
void add_learned_pairs(Dataset& series, const LearnedSamples& samples, const Dataset& correct,
                       const Inputs& inputs);

}  // namespace varve
