// Mixture-of-experts layers: the router's choice per token, and the experts' work.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/kernels.h"

namespace varve {

// Four different things that are easily mixed up: raw logits, softmax over all experts, the chosen ids, and
// the weights their outputs are multiplied with. Never computed in bf16: a choice among near equals would
// flip.
template <class T>
struct Routing {
  std::vector<T> logits, probs;  // [rows, experts]
  std::vector<T> indices;        // [rows, experts_per_token], falling probability; whole numbers
  std::vector<T> weights;        // [rows, experts_per_token]
  std::vector<T> shared_gate;    // [rows], empty where the model has none
};

template <class T>
Routing<T> route(const Weights& weights, int64_t layer, RowBegins begin, const T* x, const Task& task);

// The choice anew after logits or probabilities were changed.
enum class Chosen { by_logits, by_probs };
template <class T>
void choose_again(const ModelSpec& spec, int64_t rows, Chosen from, Routing<T>& routing);

// out [rows, d_model] = sum over chosen experts of weight * expert(x), plus the shared expert.
template <class T>
void run_experts(const Weights& weights, int64_t layer, RowBegins begin, const Routing<T>& routing,
                 const T* x, T* out, const Task& task, Compute compute = Compute::f32);

// The matrix `name`, which must be rows x columns.
Matrix matrix_of(const Weights& weights, const std::string& name, int64_t rows, int64_t columns);

}  // namespace varve
