// Router and experts; each expert multiplies the rows of one prompt at a time, so that company changes no
// bit.
#include "analysis/model/moe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/core/error.h"

namespace varve {
namespace {

// out = (act(x W_gate) * (x W_in)) W_out, or act(x W_in) W_out.
template <class T>
std::vector<T> expert_output(const Weights& weights, const std::string& name, int64_t d_hidden,
                             RowBegins begin, const T* x, const Task& task, Compute compute) {
  const ModelSpec& spec = weights.spec();
  const int64_t rows = begin.back(), width = spec.d_model;
  const RowsOf<const T> in{x, width};
  std::vector<T> hidden(static_cast<size_t>(rows * d_hidden)), factor;
  const std::string first = spec.gated_mlp ? "W_gate" : "W_in";
  linear<T>(in, begin, matrix_of(weights, name + first, d_hidden, width), {}, {hidden.data(), d_hidden}, task,
            compute);
  if (spec.gated_mlp) {
    factor.resize(hidden.size());
    linear<T>(in, begin, matrix_of(weights, name + "W_in", d_hidden, width), {}, {factor.data(), d_hidden},
              task, compute);
  }
  activate(spec.activation, hidden.data(), factor.empty() ? nullptr : factor.data(), rows * d_hidden);
  std::vector<T> out(static_cast<size_t>(rows * width));
  linear<T>({hidden.data(), d_hidden}, begin, matrix_of(weights, name + "W_out", width, d_hidden), {},
            {out.data(), width}, task, compute);
  return out;
}

// Ids by falling probability; of equals the lower id first, so that a choice never depends on the sort.
template <class T>
void choose(const ModelSpec& spec, const T* probs, T* indices, T* weights) {
  std::vector<int64_t> order(static_cast<size_t>(spec.experts));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [probs](int64_t one, int64_t other) { return probs[one] > probs[other]; });
  double sum = 0;
  for (int64_t rank = 0; rank < spec.experts_per_token; ++rank) {
    const int64_t expert = order[static_cast<size_t>(rank)];
    indices[rank] = static_cast<T>(expert);
    weights[rank] = probs[expert];
    sum += static_cast<double>(probs[expert]);
  }
  if (!spec.renormalise) return;
  for (int64_t rank = 0; rank < spec.experts_per_token; ++rank)
    weights[rank] = static_cast<T>(static_cast<double>(weights[rank]) / sum);
}

// The rows that chose one expert, still in their prompts.
template <class T>
struct ChosenRows {
  std::vector<int64_t> rows, begin = {0};
  std::vector<T> weights;
};

template <class T>
ChosenRows<T> rows_of_expert(const Routing<T>& routing, int64_t ranks, int64_t expert, RowBegins begin) {
  ChosenRows<T> chosen;
  for (size_t prompt = 0; prompt + 1 < begin.size(); ++prompt) {
    for (int64_t row = begin[prompt]; row < begin[prompt + 1]; ++row)
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const size_t at = static_cast<size_t>(row * ranks + rank);
        if (static_cast<int64_t>(routing.indices[at]) != expert) continue;
        chosen.rows.push_back(row);
        chosen.weights.push_back(routing.weights[at]);
      }
    chosen.begin.push_back(static_cast<int64_t>(chosen.rows.size()));
  }
  return chosen;
}

}  // namespace

Matrix matrix_of(const Weights& weights, const std::string& name, int64_t rows, int64_t columns) {
  Matrix matrix = weights.matrix(name);
  if (matrix.rows != rows || matrix.columns != columns)
    fail("tensor '{}' is {} x {} but this model needs {} x {}", name, matrix.rows, matrix.columns, rows,
         columns);
  return matrix;
}

template <class T>
void choose_again(const ModelSpec& spec, int64_t rows, Chosen from, Routing<T>& routing) {
  const int64_t experts = spec.experts, ranks = spec.experts_per_token;
  if (from == Chosen::by_logits) routing.probs = routing.logits;
  for (int64_t row = 0; row < rows; ++row) {
    T* probs = routing.probs.data() + row * experts;
    if (from == Chosen::by_logits) softmax(probs, experts);
    choose(spec, probs, routing.indices.data() + row * ranks, routing.weights.data() + row * ranks);
  }
}

template <class T>
Routing<T> route(const Weights& weights, int64_t layer, RowBegins begin, const T* x, const Task& task) {
  const ModelSpec& spec = weights.spec();
  const std::string mlp = fmt::format("blocks.{}.mlp.", layer);
  const int64_t rows = begin.back(), experts = spec.experts, ranks = spec.experts_per_token;
  Routing<T> routing;
  routing.logits.resize(static_cast<size_t>(rows * experts));
  linear<T>({x, spec.d_model}, begin, matrix_of(weights, mlp + "W_router", experts, spec.d_model), {},
            {routing.logits.data(), experts}, task);
  routing.indices.resize(static_cast<size_t>(rows * ranks));
  routing.weights.resize(static_cast<size_t>(rows * ranks));
  choose_again(spec, rows, Chosen::by_logits, routing);
  if (!spec.shared_gate) return routing;
  routing.shared_gate.resize(static_cast<size_t>(rows));
  linear<T>({x, spec.d_model}, begin, matrix_of(weights, mlp + "shared.gate", 1, spec.d_model), {},
            {routing.shared_gate.data(), 1}, task);
  for (T& gate : routing.shared_gate) gate = T{1} / (T{1} + std::exp(-gate));
  return routing;
}

template <class T>
void run_experts(const Weights& weights, int64_t layer, RowBegins begin, const Routing<T>& routing,
                 const T* x, T* out, const Task& task, Compute compute) {
  const ModelSpec& spec = weights.spec();
  const std::string mlp = fmt::format("blocks.{}.mlp.", layer);
  const int64_t width = spec.d_model;
  std::fill(out, out + begin.back() * width, T{0});
  for (int64_t expert = 0; expert < spec.experts; ++expert) {
    const ChosenRows<T> chosen = rows_of_expert(routing, spec.experts_per_token, expert, begin);
    if (chosen.rows.empty()) continue;
    std::vector<T> gathered;
    gathered.reserve(chosen.rows.size() * static_cast<size_t>(width));
    for (int64_t row : chosen.rows) gathered.insert(gathered.end(), x + row * width, x + (row + 1) * width);
    const std::vector<T> output = expert_output(weights, fmt::format("{}experts.{}.", mlp, expert),
                                                spec.d_expert, chosen.begin, gathered.data(), task, compute);
    for (size_t i = 0; i < chosen.rows.size(); ++i)
      for (int64_t column = 0; column < width; ++column)
        out[chosen.rows[i] * width + column] +=
            chosen.weights[i] * output[i * static_cast<size_t>(width) + static_cast<size_t>(column)];
  }
  if (spec.d_shared == 0) return;
  std::vector<T> shared = expert_output(weights, mlp + "shared.", spec.d_shared, begin, x, task, compute);
  for (int64_t row = 0; row < begin.back() && spec.shared_gate; ++row)
    for (int64_t column = 0; column < width; ++column)
      shared[static_cast<size_t>(row * width + column)] *= routing.shared_gate[static_cast<size_t>(row)];
  add_to(out, shared.data(), begin.back() * width);
}

template void choose_again<float>(const ModelSpec&, int64_t, Chosen, Routing<float>&);
template void choose_again<double>(const ModelSpec&, int64_t, Chosen, Routing<double>&);
template Routing<float> route<float>(const Weights&, int64_t, RowBegins, const float*, const Task&);
template Routing<double> route<double>(const Weights&, int64_t, RowBegins, const double*, const Task&);
template void run_experts<float>(const Weights&, int64_t, RowBegins, const Routing<float>&, const float*,
                                 float*, const Task&, Compute);
template void run_experts<double>(const Weights&, int64_t, RowBegins, const Routing<double>&, const double*,
                                  double*, const Task&, Compute);

}  // namespace varve
