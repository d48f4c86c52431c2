// When a sample is memorised for good, and which test items follow (Li, Fan and Zhou, arXiv 2506.21551 v4,
// section 3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace varve {

// loss [step] of one sample. The first place t0 from which on, at every t, loss <= epsilon and
// |loss - the last loss| <= delta; -1 where there is none. Missing losses never satisfy it.
int64_t memorised_at(std::span<const double> loss, double epsilon, double delta);

// correct [step] of one item, 0 or 1. The first place t0 at which the item is right and from which on its
// mean is above 0.8 and at most one answer is wrong; -1 where there is none.
int64_t solved_at(std::span<const double> correct);

struct EpsilonChoice {
  double epsilon = 0, share = 0;  // share of samples memorised before the last checkpoint
  bool in_band = false;           // the share lies in the band asked for
};
// losses [step, sample], row by row. Scans epsilon in steps of 0.1 and takes the first whose share lies in
// the band; else the one that comes nearest to it.
EpsilonChoice choose_epsilon(std::span<const double> losses, int64_t steps, std::span<const int64_t> samples,
                             int64_t all_samples, double delta, double band_low, double band_high);

}  // namespace varve
