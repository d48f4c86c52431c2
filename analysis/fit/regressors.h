// Small regressors for a few hundred rows: ridge, lasso, a random forest, gradient boosting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace varve {

using Row = std::vector<double>;

struct TrainingRows {
  std::vector<Row> features;
  std::vector<double> targets;
};

class Regressor {
 public:
  virtual ~Regressor() = default;
  virtual double predict(const Row& features) const = 0;
};

// "ridge" and "lasso": features standardised, penalty chosen by 5-fold cross-validation. "forest": 100 trees
// of depth 8 or less, leaves of 2 rows or more, a third of the features at each split. "boosting": 100 trees
// of depth 3, rate 0.1, fitted to what is left. Everything random comes from `seed`. Throws Error for
// another name or fewer than 5 rows.
std::unique_ptr<Regressor> trained(const std::string& kind, const TrainingRows& rows, uint64_t seed);

const std::vector<std::string>& regressor_names();

// R2 on other rows: 1 - SSE / SST about their own mean; NaN where SST is 0.
double r2_of(const std::vector<double>& predicted, const std::vector<double>& actual);

}  // namespace varve
