// Fitted layers of several models as rows to learn from.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analysis/fit/regressors.h"
#include "analysis/massive/growth_predict.h"

namespace varve {

struct GrowthRows {
  std::vector<Row> features;                      // architecture_features
  std::array<std::vector<double>, 5> parameters;  // in the order of growth_names, as they are
  std::array<std::vector<double>, 5> targets;     // as they are learned
  std::vector<size_t> model;                      // which fit a row comes from
  std::vector<int64_t> layer;
  std::vector<std::string> models;
  double k_power = 1;    // of Yeo-Johnson for K
  int64_t left_out = 0;  // layers without a fit, or with one that is not identified
  size_t count() const { return model.size(); }
};

// Throws Error where fewer than 10 layers can be used or a fit does not know its model's sizes.
GrowthRows growth_rows(const std::vector<NamedFit>& fits, const std::string& array);

double power_of(const GrowthRows& rows, size_t parameter);  // of the Yeo-Johnson transform of that parameter

}  // namespace varve
