// Blocks of queries against the keys they may see: what the attention of a pass and its way back share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "analysis/model/attention.h"

namespace varve {

inline constexpr int64_t block_queries = 64;

// Queries [first, first + count) against keys [key, key + keys); rows of `scores` are `stride` apart.
struct Block {
  int64_t first = 0, count = 0, key = 0, keys = 0;
};

inline Block block_at(const AttentionPlan& plan, int64_t first, int64_t length) {
  Block block{first, std::min(block_queries, length - first), 0, 0};
  if (plan.window > 0) block.key = std::max<int64_t>(0, first - plan.window + 1);
  block.keys = (plan.causal ? first + block.count : length) - block.key;
  return block;
}

// The keys of one query within its block: [low, high).
inline int64_t low_key(const AttentionPlan& plan, const Block& block, int64_t query) {
  if (plan.window == 0) return 0;
  return std::max<int64_t>(0, block.first + query - plan.window + 1 - block.key);
}
inline int64_t high_key(const AttentionPlan& plan, const Block& block, int64_t query) {
  return plan.causal ? block.first + query + 1 - block.key : block.keys;
}

template <class T>
void score_block(const AttentionPlan& plan, const Block& block, RowsOf<const T> q, RowsOf<const T> k,
                 RowsOf<T> scores) {
  multiply_turned<T>(block.count, block.keys, plan.d_head, static_cast<T>(plan.scale),
                     {q.data + block.first * q.stride, q.stride}, {k.data + block.key * k.stride, k.stride},
                     scores);
  if (plan.softcap <= 0) return;
  const T cap = static_cast<T>(plan.softcap);
  for (int64_t query = 0; query < block.count; ++query)
    for (int64_t key = 0; key < block.keys; ++key) {
      T& score = scores.data[query * scores.stride + key];
      score = cap * std::tanh(score / cap);
    }
}

template <class T>
void softmax_block(const AttentionPlan& plan, const Block& block, RowsOf<T> scores) {
  for (int64_t query = 0; query < block.count; ++query) {
    T* row = scores.data + query * scores.stride;
    const int64_t low = low_key(plan, block, query), high = high_key(plan, block, query);
    softmax(row + low, high - low);
    std::fill(row, row + low, T{0});
    std::fill(row + high, row + block.keys, T{0});
  }
}

}  // namespace varve
