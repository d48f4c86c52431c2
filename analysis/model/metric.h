// A number read off a model's logits, with its derivative: what patching reports and gradients begin with.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/model/forward.h"

namespace varve {

class Metric {
 public:
  virtual ~Metric() = default;
  // Positions whose logits it reads, rising.
  virtual std::vector<int64_t> positions(int64_t prompt, int64_t length) const = 0;
  // What the prompt's logits [vocab] at that position contribute; where `gradient` is not empty, it is filled
  // with the derivative by those logits.
  virtual double at(int64_t prompt, int64_t position, std::span<const double> logits,
                    std::span<double> gradient) const = 0;
};

// Of a task's questions, at their own position:
//   logit-diff   mean logit of the correct answers minus that of the incorrect ones
//   prob-diff    probability of the correct answers minus that of the incorrect ones
//   loss         -log of the correct answers' probability, nats
enum class Answered { logit_difference, probability_difference, loss };
std::unique_ptr<Metric> question_metric(Answered what, const Probes& probes);

// KL(p_reference || p_run) in nats at each prompt's position, summed over the vocabulary. reference
// [prompt][vocab]: logits.
std::unique_ptr<Metric> divergence_metric(std::vector<std::vector<double>> reference,
                                          std::vector<int64_t> position);

// "logit_diff:A,B@POS", "logit:T@POS" (token ids; @-1 is the last position, and the default) and "nll": mean
// cross-entropy of all next tokens of `probes`.
std::unique_ptr<Metric> metric_from(const std::string& text, const Probes& probes, int64_t vocab);

// The metric of each prompt, of a pass with these changes.
std::vector<double> metric_values(const Weights& weights, const Probes& probes, Compute compute,
                                  const Metric& metric, Task& task, const Interventions& changes = {},
                                  const Start& start = {});

// Logits [vocab] of each prompt at its position.
std::vector<std::vector<double>> answer_logits(const Weights& weights, const Probes& probes, Compute compute,
                                               const std::vector<int64_t>& position, Task& task,
                                               const Interventions& changes = {});

int64_t position_in(int64_t position, int64_t length);        // -1 -> length - 1; throws Error outside
std::vector<int64_t> answer_positions(const Probes& probes);  // of its questions, counted from 0

}  // namespace varve
