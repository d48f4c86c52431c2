// Gradient kernels of ReLU experts, their sum under a router, and its effective dimension.
#include "analysis/pathways/routing_kernel.h"

#include <Eigen/Dense>
#include <cmath>

#include "analysis/core/error.h"

namespace varve {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

// d f / d a_r = relu(w_r x) / sqrt(m);  d f / d w_r = a_r [w_r x > 0] x / sqrt(m)
std::vector<double> expert_kernel(const ToyExperts& experts, int64_t expert, std::span<const double> x,
                                  int64_t samples) {
  const auto which = static_cast<size_t>(expert);
  const Eigen::Map<const Rows> input(x.data(), samples, experts.width);
  const Eigen::Map<const Rows> w(experts.w[which].data(), experts.hidden, experts.width);
  Rows active = input * w.transpose();
  const Rows positive = active.cwiseMax(0.0);
  for (int64_t i = 0; i < samples; ++i)
    for (int64_t r = 0; r < experts.hidden; ++r)
      active(i, r) = active(i, r) > 0 ? experts.a[which][static_cast<size_t>(r)] : 0;
  const Rows gram = input * input.transpose();
  const Rows kernel = (positive * positive.transpose() + (active * active.transpose()).cwiseProduct(gram)) /
                      static_cast<double>(experts.hidden);
  return {kernel.data(), kernel.data() + kernel.size()};
}

std::vector<double> routing_kernel(const std::vector<std::vector<double>>& kernels,
                                   std::span<const double> gates, int64_t samples) {
  const auto experts = static_cast<int64_t>(kernels.size());
  std::vector<double> whole(static_cast<size_t>(samples * samples), 0);
  for (int64_t i = 0; i < samples; ++i)
    for (int64_t k = 0; k < samples; ++k) {
      const auto at = static_cast<size_t>(i * samples + k);
      for (int64_t j = 0; j < experts; ++j)
        whole[at] += gates[static_cast<size_t>(i * experts + j)] *
                     gates[static_cast<size_t>(k * experts + j)] * kernels[static_cast<size_t>(j)][at];
    }
  return whole;
}

EffectiveDimension effective_dimension(std::span<const double> kernel, int64_t samples, double ridge) {
  if (static_cast<int64_t>(kernel.size()) != samples * samples || samples < 1)
    fail("a kernel of {} numbers is not {} x {}", kernel.size(), samples, samples);
  const Rows h = Eigen::Map<const Rows>(kernel.data(), samples, samples);
  const Eigen::SelfAdjointEigenSolver<Rows> solver(h);
  if (solver.info() != Eigen::Success)
    fail("the kernel's eigenvalues could not be found; are its numbers finite?");
  EffectiveDimension found;
  found.lambda = ridge * h.trace() / static_cast<double>(samples);
  if (!(found.lambda > 0)) fail("the kernel's mean eigenvalue is {}; it must be positive", h.trace());
  found.least_eigenvalue = solver.eigenvalues()(0);
  for (int64_t i = samples; i-- > 0;) {
    const double mu = solver.eigenvalues()(i);
    found.eigenvalues.push_back(mu);
    found.value += mu / (mu + found.lambda);
  }
  const Rows ridged = h + found.lambda * Rows::Identity(samples, samples);
  found.by_trace = ridged.ldlt().solve(h).trace();
  return found;
}

RiskBound risk_bound(std::span<const double> kernel, const EffectiveDimension& dimension,
                     std::span<const double> labels, double noise, double delta) {
  const auto samples = static_cast<int64_t>(labels.size());
  if (samples < 1 || kernel.size() != labels.size() * labels.size())
    fail("a kernel of {} numbers and {} labels do not go together", kernel.size(), samples);
  const Rows ridged = Eigen::Map<const Rows>(kernel.data(), samples, samples) +
                      dimension.lambda * Rows::Identity(samples, samples);
  const Eigen::Map<const Eigen::VectorXd> y(labels.data(), samples);
  const Eigen::VectorXd left = ridged.ldlt().solve(y);  // (H + lambda I)^-1 y
  const auto n = static_cast<double>(samples);
  return {dimension.lambda * dimension.lambda * left.squaredNorm() / n,
          noise * noise * (dimension.value + std::log(1 / delta)) / n};
}

}  // namespace varve
