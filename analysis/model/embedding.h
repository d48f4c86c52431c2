// Where the residual stream begins: tokens looked up in a table, or one-hot, and what small networks do with
// them before their first layer.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/kernels.h"
#include "analysis/model/probes.h"

namespace varve {

// After so many lookups the table's pages leave memory where it is short: each row brings its neighbours.
inline constexpr int64_t frugal_lookups = 128;

// [rows, d_model], scaled by embed_scale; rows are the positions of all prompts, one prompt after the other.
//   1. a row of embed.W_E [vocab, d_embed] for each token; one-hot where the model has no such table
//   2. joined_tokens > 1: those of the last positions side by side, the oldest first, zeros before a prompt
//   3. embed.W_in [d_model, joined_tokens * d_embed] and embed.b_in, where the model has them
template <class T>
std::vector<T> embeddings(const Weights& weights, const Probes& probes, RowBegins begin, const Task& task);

}  // namespace varve
