// Running a circuit: edges in it carry what this very run computes, edges outside carry another run's values.
//
// input_v = stream of the run + sum over (u -> v) outside of (z'_u - z_u), with z the run's own outputs and
// z' the other run's (Hanna et al. 2403.17806). The whole graph is the clean run, the empty one the other.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/circuits/graph.h"
#include "analysis/circuits/sources.h"
#include "analysis/model/metric.h"

namespace varve {

// A set of edges, [source * destinations + destination].
class EdgeSet {
 public:
  explicit EdgeSet(const CircuitGraph& graph)
      : graph_(graph), in_(static_cast<size_t>(graph.sources() * graph.destinations()), 0) {}
  bool has(int64_t source, int64_t destination) const { return in_[place(source, destination)] != 0; }
  void set(int64_t source, int64_t destination, uint8_t in) { in_[place(source, destination)] = in; }
  void fill();  // every edge there is
  int64_t count() const;
  const CircuitGraph& graph() const { return graph_; }

 private:
  size_t place(int64_t source, int64_t destination) const {
    return static_cast<size_t>(source * graph_.destinations() + destination);
  }
  CircuitGraph graph_;
  std::vector<uint8_t> in_;
};

template <class T>
class CircuitRunner {
 public:
  // `others` must stay; so must the rest.
  CircuitRunner(const CircuitGraph& graph, const Weights& weights, const Probes& clean, Compute compute,
                const SourceValues<T>& others);
  // The stream before the final norm, one prompt: [pos, d_model].
  std::vector<T> run(const EdgeSet& edges, int64_t prompt) const;
  std::vector<double> metric(const EdgeSet& edges, const Metric& metric) const;  // of each prompt

 private:
  const CircuitGraph& graph_;
  const Weights& weights_;
  const Probes& clean_;
  Compute compute_;
  const SourceValues<T>& others_;
};

// Ablation of what is outside a circuit: the corrupted run's values, the mean over all clean prompts and
// positions, or nothing.
enum class Outside { patching, mean, zero };
// [source * d_model]: that mean, of a block of prompts at a time.
std::vector<double> mean_sources(const CircuitGraph& graph, const Weights& weights, const Probes& clean,
                                 Compute compute, int64_t at_once, Task& task);
// Of these prompts; `mean` is read for Outside::mean alone.
template <class T>
SourceValues<T> outside_values(Outside how, const CircuitGraph& graph, const Weights& weights,
                               const Probes& corrupted, const std::vector<double>& mean, Compute compute,
                               Task& task);

}  // namespace varve
