// The last layer's logits come from the model's own output path and are kept for a block of positions; one
// pass over vocabulary tiles then serves all other layers: the logits that ranks are counted against are
// known before it, from products with the target tokens alone.
//
// Per tile and row we keep the sums of lens_sums.h; tiles are joined in vocabulary order, so that threads
// never change a bit. With s, a, u, w = mass, mean, final_gap, lens_gap and f the last layer:
//   entropy = log s - a/s,  KL(f||p) = u - lse_f + lse,  KL(p||f) = w/s - lse + lse_f.
#include "analysis/lens.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/lens_sums.h"
#include "analysis/model/vocab_sweep.h"

namespace varve {
namespace {

// Sums are joined once for so many tokens, on every path.
constexpr int64_t chunk_tokens = 256;

struct Candidate {
  double logit = -std::numeric_limits<double>::infinity();
  int64_t id = -1;
  bool beats(const Candidate& other) const {
    return logit > other.logit || (logit == other.logit && id >= 0 && (other.id < 0 || id < other.id));
  }
};

// best is kept in falling order and never longer than top_k.
template <class T>
void keep_best(std::span<const T> z, int64_t first, size_t top_k, std::vector<Candidate>& best) {
  for (size_t i = 0; i < z.size(); ++i) {
    const double logit = static_cast<double>(z[i]);
    if (best.size() == top_k && !(logit > best.back().logit)) continue;
    const Candidate candidate{logit, first + static_cast<int64_t>(i)};
    auto place =
        std::find_if(best.begin(), best.end(), [&](const Candidate& kept) { return candidate.beats(kept); });
    best.insert(place, candidate);
    if (best.size() > top_k) best.pop_back();
  }
}

// A position of a prompt, and where its result goes.
template <class T>
struct Place {
  const LensPrompt<T>* prompt = nullptr;
  LensResult* result = nullptr;
  int64_t position = 0;

  int64_t true_id() const {
    const auto next = static_cast<size_t>(position + 1);
    return next < prompt->tokens.size() ? prompt->tokens[next] : -1;
  }
};

// The statistics of some positions, all layers.
template <class T>
class Block {
 public:
  Block(const Unembed& unembed, std::span<const Place<T>> places, int64_t d_model, int64_t top_k, Task& task)
      : unembed_(unembed),
        places_(places),
        task_(task),
        rows_(static_cast<int64_t>(places.size())),
        sets_(static_cast<int64_t>(places.front().prompt->residuals.size())),
        d_model_(d_model),
        top_k_(static_cast<size_t>(top_k)) {}

  void read() {
    const auto all = static_cast<size_t>(rows_ * sets_);
    sums_.assign(all, {});
    best_.assign(all, {});
    targets_.assign(all * 2, 0);
    above_.assign(all * 2, 0);
    read_output();
    task_.step(1, 20);
    if (swept_sets() > 0) read_layers(swept());
    for (int64_t row = 0; row < rows_; ++row) hand_over(row);
  }

 private:
  const LensLoops<T>& loops_ = lens_loops<T>();
  const T* stream(int64_t row, int64_t set) const {
    const Place<T>& place = places_[static_cast<size_t>(row)];
    return place.prompt->residuals[static_cast<size_t>(set)].data() + place.position * d_model_;
  }
  const T* output(int64_t row) const { return output_.data() + row * unembed_.vocab(); }
  size_t at(int64_t row, int64_t set) const { return static_cast<size_t>(row * sets_ + set); }

  int64_t swept_sets() const { return sets_ - 1; }

  // All layers but the last.
  VocabSweep<T> swept() const {
    std::vector<const T*> rows;
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t set = 0; set < swept_sets(); ++set) rows.push_back(stream(row, set));
    return VocabSweep<T>(unembed_, rows, swept_sets());
  }

  // The model's own output path: the last residual's logits, kept.
  void read_output() {
    std::vector<T> last(static_cast<size_t>(rows_ * d_model_));
    for (int64_t row = 0; row < rows_; ++row)
      std::copy_n(stream(row, sets_ - 1), d_model_, last.begin() + row * d_model_);
    output_.resize(static_cast<size_t>(rows_ * unembed_.vocab()));
    unembed_.run(last, rows_, [&](int64_t first, int64_t tokens, std::span<const T> logits) {
      if (task_.stop_requested()) throw Stopped();
      for (int64_t row = 0; row < rows_; ++row)
        std::copy_n(logits.data() + row * tokens, tokens, output_.data() + row * unembed_.vocab() + first);
    });
    output_lse_.assign(static_cast<size_t>(rows_), 0);
    ids_.assign(static_cast<size_t>(rows_) * 2, 0);
    parallel_for(rows_, [&](int64_t row, int) { read_output_row(row); });
  }

  // ids_ [row, 2]: the true next token and the model's own answer; where there is none, token 0 stands in and
  // its rank is not shown.
  void read_output_row(int64_t row) {
    const T* const z = output(row);
    const size_t last = at(row, sets_ - 1);
    LensSums& sums = sums_[last];
    Candidate answer;
    for (int64_t first = 0; first < unembed_.vocab(); first += chunk_tokens) {
      const int64_t count = std::min(chunk_tokens, unembed_.vocab() - first);
      const T top = loops_.largest(z + first, count);
      sums = join(sums, loops_.sums(z + first, top, nullptr, nullptr, count));
      const T* const found = std::find(z + first, z + first + count, top);
      const Candidate candidate{static_cast<double>(top), found - z};
      if (found != z + first + count && candidate.beats(answer)) answer = candidate;
      take_best(z + first, top, first, count, best_[last]);
    }
    output_lse_[static_cast<size_t>(row)] = sums.max + std::log(sums.mass);
    const int64_t ids[] = {std::max<int64_t>(true_id(row), 0), std::max<int64_t>(answer.id, 0)};
    for (size_t which = 0; which < 2; ++which) {
      ids_[static_cast<size_t>(row) * 2 + which] = ids[which];
      targets_[last * 2 + which] = z[ids[which]];
      above_[last * 2 + which] = loops_.above(z, z[ids[which]], unembed_.vocab());
    }
  }

  void take_best(const T* z, T top, int64_t first, int64_t count, std::vector<Candidate>& best) const {
    if (best.size() < top_k_ || static_cast<double>(top) > best.back().logit)
      keep_best(std::span<const T>(z, static_cast<size_t>(count)), first, top_k_, best);
  }

  // A token without a logit (vocab_out) is no target.
  int64_t true_id(int64_t row) const {
    const int64_t id = places_[static_cast<size_t>(row)].true_id();
    return id < unembed_.vocab() ? id : -1;
  }

  void find_targets(const VocabSweep<T>& sweep) {
    const std::vector<T> found = sweep.logits_of(ids_, 2);
    for (int64_t row = 0; row < rows_; ++row)
      std::copy_n(found.begin() + row * swept_sets() * 2, swept_sets() * 2,
                  targets_.begin() + row * sets_ * 2);
  }

  void read_layers(const VocabSweep<T>& sweep) {
    find_targets(sweep);
    moved_.assign(targets_.size(), 0);
    sweep.run(
        [&](int64_t first, int64_t tokens, int64_t row, int64_t rows, std::span<const T> logits) {
          if (task_.stop_requested()) throw Stopped();
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t begin = 0; begin < tokens; begin += chunk_tokens)
              read_chunk(first + begin, std::min(chunk_tokens, tokens - begin), row + r,
                         logits.data() + r * swept_sets() * tokens + begin, tokens);
        },
        [&](int64_t done, int64_t total) { task_.step(total + done * 19, total * 20); });
    // BLAS may sum a product with a few tokens in another order than one with many; then ranks are counted
    // anew.
    if (std::find(moved_.begin(), moved_.end(), 1) != moved_.end()) count_ranks(sweep);
  }

  // z: this row's logits of the first layer; each further layer lies `stride` on.
  void read_chunk(int64_t first, int64_t count, int64_t row, const T* z, int64_t stride) {
    const T* const last = output(row) + first;
    T p[chunk_tokens];
    loops_.softmax(last, static_cast<T>(output_lse_[static_cast<size_t>(row)]), count, p);
    for (int64_t set = 0; set < swept_sets(); ++set, z += stride) {
      const size_t here = at(row, set);
      const T top = loops_.largest(z, count);
      sums_[here] = join(sums_[here], loops_.sums(z, top, last, p, count));
      take_best(z, top, first, count, best_[here]);
      for (size_t which = 0; which < 2; ++which) {
        T& target = targets_[here * 2 + which];
        if (top > target) above_[here * 2 + which] += loops_.above(z, target, count);
        const int64_t id = ids_[static_cast<size_t>(row) * 2 + which] - first;
        if (id < 0 || id >= count || z[id] == target) continue;
        target = z[id];
        moved_[here * 2 + which] = 1;
      }
    }
  }

  // 1 + how many tokens beat the target, against the very logits that were shown.
  void count_ranks(const VocabSweep<T>& sweep) {
    for (int64_t row = 0; row < rows_; ++row)
      std::fill_n(above_.begin() + row * sets_ * 2, swept_sets() * 2, 0);
    sweep.run(
        [&](int64_t, int64_t tokens, int64_t row, int64_t rows, std::span<const T> logits) {
          const T* z = logits.data();
          for (int64_t r = row; r < row + rows; ++r)
            for (int64_t set = 0; set < swept_sets(); ++set, z += tokens)
              for (size_t which = 0; which < 2; ++which)
                above_[at(r, set) * 2 + which] += loops_.above(z, targets_[at(r, set) * 2 + which], tokens);
        },
        [&](int64_t, int64_t) { task_.step(1, 1); });
  }

  void hand_over(int64_t row) {
    const Place<T>& place = places_[static_cast<size_t>(row)];
    const int64_t count = static_cast<int64_t>(place.prompt->tokens.size());
    for (int64_t set = 0; set < sets_; ++set)
      place.result->points[static_cast<size_t>(set * count + place.position)] = point(set, row);
  }

  LensPoint point(int64_t set, int64_t row) const {
    const size_t here = at(row, set);
    const LensSums& sums = sums_[here];
    const double lse = sums.max + std::log(sums.mass), output = output_lse_[static_cast<size_t>(row)];
    LensPoint point;
    point.log_sum_exp = lse;
    point.entropy = std::log(sums.mass) - sums.mean / sums.mass;
    point.kl_final_lens = sums.final_gap - output + lse;
    point.kl_lens_final = sums.lens_gap / sums.mass - lse + output;
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const bool has_true = true_id(row) >= 0;
    point.true_logprob = has_true ? static_cast<double>(targets_[here * 2]) - lse : missing;
    point.true_rank = has_true ? static_cast<double>(1 + above_[here * 2]) : missing;
    point.final_rank = static_cast<double>(1 + above_[here * 2 + 1]);
    for (const Candidate& candidate : best_[here]) {
      point.top_id.push_back(candidate.id);
      point.top_prob.push_back(std::exp(candidate.logit - lse));
    }
    if (!std::isfinite(lse)) {  // logits that are not finite have no distribution
      point.entropy = point.kl_final_lens = point.kl_lens_final = point.true_logprob = missing;
      point.true_rank = point.final_rank = missing;
    }
    return point;
  }

  const Unembed& unembed_;
  std::span<const Place<T>> places_;
  Task& task_;
  int64_t rows_, sets_, d_model_;
  size_t top_k_;
  std::vector<T> output_;  // [row, vocab], the last layer's logits
  std::vector<double> output_lse_;
  std::vector<int64_t> ids_;
  // [row, set], or [row, set, 2] by target.
  std::vector<LensSums> sums_;
  std::vector<std::vector<Candidate>> best_;
  std::vector<T> targets_;
  std::vector<int64_t> above_;
  std::vector<char> moved_;
};

template <class T>
std::vector<Place<T>> places_of(std::span<const LensPrompt<T>> prompts, std::vector<LensResult>& results) {
  std::vector<Place<T>> places;
  for (size_t p = 0; p < prompts.size(); ++p) {
    const int64_t count = static_cast<int64_t>(prompts[p].tokens.size());
    results[p].points.resize(prompts[p].residuals.size() * prompts[p].tokens.size());
    for (int64_t position = 0; position < count; ++position)
      places.push_back({&prompts[p], &results[p], position});
  }
  return places;
}

// The last layer of the first positions of some prompts on the way of the other layers: it has to give what
// the output path gave.
template <class T>
void check_path(const Unembed& unembed, std::span<const LensPrompt<T>> prompts, int64_t positions,
                int64_t d_model, std::span<LensResult> results) {
  std::vector<const T*> rows;
  for (const LensPrompt<T>& prompt : prompts)
    for (int64_t i = 0; i < positions; ++i) rows.push_back(prompt.residuals.back().data() + i * d_model);
  std::vector<LensSums> sums(rows.size());
  const LensLoops<T>& loops = lens_loops<T>();
  VocabSweep<T>(unembed, rows, 1)
      .run(
          [&](int64_t, int64_t tokens, int64_t row, int64_t count, std::span<const T> logits) {
            for (int64_t at = 0; at < count * tokens; at += std::min(chunk_tokens, tokens - at % tokens)) {
              const int64_t some = std::min(chunk_tokens, tokens - at % tokens);
              LensSums& sum = sums[static_cast<size_t>(row + at / tokens)];
              const T* const z = logits.data() + at;
              sum = join(sum, loops.sums(z, loops.largest(z, some), nullptr, nullptr, some));
            }
          },
          [](int64_t, int64_t) {});
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t p = i / static_cast<size_t>(positions), position = i % static_cast<size_t>(positions);
    LensResult& result = results[p];
    const size_t last = (prompts[p].residuals.size() - 1) * prompts[p].tokens.size() + position;
    const double gap = std::abs(sums[i].max + std::log(sums[i].mass) - result.points[last].log_sum_exp);
    if (!(gap <= result.path_residual)) result.path_residual = gap;
    ++result.path_checked;
  }
}

// One position of every prompt, in one pass; BLAS gives the same bits only to the very same product.
template <class T>
void check_paths(const Unembed& unembed, std::span<const LensPrompt<T>> prompts, int64_t d_model,
                 std::vector<LensResult>& results) {
  if constexpr (std::is_same_v<T, float>) return check_path<T>(unembed, prompts, 1, d_model, results);
  for (size_t p = 0; p < prompts.size(); ++p)
    check_path<T>(unembed, prompts.subspan(p, 1),
                  std::min(static_cast<int64_t>(prompts[p].tokens.size()), Unembed::row_block), d_model,
                  std::span(results).subspan(p, 1));
}

// Where the block that begins at `begin` ends: in f64 it holds rows of one prompt, from a multiple of BLAS's
// own block on.
template <class T>
size_t block_end(const std::vector<Place<T>>& places, size_t begin) {
  constexpr int64_t most = std::is_same_v<T, float> ? lens_positions : Unembed::row_block;
  size_t end = begin + 1;
  while (end < places.size() && end < begin + static_cast<size_t>(most) &&
         (std::is_same_v<T, float> || places[end].prompt == places[begin].prompt))
    ++end;
  return end;
}

}  // namespace

template <class T>
std::vector<LensResult> lens_of_prompts(const Unembed& unembed, std::span<const LensPrompt<T>> prompts,
                                        int64_t d_model, int64_t top_k, Task& task) {
  std::vector<LensResult> results(prompts.size());
  const std::vector<Place<T>> places = places_of(prompts, results);
  if (places.empty()) return results;
  for (const LensPrompt<T>& prompt : prompts) {
    if (prompt.tokens.empty()) fail("lens: a prompt has no tokens");
    if (prompt.residuals.size() != prompts.front().residuals.size() || prompt.residuals.empty())
      fail("lens: prompts with {} and {} layers do not go together", prompt.residuals.size(),
           prompts.front().residuals.size());
    for (const std::vector<T>& layer : prompt.residuals)
      if (layer.size() != prompt.tokens.size() * static_cast<size_t>(d_model))
        fail("lens: {} values are not {} positions of {}", layer.size(), prompt.tokens.size(), d_model);
  }
  for (size_t begin = 0; begin < places.size();) {
    const size_t end = block_end(places, begin);
    const auto share = [&](size_t at) {
      return static_cast<double>(at) / static_cast<double>(places.size());
    };
    Task part = task.part(share(begin), share(end));
    Block<T>(unembed, std::span<const Place<T>>(places).subspan(begin, end - begin), d_model,
             std::min(top_k, unembed.vocab()), part)
        .read();
    begin = end;
  }
  check_paths<T>(unembed, prompts, d_model, results);
  return results;
}

template <class T>
LensResult lens_of_prompt(const Unembed& unembed, const std::vector<std::vector<T>>& residuals,
                          const std::vector<int64_t>& tokens, int64_t d_model, int64_t top_k, Task& task) {
  const LensPrompt<T> prompt{residuals, tokens};
  return lens_of_prompts<T>(unembed, std::span(&prompt, 1), d_model, top_k, task).front();
}

LensCost lens_cost(const ModelSpec& spec, int64_t longest, int64_t top_k, Compute compute) {
  const bool twice = compute == Compute::f64;
  const int64_t sets = spec.layers + 1, swept_sets = std::max<int64_t>(1, spec.layers),
                number = twice ? 8 : 4;
  const int64_t rows = twice ? std::min(longest, Unembed::row_block) : lens_positions;
  const auto kept = static_cast<int64_t>(sizeof(Candidate)) * (top_k + 1);
  const auto note = static_cast<int64_t>(sizeof(LensSums) + sizeof(std::vector<Candidate>)) + kept;
  const auto point = static_cast<int64_t>(sizeof(LensPoint)) + 16 * (top_k + 2);
  const int64_t swept = twice ? VocabSweep<double>::scratch_bytes(spec, swept_sets, rows, compute)
                              : VocabSweep<float>::scratch_bytes(spec, swept_sets, rows, compute);
  // The output path: normed rows, packed rows, a tile of logits for every thread; and the logits it leaves.
  const int64_t output =
      3 * rows * spec.d_model * number + threads() * Unembed::tile_tokens * (rows + spec.d_model) * number;
  LensCost cost;
  cost.scratch = rows * output_vocab(spec) * number + std::max(output, swept) + sets * rows * (note + 40) +
                 sets * std::max(rows, longest) * point;
  // The sums of one logit are about 60 operations beside its product.
  cost.flops_per_token = static_cast<double>(sets) * static_cast<double>(spec.vocab) *
                         (2 * static_cast<double>(spec.d_model) + 60);
  return cost;
}

template std::vector<LensResult> lens_of_prompts<float>(const Unembed&, std::span<const LensPrompt<float>>,
                                                        int64_t, int64_t, Task&);
template std::vector<LensResult> lens_of_prompts<double>(const Unembed&, std::span<const LensPrompt<double>>,
                                                         int64_t, int64_t, Task&);
template LensResult lens_of_prompt<float>(const Unembed&, const std::vector<std::vector<float>>&,
                                          const std::vector<int64_t>&, int64_t, int64_t, Task&);
template LensResult lens_of_prompt<double>(const Unembed&, const std::vector<std::vector<double>>&,
                                           const std::vector<int64_t>&, int64_t, int64_t, Task&);

}  // namespace varve
