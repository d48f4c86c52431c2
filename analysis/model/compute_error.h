// How far a reduced precision is from f32 on the prompts at hand: a short stretch computed both ways.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/core/task.h"
#include "analysis/model/forward.h"

namespace varve {

struct ComputeError {
  Compute compute = Compute::bf16;
  int64_t tokens = 0;        // the first ones of the first prompt
  double worst_logit = 0;    // largest |difference| of a logit
  double largest_logit = 0;  // largest |logit| in f32
  double mean_kl = 0;        // KL(f32 || compute) of the next token, nats, mean over the tokens
  double worst_kl = 0;
  int64_t same_top = 0;  // tokens whose top-1 is the same
};
ComputeError compute_error(const Weights& weights, const Probes& probes, Compute compute, Task& task);
std::string sentence(const ComputeError& error);

}  // namespace varve
