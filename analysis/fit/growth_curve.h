// The five-parameter curve of massive activations over training, and where it peaks.
//
//   f(t) = A exp(-lambda x) ln x + K,  x = gamma t + t0      (Hidden Dynamics of Massive Activations, section
//   4)
// The same curve, reparametrised: f(t) = exp(-beta t) (A1 ln(t + tau) + A2) + K with beta = lambda gamma,
// tau = t0 / gamma, A1 = A exp(-lambda t0), A2 = A1 ln gamma.
#pragma once

#include <array>
#include <string_view>

namespace varve {

struct GrowthCurve {
  double A = 0, lambda = 0, gamma = 0, t0 = 0, K = 0;
  double operator()(double step) const;
};

// {A, lambda, gamma, t0, K} in this order wherever the five stand in a row.
inline constexpr std::array<std::string_view, 5> growth_names = {"A", "lambda", "gamma", "t0", "K"};
std::array<double, 5> in_a_row(const GrowthCurve& curve);
GrowthCurve from_a_row(const std::array<double, 5>& row);

// df/dA, df/dlambda, df/dgamma, df/dt0, df/dK at a step.
std::array<double, 5> growth_gradient(const GrowthCurve& curve, double step);

struct LinearGrowth {  // the reparametrised form; linear in A1, A2, K
  double beta = 0, tau = 0, A1 = 0, A2 = 0, K = 0;
};
GrowthCurve plain(const LinearGrowth& form);
LinearGrowth linear(const GrowthCurve& curve);

// Where f' vanishes: t = (exp(W(1/lambda)) - t0) / gamma. A maximum where A > 0; seen only where it is > 0.
double turning_step(double lambda, double gamma, double t0);

// A curve fitted to t' = t / steps, y' = (y - floor) / range, told in t and y.
GrowthCurve mapped_back(const GrowthCurve& normal, double steps, double floor, double range);

}  // namespace varve
