// The five-parameter curve with its three linear parameters projected out: a search in two dimensions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/fit/growth_curve.h"

namespace varve {

// Steps in [0, 1]. Golub and Pereyra 1973: for given (log beta, log tau) the best A1, A2, K are those of
// linear least squares, and what is left of the values is a function of the two alone.
class GrowthProjection {
 public:
  GrowthProjection(std::vector<double> steps, std::vector<double> values);

  struct Place {
    double log_beta = 0, log_tau = 0;
  };
  struct Found {
    Place place;
    LinearGrowth form;
    double sse = 0;
    bool at_bound = false;
  };

  void set_values(std::span<const double> values);  // another series at the same steps
  Found at(const Place& place);
  Found polished(const Place& start, int64_t most_steps);  // Levenberg-Marquardt, Kaufman's Jacobian
  std::vector<Found> grid(int64_t best);                   // the best places of a grid, best first

 private:
  static constexpr double most_log_gamma = 16;     // pace in ranges of steps: e^-16 to e^16
  static constexpr double most_log_product = 3.4;  // of beta tau = lambda t0: 30
  double solve(const Place& place, bool with_gradient);
  double project(size_t count, double* coefficients);
  double project_with(double log_gamma, double* coefficients);
  bool inside(Place& place) const;  // moved to the nearest allowed place; false where it had to move

  std::vector<double> steps_, values_;
  Place low_, high_;
  // Of the last solve: the orthonormal columns of the basis, the residual, its two derivatives.
  std::vector<double> columns_, residual_, by_beta_, by_tau_, decay_, logs_;
  LinearGrowth form_;
  bool is_limited_ = false;  // of gamma
};

}  // namespace varve
