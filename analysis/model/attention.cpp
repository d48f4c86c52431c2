// Scores, softmax and value mix of a block of queries against the keys they may see.
#include "analysis/model/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/attention_blocks.h"

namespace varve {
namespace {

template <class T>
void mask_block(const AttentionPlan& plan, const Block& block, RowsOf<T> scores) {
  constexpr T masked = -std::numeric_limits<T>::infinity();
  for (int64_t query = 0; query < block.count; ++query) {
    T* row = scores.data + query * scores.stride;
    std::fill(row, row + low_key(plan, block, query), masked);
    std::fill(row + high_key(plan, block, query), row + block.keys, masked);
  }
}

}  // namespace

AttentionPlan attention_plan(const ModelSpec& spec, int64_t layer) {
  AttentionPlan plan{spec.heads, spec.kv_heads, spec.d_head, 0, 1, spec.attention_softcap, spec.causal};
  if (!spec.window.empty()) plan.window = spec.window[static_cast<size_t>(layer)];
  plan.scale =
      spec.attention_scale > 0 ? spec.attention_scale : 1 / std::sqrt(static_cast<double>(spec.d_head));
  if (spec.scale_by_layer) plan.scale /= static_cast<double>(layer + 1);
  return plan;
}

template <class T>
void attend(const ModelSpec& spec, const AttentionPlan& plan, RowBegins begin, const T* q, const T* k,
            const T* v, T* z, const Task& task) {
  const int64_t width = plan.heads * plan.d_head, kv_width = plan.kv_heads * plan.d_head;
  const int64_t prompts = static_cast<int64_t>(begin.size()) - 1;
  std::vector<std::vector<T>> scratch(static_cast<size_t>(threads()));
  parallel_for(prompts * plan.heads, [&](int64_t piece, int worker) {
    const int64_t prompt = piece / plan.heads, head = piece % plan.heads;
    const int64_t row = begin[static_cast<size_t>(prompt)];
    const int64_t length = begin[static_cast<size_t>(prompt) + 1] - row;
    const int64_t kv = row * kv_width + kv_head_of(spec, head) * plan.d_head;
    const int64_t own = row * width + head * plan.d_head;
    std::vector<T>& block_scores = scratch[static_cast<size_t>(worker)];
    block_scores.resize(static_cast<size_t>(std::min(block_queries, length) * length));
    for (int64_t first = 0; first < length; first += block_queries) {
      if (task.stop_requested()) throw Stopped();
      const Block block = block_at(plan, first, length);
      const RowsOf<T> scores{block_scores.data(), block.keys};
      score_block<T>(plan, block, {q + own, width}, {k + kv, kv_width}, scores);
      softmax_block(plan, block, scores);
      multiply<T>(block.count, plan.d_head, block.keys, {scores.data, scores.stride},
                  {v + kv + block.key * kv_width, kv_width}, {z + own + first * width, width});
    }
  });
}

template <class T>
void attention_matrix(const ModelSpec& spec, const AttentionPlan& plan, Attended what, int64_t length,
                      const T* q, const T* k, T* out, const Task& task) {
  const int64_t width = plan.heads * plan.d_head, kv_width = plan.kv_heads * plan.d_head;
  const T outside = what == Attended::scores ? -std::numeric_limits<T>::infinity() : T{0};
  parallel_for(plan.heads, [&](int64_t head, int) {
    T* matrix = out + head * length * length;
    for (int64_t first = 0; first < length; first += block_queries) {
      if (task.stop_requested()) throw Stopped();
      const Block block = block_at(plan, first, length);
      T* rows = matrix + first * length;
      std::fill(rows, rows + block.count * length, outside);
      const RowsOf<T> scores{rows + block.key, length};
      score_block<T>(plan, block, {q + head * plan.d_head, width},
                     {k + kv_head_of(spec, head) * plan.d_head, kv_width}, scores);
      if (what == Attended::scores)
        mask_block(plan, block, scores);
      else
        softmax_block(plan, block, scores);
    }
  });
}

template <class T>
void pattern_of_scores(const AttentionPlan& plan, int64_t length, T* matrix) {
  parallel_for(plan.heads, [&](int64_t head, int) {
    for (int64_t first = 0; first < length; first += block_queries) {
      const Block block = block_at(plan, first, length);
      T* rows = matrix + (head * length + first) * length;
      for (int64_t query = 0; query < block.count; ++query) {
        std::fill(rows + query * length, rows + query * length + block.key, T{0});
        std::fill(rows + query * length + block.key + block.keys, rows + (query + 1) * length, T{0});
      }
      softmax_block<T>(plan, block, {rows + block.key, length});
    }
  });
}

template <class T>
void mix_values(const ModelSpec& spec, const AttentionPlan& plan, int64_t length, const T* pattern,
                const T* v, T* z) {
  const int64_t width = plan.heads * plan.d_head, kv_width = plan.kv_heads * plan.d_head;
  parallel_for(plan.heads, [&](int64_t head, int) {
    const T* own = v + kv_head_of(spec, head) * plan.d_head;
    for (int64_t first = 0; first < length; first += block_queries) {
      const Block block = block_at(plan, first, length);
      multiply<T>(block.count, plan.d_head, block.keys,
                  {pattern + (head * length + first) * length + block.key, length},
                  {own + block.key * kv_width, kv_width}, {z + head * plan.d_head + first * width, width});
    }
  });
}

template void pattern_of_scores<float>(const AttentionPlan&, int64_t, float*);
template void pattern_of_scores<double>(const AttentionPlan&, int64_t, double*);
template void mix_values<float>(const ModelSpec&, const AttentionPlan&, int64_t, const float*, const float*,
                                float*);
template void mix_values<double>(const ModelSpec&, const AttentionPlan&, int64_t, const double*,
                                 const double*, double*);
template void attend<float>(const ModelSpec&, const AttentionPlan&, RowBegins, const float*, const float*,
                            const float*, float*, const Task&);
template void attend<double>(const ModelSpec&, const AttentionPlan&, RowBegins, const double*, const double*,
                             const double*, double*, const Task&);
template void attention_matrix<float>(const ModelSpec&, const AttentionPlan&, Attended, int64_t, const float*,
                                      const float*, float*, const Task&);
template void attention_matrix<double>(const ModelSpec&, const AttentionPlan&, Attended, int64_t,
                                       const double*, const double*, double*, const Task&);

}  // namespace varve
