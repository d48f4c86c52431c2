// Sets of heads, as circuits give them: how two differ, and how much of that is the choice of examples.
//
// A set comes with the sets that parts of the examples alone give ("folds"). Two folds of one and the same
// checkpoint differ by the choice of examples only, so what they differ by is the noise floor.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

struct HeadSet {
  std::vector<bool> in;                              // [head]
  std::vector<std::vector<bool>> in_fold;            // [fold][head]
  std::vector<double> importance;                    // [head], shares of all heads'; empty where not known
  std::vector<std::vector<double>> importance_fold;  // [fold][head], likewise
};

// The sets of a circuit, or of several joined along `step`.
struct HeadSets {
  int64_t layers = 0, heads = 0, folds = 0;
  std::vector<HeadSet> of;  // [step]
};
HeadSets head_sets_of(const Dataset& circuits);

double jaccard(const std::vector<bool>& one, const std::vector<bool>& other);  // NaN for two empty sets

// Between every two folds of a set; NaN below two folds.
struct HeadNoise {
  double jaccard = 0, jaccard_low = 0;  // the mean, and the lowest
  double gained = 0, gained_most = 0;   // heads of one that the other lacks: mean and most
  double kept = 0;                      // share of one's heads that the other has, mean
};
HeadNoise noise_of(const HeadSet& set);

// Heads that every fold of `set` has and no fold of `other` has.
std::vector<bool> certainly_gained(const HeadSet& set, const HeadSet& other);
// How many heads would be so, on average, were the folds of both dealt into two sides by chance, and the
// share of those deals that give at least as many as the true one (which is counted too).
struct ChanceGain {
  double mean = 0, p = 1;
};
ChanceGain chance_gain(const HeadSet& set, const HeadSet& other);

// (I - I_base) / (I + I_base + 1e-6), -1 to 1.
double effect_of(double importance, double base);

}  // namespace varve
