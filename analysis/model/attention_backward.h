// The way back through the attention of one layer.
#pragma once

#include <cstdint>
#include <functional>

#include "analysis/model/attention.h"

namespace varve {

// By query head, grouped keys and values expanded: all [rows, heads, d_head].
template <class T>
struct AttentionGradients {
  std::vector<T> q, k, v;
};

// From dz [rows, heads, d_head]; q, z by head, k, v by kv head, as `attend` takes them.
template <class T>
AttentionGradients<T> attend_back(const ModelSpec& spec, const AttentionPlan& plan, RowBegins begin,
                                  const T* q, const T* k, const T* v, const T* dz, const Task& task);

// The same with whole matrices [head, query, key] of one prompt, for what is changed or looked at there.
// pattern: what mixed the values; scores: what the softmax read. turn_pattern and turn_scores see (and may
// change) the gradients there, between the steps.
template <class T>
struct WholeAttention {
  const T* pattern = nullptr;
  const T* scores = nullptr;
  std::function<void(T*gradient)> turn_pattern, turn_scores;
};
template <class T>
void attend_back_whole(const ModelSpec& spec, const AttentionPlan& plan, int64_t length, const T* q,
                       const T* k, const T* v, const T* dz, const WholeAttention<T>& whole, T* dq, T* dk,
                       T* dv);

}  // namespace varve
