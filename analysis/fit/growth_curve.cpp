// The five-parameter curve in both of its forms.
#include "analysis/fit/growth_curve.h"

#include <cmath>

#include "analysis/fit/lambert.h"

namespace varve {

double GrowthCurve::operator()(double step) const {
  const double x = gamma * step + t0;
  return A * std::exp(-lambda * x) * std::log(x) + K;
}

std::array<double, 5> in_a_row(const GrowthCurve& curve) {
  return {curve.A, curve.lambda, curve.gamma, curve.t0, curve.K};
}

GrowthCurve from_a_row(const std::array<double, 5>& row) { return {row[0], row[1], row[2], row[3], row[4]}; }

// With E = exp(-lambda x): df/dA = E ln x, df/dlambda = -A x E ln x, df/dt0 = A E (1/x - lambda ln x),
// df/dgamma = t df/dt0.
std::array<double, 5> growth_gradient(const GrowthCurve& curve, double step) {
  const double x = curve.gamma * step + curve.t0, log_x = std::log(x), decay = std::exp(-curve.lambda * x);
  const double by_x = curve.A * decay * (1 / x - curve.lambda * log_x);
  return {decay * log_x, -curve.A * x * decay * log_x, step * by_x, by_x, 1};
}

GrowthCurve plain(const LinearGrowth& form) {
  GrowthCurve curve;
  curve.gamma = std::exp(form.A2 / form.A1);
  curve.lambda = form.beta / curve.gamma;
  curve.t0 = curve.gamma * form.tau;
  curve.A = form.A1 * std::exp(curve.lambda * curve.t0);
  curve.K = form.K;
  return curve;
}

LinearGrowth linear(const GrowthCurve& curve) {
  const double a1 = curve.A * std::exp(-curve.lambda * curve.t0);
  return {curve.lambda * curve.gamma, curve.t0 / curve.gamma, a1, a1 * std::log(curve.gamma), curve.K};
}

double turning_step(double lambda, double gamma, double t0) {
  // exp(W(z)) = z / W(z) keeps digits that exp would lose.
  const double inverse = 1 / lambda;
  return (inverse / lambert_w(inverse) - t0) / gamma;
}

GrowthCurve mapped_back(const GrowthCurve& normal, double steps, double floor, double range) {
  return {range * normal.A, normal.lambda, normal.gamma / steps, normal.t0, floor + range * normal.K};
}

}  // namespace varve
