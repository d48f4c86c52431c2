// The way back from the metric through the unembedding and the final norm, for the rows that the metric
// reads.
#include <algorithm>
#include <type_traits>

#include "analysis/core/error.h"
#include "analysis/model/backward_pass.h"
#include "analysis/model/output_map.h"

namespace varve {

// Rows of the last stream that the metric reads, of a few prompts that follow each other.
template <class T>
struct BackwardPass<T>::Answers {
  struct Row {
    int64_t prompt = 0, position = 0;
  };
  int64_t first = 0, end = 0;  // prompts
  std::vector<Row> rows;
};

// A gradient that is zero in all other rows of its prompt.
template <class T>
void BackwardPass<T>::show_answers(const char* site, const Answers& answers, const Values& rows,
                                   int64_t width) {
  for (int64_t prompt = answers.first; prompt < answers.end; ++prompt) {
    const auto at = static_cast<size_t>(prompt);
    const int64_t length = begin_[at + 1] - begin_[at];
    Values all(static_cast<size_t>(length * width), T{0});
    for (size_t row = 0; row < answers.rows.size(); ++row)
      if (answers.rows[row].prompt == prompt)
        std::copy_n(rows.data() + static_cast<int64_t>(row) * width, width,
                    all.data() + answers.rows[row].position * width);
    show_one(site, prompt, {length, width}, all.data());
  }
}

template <class T>
void BackwardPass<T>::answers_back(const Unembed& unembed, const Answers& answers, Values& u_grown,
                                   Values& b_grown, NormGradients<T>* norm_grown) {
  const OutputMap& map = unembed.map();
  const int64_t width = spec_.d_model, vocab = unembed.vocab();
  const auto count = static_cast<int64_t>(answers.rows.size());
  Values rows, dlogits(static_cast<size_t>(count * vocab)), dnormed;
  for (const auto& [prompt, position] : answers.rows) {
    const auto from = streams_.back().begin() + (begin_[static_cast<size_t>(prompt)] + position) * width;
    rows.insert(rows.end(), from, from + width);
  }
  Values normed(rows.size()), drows(rows.size(), T{0});
  if (count > 0) {
    unembed.run(std::span<const T>(rows), count, [&](int64_t first, int64_t tokens, std::span<const T> tile) {
      for (int64_t row = 0; row < count; ++row)
        std::copy_n(tile.data() + row * tokens, tokens, dlogits.data() + row * vocab + first);
    });
    // logits = scale * softcap(...): a cap c tanh(x / c) has the slope 1 - (y / c)^2 at its own output y.
    Values slopes(map.softcap > 0 ? dlogits.size() : 0);
    std::vector<double> logits(static_cast<size_t>(vocab)), slope(logits.size());
    for (int64_t row = 0; row < count; ++row) {
      T* values = dlogits.data() + row * vocab;
      std::copy_n(values, vocab, logits.begin());
      for (int64_t i = 0; i < vocab && map.softcap > 0; ++i) {
        const double share = logits[static_cast<size_t>(i)] / map.softcap;
        slopes[static_cast<size_t>(row * vocab + i)] = static_cast<T>(1 - share * share);
      }
      const auto& [prompt, position] = answers.rows[static_cast<size_t>(row)];
      metrics_[static_cast<size_t>(prompt)] += metric_.at(prompt, position, logits, slope);
      std::copy(slope.begin(), slope.end(), values);
    }
    if (wanted("logits")) show_answers("logits", answers, dlogits, vocab);
    if (map.scale != 1)
      for (T& value : dlogits) value *= static_cast<T>(map.scale);
    for (size_t i = 0; i < slopes.size(); ++i) dlogits[i] *= slopes[i];
    const NormWeights<T> last = norm("ln_final");
    norm_rows(last, rows.data(), count, width, normed.data());
    const std::vector<int64_t> alone = {0, count};
    dnormed = linear_back<T>({dlogits.data(), vocab}, alone, map.w, task_, compute_);
    add_norm_back(last, rows.data(), dnormed.data(), count, width, drows.data(), norm_grown);
    if (!u_grown.empty()) {
      const Values grown =
          weight_gradient<T>({dlogits.data(), vocab}, vocab, {normed.data(), width}, width, count, task_);
      add_to(u_grown.data(), grown.data(), static_cast<int64_t>(grown.size()));
    }
    if (!b_grown.empty()) {
      const Values grown = bias_gradient(dlogits, vocab);
      add_to(b_grown.data(), grown.data(), static_cast<int64_t>(grown.size()));
    }
  } else if (wanted("logits")) {
    show_answers("logits", answers, dlogits, vocab);
  }
  if (wanted("ln_final.normalized")) show_answers("ln_final.normalized", answers, dnormed, width);
  for (int64_t row = 0; row < count; ++row) {
    const auto& [prompt, position] = answers.rows[static_cast<size_t>(row)];
    std::copy_n(drows.data() + row * width, width,
                gradient_.data() + (begin_[static_cast<size_t>(prompt)] + position) * width);
  }
}

// A few rows at once share the packing of the unembedding. In f64 every prompt goes alone, else its bits
// would depend on its company.
template <class T>
void BackwardPass<T>::output_back() {
  constexpr size_t rows_at_once = std::is_same_v<T, double> ? 1 : 32;
  layer_ = -1;
  const Unembed unembed(weights_, compute_);
  const int64_t width = spec_.d_model, vocab = unembed.vocab();
  const bool own = weights_.has("unembed.W_U") || !spec_.tied;
  const std::string table = own ? "unembed.W_U" : "embed.W_E";
  Values u_grown(wants_parameter(table) ? static_cast<size_t>(vocab * width) : 0);
  Values b_grown(wants_parameter("unembed.b_U") ? static_cast<size_t>(vocab) : 0);
  NormGradients<T> norm_grown;
  const bool norm_wanted =
      norm("ln_final").kind != Norm::none && (wants_parameter("ln_final.w") || wants_parameter("ln_final.b"));
  gradient_ = buffer(width);
  const auto prompts = static_cast<int64_t>(begin_.size()) - 1;
  Answers answers;
  for (int64_t prompt = 0; prompt < prompts; ++prompt) {
    const auto at = static_cast<size_t>(prompt);
    for (const int64_t position : metric_.positions(prompt, begin_[at + 1] - begin_[at]))
      answers.rows.push_back({prompt, position});
    answers.end = prompt + 1;
    if (answers.rows.size() < rows_at_once && std::is_same_v<T, float> && answers.end < prompts) continue;
    answers_back(unembed, answers, u_grown, b_grown, norm_wanted ? &norm_grown : nullptr);
    answers = {prompt + 1, prompt + 1, {}};
  }
  if (!b_grown.empty()) give("unembed.b_U", {vocab}, b_grown);
  if (norm_wanted && wants_parameter("ln_final.w")) give("ln_final.w", {width}, norm_grown.gain);
  if (norm_wanted && wants_parameter("ln_final.b")) give("ln_final.b", {width}, norm_grown.bias);
  if (u_grown.empty()) return;
  if (own)
    give(table, {vocab, width}, u_grown);
  else
    table_grown_ = std::move(u_grown);
}

template void BackwardPass<float>::output_back();
template void BackwardPass<double>::output_back();

}  // namespace varve
