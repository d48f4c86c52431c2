// Predicts the five parameters of a layer's curve from the sizes of its model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/task.h"
#include "analysis/inputs.h"
#include "analysis/massive/architecture.h"

namespace varve {

struct PredictOptions {
  std::string array = "ratio";  // whose fits: ratio_A, ratio_lambda ...
  double level = 0.9;           // of the intervals
  int64_t permutations = 20;    // behind each importance
  uint64_t seed = 0;
  std::optional<Architecture> config;  // to predict for
};

struct NamedFit {
  std::string name;  // of its model
  const Dataset* fit = nullptr;
};

// Targets: log(1 + v) for A, lambda, gamma, t0 (of a negative A the Yeo-Johnson form with power 0, which goes
// on from it), Yeo-Johnson with its likeliest power for K. For each regressor and parameter: R2 on a fifth of
// the rows drawn at random and on each model left out in turn, importance of each feature by permutation of
// the drawn fifth, and the share of it that intervals calibrated on the rest hold.
Dataset predict_growth(const std::vector<NamedFit>& fits, const PredictOptions& options, Task& task);

// Inputs named fit or fit.NAME, by the name; the Datasets must stay.
std::vector<NamedFit> named_fits(const Inputs& inputs);

double yeo_johnson(double value, double power);
double yeo_johnson_back(double value, double power);
double likeliest_power(const std::vector<double>& values);

}  // namespace varve
