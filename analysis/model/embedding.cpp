// Tokens to the rows of the residual stream.
#include "analysis/model/embedding.h"

#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/model/moe.h"

namespace varve {
namespace {

template <class T>
std::vector<T> looked_up(const Weights& weights, const Probes& probes, int64_t rows, int64_t width) {
  const ModelSpec& spec = weights.spec();
  std::vector<T> table_rows(static_cast<size_t>(rows * width), T{0});
  T* out = table_rows.data();
  if (!weights.has("embed.W_E") && weights.has("embed.W_in")) {
    if (width != spec.vocab)
      fail("a model without embed.W_E reads tokens one-hot, so d_embed {} must be the vocabulary's {}", width,
           spec.vocab);
    for (const std::vector<int64_t>& ids : probes.prompts)
      for (int64_t id : ids) {
        out[id] = T{1};
        out += width;
      }
    return table_rows;
  }
  const Matrix table = matrix_of(weights, "embed.W_E", spec.vocab, width);
  int64_t looked = 0;
  for (const std::vector<int64_t>& ids : probes.prompts)
    for (int64_t id : ids) {
      widen_rows(table, id, 1, out);
      out += width;
      if (weights.frugal() && ++looked % frugal_lookups == 0) weights.release("embed.");
    }
  return table_rows;
}

template <class T>
std::vector<T> side_by_side(const std::vector<T>& rows, RowBegins begin, int64_t width, int64_t joined) {
  std::vector<T> wide(rows.size() * static_cast<size_t>(joined), T{0});
  for (size_t prompt = 0; prompt + 1 < begin.size(); ++prompt)
    for (int64_t row = begin[prompt]; row < begin[prompt + 1]; ++row)
      for (int64_t slot = 0; slot < joined; ++slot) {
        const int64_t from = row - (joined - 1 - slot);
        if (from < begin[prompt]) continue;
        std::copy_n(rows.data() + from * width, width, wide.data() + (row * joined + slot) * width);
      }
  return wide;
}

}  // namespace

template <class T>
std::vector<T> embeddings(const Weights& weights, const Probes& probes, RowBegins begin, const Task& task) {
  const ModelSpec& spec = weights.spec();
  const int64_t d_embed = spec.d_embed > 0 ? spec.d_embed : spec.d_model, rows = begin.back();
  std::vector<T> stream = looked_up<T>(weights, probes, rows, d_embed);
  if (spec.joined_tokens > 1) stream = side_by_side(stream, begin, d_embed, spec.joined_tokens);
  const int64_t wide = d_embed * spec.joined_tokens;
  if (weights.has("embed.W_in")) {
    std::vector<T> projected(static_cast<size_t>(rows * spec.d_model));
    const std::vector<T> bias = vector_if_any<T>(weights, "embed.b_in");
    linear<T>({stream.data(), wide}, begin, matrix_of(weights, "embed.W_in", spec.d_model, wide), bias,
              {projected.data(), spec.d_model}, task);
    stream = std::move(projected);
  } else if (wide != spec.d_model) {
    fail("{} embeddings of width {} do not fill a residual stream of width {}; is embed.W_in missing?",
         spec.joined_tokens, d_embed, spec.d_model);
  }
  if (spec.embed_scale != 1)
    for (T& value : stream) value *= static_cast<T>(spec.embed_scale);
  return stream;
}

template std::vector<float> embeddings<float>(const Weights&, const Probes&, RowBegins, const Task&);
template std::vector<double> embeddings<double>(const Weights&, const Probes&, RowBegins, const Task&);

}  // namespace varve
