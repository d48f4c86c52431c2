// The metrics by the names that settings give them, on the questions of a task.
#pragma once

#include <memory>
#include <string>

#include "analysis/core/settings.h"
#include "analysis/model/metric.h"

namespace varve {

inline Choices metric_choices() { return Choices("logit-diff", "prob-diff", "kl", "loss"); }

// kl: from the clean prompts' own output; the divergence at each answer's position.
std::unique_ptr<Metric> task_metric(const std::string& name, const Weights& weights, const Probes& clean,
                                    Compute compute, Task& task);
std::string unit_of_metric(const std::string& name);

double mean_of(const std::vector<double>& values);
double standard_error_of(const std::vector<double>& values);  // NaN below two values

}  // namespace varve
