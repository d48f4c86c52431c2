// Metrics by name.
#include "analysis/circuits/task_metric.h"

#include <cmath>
#include <limits>

namespace varve {

std::unique_ptr<Metric> task_metric(const std::string& name, const Weights& weights, const Probes& clean,
                                    Compute compute, Task& task) {
  if (name == "prob-diff") return question_metric(Answered::probability_difference, clean);
  if (name == "loss") return question_metric(Answered::loss, clean);
  if (name != "kl") return question_metric(Answered::logit_difference, clean);
  std::vector<int64_t> positions = answer_positions(clean);
  return divergence_metric(answer_logits(weights, clean, compute, positions, task), positions);
}

std::string unit_of_metric(const std::string& name) {
  if (name == "prob-diff") return "probability";
  return name == "logit-diff" ? "logits" : "nats";
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(values.size());
}

double standard_error_of(const std::vector<double>& values) {
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = mean_of(values), n = static_cast<double>(values.size());
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  return std::sqrt(square / (n - 1) / n);
}

}  // namespace varve
