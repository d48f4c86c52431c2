// The kernel of one mixture-of-experts layer with a frozen router, and how many directions of it count (Li,
// Fan and Zhou, arXiv 2506.21551 v4, section 5).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace varve {

// x [samples, width]; gates [samples, experts]; experts f_j(x) = a_j . relu(W_j x) / sqrt(hidden) with W_j
// [hidden, width].
struct ToyExperts {
  int64_t width = 0, hidden = 0;
  std::vector<std::vector<double>> w;  // [expert][hidden * width]
  std::vector<std::vector<double>> a;  // [expert][hidden]
};

// K_j(x, x') = inner product of the expert's parameter gradients at x and x', [samples, samples].
std::vector<double> expert_kernel(const ToyExperts& experts, int64_t expert, std::span<const double> x,
                                  int64_t samples);

// H = sum_j g_j(x) g_j(x') K_j(x, x')
std::vector<double> routing_kernel(const std::vector<std::vector<double>>& kernels,
                                   std::span<const double> gates, int64_t samples);

struct EffectiveDimension {
  double lambda = 0, value = 0;     // sum mu / (mu + lambda)
  double by_trace = 0;              // Tr(H (H + lambda I)^-1), the same another way
  double least_eigenvalue = 0;      // a kernel's is not negative, but for rounding
  std::vector<double> eigenvalues;  // falling
};
// lambda = ridge times the mean eigenvalue.
EffectiveDimension effective_dimension(std::span<const double> kernel, int64_t samples, double ridge);

// The risk of kernel ridge regression is at most c1 bias + c2 variance with
//   bias = lambda^2 / n  y' (H + lambda I)^-2 y,   variance = noise^2 (d_eff + log(1 / delta)) / n,
// with probability 1 - delta. The constants are not known, so bounds can be compared but not read as risks.
struct RiskBound {
  double bias = 0, variance = 0;
};
RiskBound risk_bound(std::span<const double> kernel, const EffectiveDimension& dimension,
                     std::span<const double> labels, double noise, double delta);

}  // namespace varve
