// dV = P' dz; dP = dz V'; dS = P (dP - rowsum(P dP)), through the soft cap; dQ = scale dS K; dK = scale dS'
// Q.
#include "analysis/model/attention_backward.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/attention_blocks.h"

namespace varve {
namespace {

template <class T>
void turn(int64_t rows, int64_t columns, RowsOf<const T> from, T* to) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      to[column * rows + row] = from.data[row * from.stride + column];
}

// into [m, n] += a' b for a [k, m], b [k, n].
template <class T>
void add_turned_product(int64_t m, int64_t n, int64_t k, RowsOf<const T> a, RowsOf<const T> b, RowsOf<T> into,
                        std::vector<T>& scratch) {
  scratch.resize(static_cast<size_t>(m * k + m * n));
  T* turned = scratch.data();
  T* product = scratch.data() + m * k;
  turn(k, m, a, turned);
  multiply<T>(m, n, k, {turned, k}, b, {product, n});
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column)
      into.data[row * into.stride + column] += product[row * n + column];
}

// dP becomes dS of the raw scores, before scale. p: softmax; capped: what it read.
template <class T>
void scores_back(const AttentionPlan& plan, int64_t low, int64_t high, int64_t keys, const T* p,
                 const T* capped, T* gradient) {
  double dot = 0;
  for (int64_t key = low; key < high; ++key)
    dot += static_cast<double>(p[key]) * static_cast<double>(gradient[key]);
  for (int64_t key = 0; key < keys; ++key) {
    if (key < low || key >= high) {
      gradient[key] = 0;
      continue;
    }
    gradient[key] = p[key] * (gradient[key] - static_cast<T>(dot));
    if (capped == nullptr) continue;
    const T share = capped[key] / static_cast<T>(plan.softcap);
    gradient[key] *= T{1} - share * share;
  }
}

}  // namespace

template <class T>
AttentionGradients<T> attend_back(const ModelSpec& spec, const AttentionPlan& plan, RowBegins begin,
                                  const T* q, const T* k, const T* v, const T* dz, const Task& task) {
  const int64_t width = plan.heads * plan.d_head, kv_width = plan.kv_heads * plan.d_head, d = plan.d_head;
  AttentionGradients<T> out;
  out.q.assign(static_cast<size_t>(begin.back() * width), T{0});
  out.k = out.v = out.q;
  struct Scratch {
    std::vector<T> pattern, capped, gradient, other;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  const int64_t prompts = static_cast<int64_t>(begin.size()) - 1;
  parallel_for(prompts * plan.heads, [&](int64_t piece, int worker) {
    Scratch& own = scratch[static_cast<size_t>(worker)];
    const int64_t prompt = piece / plan.heads, head = piece % plan.heads;
    const int64_t row = begin[static_cast<size_t>(prompt)];
    const int64_t length = begin[static_cast<size_t>(prompt) + 1] - row;
    const int64_t kv = row * kv_width + kv_head_of(spec, head) * d, at = row * width + head * d;
    own.pattern.resize(static_cast<size_t>(std::min(block_queries, length) * length));
    own.gradient.resize(own.pattern.size());
    for (int64_t first = 0; first < length; first += block_queries) {
      if (task.stop_requested()) throw Stopped();
      const Block block = block_at(plan, first, length);
      const RowsOf<T> pattern{own.pattern.data(), block.keys}, gradient{own.gradient.data(), block.keys};
      score_block<T>(plan, block, {q + at, width}, {k + kv, kv_width}, pattern);
      if (plan.softcap > 0) own.capped = own.pattern;
      softmax_block(plan, block, pattern);
      const RowsOf<const T> dz_rows{dz + at + first * width, width};
      multiply_turned<T>(block.count, block.keys, d, T{1}, dz_rows, {v + kv + block.key * kv_width, kv_width},
                         gradient);
      const T* p = pattern.data;
      add_turned_product<T>(block.keys, d, block.count, {p, block.keys}, dz_rows,
                            {out.v.data() + at + block.key * width, width}, own.other);
      for (int64_t query = 0; query < block.count; ++query)
        scores_back(plan, low_key(plan, block, query), high_key(plan, block, query), block.keys,
                    p + query * block.keys,
                    plan.softcap > 0 ? own.capped.data() + query * block.keys : nullptr,
                    gradient.data + query * block.keys);
      const T scale = static_cast<T>(plan.scale);
      for (int64_t i = 0; i < block.count * block.keys; ++i) gradient.data[i] *= scale;
      const RowsOf<const T> ds{gradient.data, block.keys};
      multiply<T>(block.count, d, block.keys, ds, {k + kv + block.key * kv_width, kv_width},
                  {out.q.data() + at + first * width, width});
      add_turned_product<T>(block.keys, d, block.count, ds, {q + at + first * width, width},
                            {out.k.data() + at + block.key * width, width}, own.other);
    }
  });
  return out;
}

template <class T>
void attend_back_whole(const ModelSpec& spec, const AttentionPlan& plan, int64_t length, const T* q,
                       const T* k, const T* v, const T* dz, const WholeAttention<T>& whole, T* dq, T* dk,
                       T* dv) {
  const int64_t width = plan.heads * plan.d_head, kv_width = plan.kv_heads * plan.d_head, d = plan.d_head;
  const int64_t size = length * length;
  std::vector<T> gradient(static_cast<size_t>(plan.heads * size)), scratch;
  const auto kv_of = [&](int64_t head) { return kv_head_of(spec, head) * d; };
  for (int64_t head = 0; head < plan.heads; ++head) {
    multiply_turned<T>(length, length, d, T{1}, {dz + head * d, width}, {v + kv_of(head), kv_width},
                       {gradient.data() + head * size, length});
    add_turned_product<T>(length, d, length, {whole.pattern + head * size, length}, {dz + head * d, width},
                          {dv + head * d, width}, scratch);
  }
  whole.turn_pattern(gradient.data());
  std::vector<T> p(whole.scores, whole.scores + plan.heads * size);
  pattern_of_scores(plan, length, p.data());
  AttentionPlan uncapped = plan;  // the cap lies before what was changed
  uncapped.softcap = 0;
  const Block all{0, length, 0, length};
  for (int64_t row = 0; row < plan.heads * length; ++row) {
    const int64_t query = row % length;
    scores_back<T>(uncapped, low_key(plan, all, query), high_key(plan, all, query), length,
                   p.data() + row * length, nullptr, gradient.data() + row * length);
  }
  whole.turn_scores(gradient.data());
  std::vector<T> capped(static_cast<size_t>(size));
  for (int64_t head = 0; head < plan.heads; ++head) {
    T* ds = gradient.data() + head * size;
    if (plan.softcap > 0) {
      score_block<T>(plan, all, {q + head * d, width}, {k + kv_of(head), kv_width}, {capped.data(), length});
      for (int64_t i = 0; i < size; ++i) {
        const T share = capped[static_cast<size_t>(i)] / static_cast<T>(plan.softcap);
        ds[i] *= T{1} - share * share;
      }
    }
    for (int64_t i = 0; i < size; ++i) ds[i] *= static_cast<T>(plan.scale);
    multiply<T>(length, d, length, {ds, length}, {k + kv_of(head), kv_width}, {dq + head * d, width});
    add_turned_product<T>(length, d, length, {ds, length}, {q + head * d, width}, {dk + head * d, width},
                          scratch);
  }
}

template AttentionGradients<float> attend_back<float>(const ModelSpec&, const AttentionPlan&, RowBegins,
                                                      const float*, const float*, const float*, const float*,
                                                      const Task&);
template AttentionGradients<double> attend_back<double>(const ModelSpec&, const AttentionPlan&, RowBegins,
                                                        const double*, const double*, const double*,
                                                        const double*, const Task&);
template void attend_back_whole<float>(const ModelSpec&, const AttentionPlan&, int64_t, const float*,
                                       const float*, const float*, const float*, const WholeAttention<float>&,
                                       float*, float*, float*);
template void attend_back_whole<double>(const ModelSpec&, const AttentionPlan&, int64_t, const double*,
                                        const double*, const double*, const double*,
                                        const WholeAttention<double>&, double*, double*, double*);

}  // namespace varve
