// The rules that say when something is learned and stays learned.
#include "analysis/pathways/memorisation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace varve {

int64_t memorised_at(std::span<const double> loss, double epsilon, double delta) {
  if (loss.empty()) return -1;
  const double last = loss.back();
  int64_t first = -1;
  for (auto t = static_cast<int64_t>(loss.size()); t-- > 0;) {
    const double here = loss[static_cast<size_t>(t)];
    if (!(here <= epsilon && std::abs(here - last) <= delta)) break;
    first = t;
  }
  return first;
}

int64_t solved_at(std::span<const double> correct) {
  int64_t first = -1;
  double right = 0, wrong = 0;
  for (auto t = static_cast<int64_t>(correct.size()); t-- > 0;) {
    const bool is_right = correct[static_cast<size_t>(t)] > 0.5;
    (is_right ? right : wrong) += 1;
    if (wrong > 1) break;
    if (is_right && right / (right + wrong) > 0.8) first = t;
  }
  return first;
}

EpsilonChoice choose_epsilon(std::span<const double> losses, int64_t steps, std::span<const int64_t> samples,
                             int64_t all_samples, double delta, double band_low, double band_high) {
  double most = 0;
  for (const double loss : losses)
    if (std::isfinite(loss)) most = std::max(most, loss);
  EpsilonChoice best;
  double best_miss = std::numeric_limits<double>::infinity();
  std::vector<double> curve(static_cast<size_t>(steps));
  const auto scans = static_cast<int64_t>(std::min(1000.0, std::ceil(most * 10) + 1));
  for (int64_t scan = 1; scan <= scans; ++scan) {
    const double epsilon = static_cast<double>(scan) / 10;
    int64_t early = 0;
    for (const int64_t sample : samples) {
      for (int64_t t = 0; t < steps; ++t)
        curve[static_cast<size_t>(t)] = losses[static_cast<size_t>(t * all_samples + sample)];
      const int64_t at = memorised_at(curve, epsilon, delta);
      early += at >= 0 && at + 1 < steps ? 1 : 0;
    }
    const double share =
        samples.empty() ? 0 : static_cast<double>(early) / static_cast<double>(samples.size());
    const double miss = std::max({0.0, band_low - share, share - band_high});
    if (miss < best_miss) {
      best_miss = miss;
      best = {epsilon, share, miss == 0};
    }
    if (miss == 0) return best;
  }
  return best;
}

}  // namespace varve
