// Causal attention of one layer, in blocks of queries, so that no full score matrix exists unless asked for.
#pragma once

#include <cstdint>

#include "analysis/core/task.h"
#include "analysis/model/kernels.h"

namespace varve {

struct AttentionPlan {
  int64_t heads = 0, kv_heads = 0, d_head = 0;
  int64_t window = 0;  // 0: the whole context; else key > query - window
  double scale = 1, softcap = 0;
  bool causal = true;  // else every query sees every key
};
AttentionPlan attention_plan(const ModelSpec& spec, int64_t layer);

// q, z [rows, heads, d_head]; k, v [rows, kv_heads, d_head]. z = softmax(scores) v, prompt by prompt.
template <class T>
void attend(const ModelSpec& spec, const AttentionPlan& plan, RowBegins begin, const T* q, const T* k,
            const T* v, T* z, const Task& task);

// One prompt's whole [head, query, key]: scores (masked entries -inf) or their softmax (masked entries 0).
enum class Attended { scores, pattern };
template <class T>
void attention_matrix(const ModelSpec& spec, const AttentionPlan& plan, Attended what, int64_t length,
                      const T* q, const T* k, T* out, const Task& task);

// The softmax of one prompt's whole scores, in place.
template <class T>
void pattern_of_scores(const AttentionPlan& plan, int64_t length, T* matrix);
// z of one prompt from its whole pattern, by the very products of `attend`.
template <class T>
void mix_values(const ModelSpec& spec, const AttentionPlan& plan, int64_t length, const T* pattern,
                const T* v, T* z);

}  // namespace varve
