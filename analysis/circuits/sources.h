// What each source of the circuit graph writes, for a batch of prompts.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/circuits/graph.h"
#include "analysis/model/forward.h"

namespace varve {

// values of prompt p: [source][pos * d_model].
template <class T>
struct SourceValues {
  std::vector<std::vector<T>> of;
  std::vector<int64_t> length;
  std::vector<T> stream;  // after the last block, [rows of all prompts, d_model]
  int64_t width = 0;
  const T* at(int64_t prompt, int64_t source) const {
    const auto p = static_cast<size_t>(prompt);
    return of[p].data() + source * length[p] * width;
  }
};

template <class T>
SourceValues<T> source_values(const CircuitGraph& graph, const Weights& weights, const Probes& probes,
                              Compute compute, Task& task);
// values becomes what these prompts' sources write minus what it held; stream becomes theirs.
template <class T>
void subtract_from(const CircuitGraph& graph, const Weights& weights, const Probes& probes, Compute compute,
                   SourceValues<T>& values, Task& task);

}  // namespace varve
