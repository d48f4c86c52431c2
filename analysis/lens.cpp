// One pass over vocabulary tiles serves all layers: the logits that ranks are counted against are known
// before it, from products with the target tokens alone.
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
    read_output();
    task_.step(1, 20);
    const VocabSweep<T> sweep = swept();
    find_targets(sweep);
    read_layers(sweep);
    // BLAS may sum a product with a few tokens in another order than one with many; then ranks are counted
    // anew.
    if (std::find(moved_.begin(), moved_.end(), 1) != moved_.end()) count_ranks(sweep);
    for (int64_t row = 0; row < rows_; ++row) hand_over(row);
  }

 private:
  const LensLoops<T>& loops_ = lens_loops<T>();
  const T* stream(int64_t row, int64_t set) const {
    const Place<T>& place = places_[static_cast<size_t>(row)];
    return place.prompt->residuals[static_cast<size_t>(set)].data() + place.position * d_model_;
  }

  VocabSweep<T> swept() const {
    std::vector<const T*> rows;
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t set = 0; set < sets_; ++set) rows.push_back(stream(row, set));
    return VocabSweep<T>(unembed_, rows, sets_);
  }

  // The model's own output path: log-sum-exp and top-1 of the last residual.
  void read_output() {
    std::vector<T> last(static_cast<size_t>(rows_ * d_model_));
    for (int64_t row = 0; row < rows_; ++row)
      std::copy_n(stream(row, sets_ - 1), d_model_, last.begin() + row * d_model_);
    const int64_t chunks = (unembed_.vocab() + chunk_tokens - 1) / chunk_tokens;
    std::vector<LensSums> sums(static_cast<size_t>(chunks * rows_));
    std::vector<Candidate> best(sums.size());
    unembed_.run(last, rows_, [&](int64_t first, int64_t tokens, std::span<const T> logits) {
      if (task_.stop_requested()) throw Stopped();
      for (int64_t row = 0; row < rows_; ++row)
        for (int64_t begin = 0; begin < tokens; begin += chunk_tokens) {
          const int64_t count = std::min(chunk_tokens, tokens - begin);
          const T* const z = logits.data() + row * tokens + begin;
          const auto at = static_cast<size_t>((first + begin) / chunk_tokens * rows_ + row);
          const T top = loops_.largest(z, count);
          sums[at] = loops_.sums(z, top, nullptr, nullptr, count);
          const T* const found = std::find(z, z + count, top);
          if (found != z + count) best[at] = {static_cast<double>(top), first + begin + (found - z)};
        }
    });
    output_lse_.assign(static_cast<size_t>(rows_), 0);
    final_id_.assign(static_cast<size_t>(rows_), -1);
    for (int64_t row = 0; row < rows_; ++row) {
      LensSums all;
      Candidate winner;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        const auto at = static_cast<size_t>(chunk * rows_ + row);
        all = join(all, sums[at]);
        if (best[at].beats(winner)) winner = best[at];
      }
      output_lse_[static_cast<size_t>(row)] = all.max + std::log(all.mass);
      final_id_[static_cast<size_t>(row)] = winner.id;
    }
  }

  // A token without a logit (vocab_out) is no target.
  int64_t true_id(int64_t row) const {
    const int64_t id = places_[static_cast<size_t>(row)].true_id();
    return id < unembed_.vocab() ? id : -1;
  }

  // ids_ [row, 2]: the true next token and the model's own answer; where there is none, token 0 stands in and
  // its rank is not shown.
  void find_targets(const VocabSweep<T>& sweep) {
    ids_.clear();
    for (int64_t row = 0; row < rows_; ++row) {
      ids_.push_back(std::max<int64_t>(true_id(row), 0));
      ids_.push_back(std::max<int64_t>(final_id_[static_cast<size_t>(row)], 0));
    }
    targets_ = sweep.logits_of(ids_, 2);
  }

  void read_layers(const VocabSweep<T>& sweep) {
    const auto all = static_cast<size_t>(rows_ * sets_);
    sums_.assign(all, {});
    best_.assign(all, {});
    above_.assign(all * 2, 0);
    moved_.assign(all * 2, 0);
    sweep.run(
        [&](int64_t first, int64_t tokens, int64_t row, int64_t rows, std::span<const T> logits) {
          if (task_.stop_requested()) throw Stopped();
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t begin = 0; begin < tokens; begin += chunk_tokens)
              read_chunk(first + begin, std::min(chunk_tokens, tokens - begin), row + r,
                         logits.data() + r * sets_ * tokens + begin, tokens);
        },
        [&](int64_t done, int64_t total) { task_.step(total + done * 19, total * 20); });
  }

  // z: this row's logits of the first layer; each further layer lies `stride` on.
  void read_chunk(int64_t first, int64_t count, int64_t row, const T* z, int64_t stride) {
    const T* const last = z + (sets_ - 1) * stride;
    T p[chunk_tokens];
    loops_.softmax(last, static_cast<T>(output_lse_[static_cast<size_t>(row)]), count, p);
    for (int64_t set = 0; set < sets_; ++set, z += stride) {
      const auto at = static_cast<size_t>(row * sets_ + set);
      const T top = loops_.largest(z, count);
      sums_[at] = join(sums_[at], loops_.sums(z, top, last, p, count));
      std::vector<Candidate>& best = best_[at];
      if (best.size() < top_k_ || static_cast<double>(top) > best.back().logit)
        keep_best(std::span<const T>(z, static_cast<size_t>(count)), first, top_k_, best);
      for (size_t which = 0; which < 2; ++which) {
        T& target = targets_[at * 2 + which];
        if (top > target) above_[at * 2 + which] += loops_.above(z, target, count);
        const int64_t id = ids_[static_cast<size_t>(row) * 2 + which] - first;
        if (id < 0 || id >= count || z[id] == target) continue;
        target = z[id];
        moved_[at * 2 + which] = 1;
      }
    }
  }

  // 1 + how many tokens beat the target, against the very logits that were shown.
  void count_ranks(const VocabSweep<T>& sweep) {
    std::fill(above_.begin(), above_.end(), 0);
    sweep.run(
        [&](int64_t, int64_t tokens, int64_t row, int64_t rows, std::span<const T> logits) {
          for (int64_t r = 0; r < rows * sets_; ++r)
            for (size_t which = 0; which < 2; ++which) {
              const auto at = static_cast<size_t>(row * sets_ + r) * 2 + which;
              above_[at] += loops_.above(logits.data() + r * tokens, targets_[at], tokens);
            }
        },
        [&](int64_t, int64_t) { task_.step(1, 1); });
  }

  void hand_over(int64_t row) {
    const Place<T>& place = places_[static_cast<size_t>(row)];
    const int64_t count = static_cast<int64_t>(place.prompt->tokens.size());
    for (int64_t set = 0; set < sets_; ++set)
      place.result->points[static_cast<size_t>(set * count + place.position)] = point(set, row);
    const LensSums& last = sums_[static_cast<size_t>(row * sets_ + sets_ - 1)];
    const double gap = std::abs(last.max + std::log(last.mass) - output_lse_[static_cast<size_t>(row)]);
    if (!(gap <= place.result->path_residual)) place.result->path_residual = gap;
  }

  LensPoint point(int64_t set, int64_t row) const {
    const auto at = static_cast<size_t>(row * sets_ + set);
    const LensSums& sums = sums_[at];
    const double lse = sums.max + std::log(sums.mass), output = output_lse_[static_cast<size_t>(row)];
    LensPoint point;
    point.log_sum_exp = lse;
    point.entropy = std::log(sums.mass) - sums.mean / sums.mass;
    point.kl_final_lens = sums.final_gap - output + lse;
    point.kl_lens_final = sums.lens_gap / sums.mass - lse + output;
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const bool has_true = true_id(row) >= 0;
    point.true_logprob = has_true ? static_cast<double>(targets_[at * 2]) - lse : missing;
    point.true_rank = has_true ? static_cast<double>(1 + above_[at * 2]) : missing;
    point.final_rank = static_cast<double>(1 + above_[at * 2 + 1]);
    for (const Candidate& candidate : best_[at]) {
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
  std::vector<double> output_lse_;
  std::vector<int64_t> final_id_, ids_;
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
  for (const LensPrompt<T>& prompt : prompts) {
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
  const int64_t sets = spec.layers + 1, number = twice ? 8 : 4;
  const int64_t rows = twice ? std::min(longest, Unembed::row_block) : lens_positions;
  const int64_t chunks = (spec.vocab + chunk_tokens - 1) / chunk_tokens;
  const auto kept = static_cast<int64_t>(sizeof(Candidate)) * (top_k + 1);
  const auto note = static_cast<int64_t>(sizeof(LensSums) + sizeof(std::vector<Candidate>)) + kept;
  const auto point = static_cast<int64_t>(sizeof(LensPoint)) + 16 * (top_k + 2);
  const int64_t swept = twice ? VocabSweep<double>::scratch_bytes(spec, sets, rows, compute)
                              : VocabSweep<float>::scratch_bytes(spec, sets, rows, compute);
  // The output path: normed rows, packed rows, a tile of logits for every thread, what is noted of each
  // chunk.
  const int64_t output = 3 * rows * spec.d_model * number +
                         threads() * Unembed::tile_tokens * (rows + spec.d_model) * number +
                         chunks * rows * static_cast<int64_t>(sizeof(LensSums) + sizeof(Candidate));
  LensCost cost;
  cost.scratch = std::max(output, swept + sets * rows * (note + 40)) + sets * std::max(rows, longest) * point;
  // Once the output, once every layer; the sums of one logit are about 60 operations beside its product.
  cost.flops_per_token = static_cast<double>(sets + 1) * static_cast<double>(spec.vocab) *
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
