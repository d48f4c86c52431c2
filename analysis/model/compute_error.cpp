// The first tokens of the first prompt, forward in f32 and in the other precision, compared at the logits.
#include "analysis/model/compute_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/core/error.h"

namespace varve {
namespace {

// Enough to tell the size of the error, few enough to cost little beside the run itself.
constexpr size_t most_tokens = 32;

class Logits : public SiteReader {
 public:
  bool wants(const std::string& site) const override { return site == "logits"; }
  void see(const Site& site) override { values.assign(site.f32.begin(), site.f32.end()); }
  std::vector<float> values;
};

std::vector<float> logits_of(const Weights& weights, const Probes& probes, Compute compute, Task& task) {
  Logits reader;
  SiteReader* const readers[] = {&reader};
  forward(weights, probes, compute, readers, task);
  return std::move(reader.values);
}

double log_sum_exp(const float* z, size_t count) {
  const double top = static_cast<double>(*std::max_element(z, z + count));
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(z[i]) - top);
  return top + std::log(sum);
}

}  // namespace

ComputeError compute_error(const Weights& weights, const Probes& probes, Compute compute, Task& task) {
  ComputeError error{compute, 0, 0, 0, 0, 0, 0};
  if (probes.prompts.empty() || probes.prompts.front().empty()) return error;
  Probes some;
  some.name = probes.name;
  some.prompts = {probes.prompts.front()};
  some.prompts.front().resize(std::min(most_tokens, some.prompts.front().size()));
  Task first = task.part(0, 0.7), second = task.part(0.7, 1);
  const std::vector<float> exact = logits_of(weights, some, Compute::f32, first);
  const std::vector<float> rounded = logits_of(weights, some, compute, second);
  const size_t rows = some.prompts.front().size(), vocab = exact.size() / rows;
  error.tokens = static_cast<int64_t>(rows);
  for (size_t row = 0; row < rows; ++row) {
    const float* const z = exact.data() + row * vocab;
    const float* const y = rounded.data() + row * vocab;
    const double lse_z = log_sum_exp(z, vocab), lse_y = log_sum_exp(y, vocab);
    double kl = 0;
    for (size_t i = 0; i < vocab; ++i) {
      const double gap = static_cast<double>(z[i]) - static_cast<double>(y[i]);
      error.worst_logit = std::max(error.worst_logit, std::abs(gap));
      error.largest_logit = std::max(error.largest_logit, std::abs(static_cast<double>(z[i])));
      kl += std::exp(static_cast<double>(z[i]) - lse_z) * (gap - lse_z + lse_y);
    }
    error.mean_kl += kl / static_cast<double>(rows);
    error.worst_kl = std::max(error.worst_kl, kl);
    error.same_top += std::max_element(z, z + vocab) - z == std::max_element(y, y + vocab) - y ? 1 : 0;
  }
  return error;
}

std::string sentence(const ComputeError& error) {
  return fmt::format(
      "Computed in {}: on the first {} tokens of the first prompt its logits differ from f32 by at most "
      "{:.2g} "
      "(largest logit {:.3g}), KL(f32 || {}) is {:.2g} nats on average and {:.2g} at worst, and the top "
      "token is "
      "the same at {} of {}.",
      name_of(error.compute), error.tokens, error.worst_logit, error.largest_logit, name_of(error.compute),
      error.mean_kl, error.worst_kl, error.same_top, error.tokens);
}

}  // namespace varve
