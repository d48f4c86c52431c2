// One pass over vocabulary tiles serves all layers; a second pass counts ranks, which need the target's logit
// first.
//
// Per tile and row we keep m = max z, s = sum e^(z-m), a = sum e^(z-m)(z-m), u = sum p_f (z_f - z), w = sum
// e^(z-m)(z - z_f); tiles are merged in vocabulary order, so that threads never change a bit. Then
//   entropy = log s - a/s,  KL(f||p) = u - lse_f + lse,  KL(p||f) = w/s - lse + lse_f.
#include "analysis/lens.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <type_traits>

namespace varve {
namespace {

constexpr int64_t lanes = 16;

// e^x for x <= 0 in single precision, within 2 units in the last place; plain arithmetic, so the compiler
// makes vectors of it. Cody-Waite reduction x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor polynomial
// of degree 7.
inline float exp_nonpositive(float x) {
  const float clamped = x > -87.0F ? x : -87.0F;  // NaN too: its cast to int would be undefined
  const float n = std::floor(clamped * 1.44269504F + 0.5F);
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const float scale = std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
  return x > -87.0F ? p * scale : (x <= -87.0F ? 0.0F : x);
}
inline double exp_nonpositive(double x) { return std::exp(x); }

template <class T>
T largest(std::span<const T> z) {
  T best[lanes];
  std::fill(best, best + lanes, -std::numeric_limits<T>::infinity());
  const int64_t whole = static_cast<int64_t>(z.size()) / lanes * lanes;
  for (int64_t i = 0; i < whole; i += lanes)
    for (int64_t j = 0; j < lanes; ++j) best[j] = std::max(best[j], z[static_cast<size_t>(i + j)]);
  for (size_t i = static_cast<size_t>(whole); i < z.size(); ++i) best[0] = std::max(best[0], z[i]);
  return *std::max_element(best, best + lanes);
}

struct Sums {
  double max = -std::numeric_limits<double>::infinity();
  double mass = 0, mean = 0, final_gap = 0, lens_gap = 0;
};

double fold(const double* partial) {
  double sum = 0;
  for (int64_t j = 0; j < lanes; ++j) sum += partial[j];
  return sum;
}

// Sums of one row of one tile. z_f and its log-sum-exp may be absent (the first pass over the output itself).
template <class T>
Sums sum_tile(std::span<const T> z, std::span<const T> z_final, std::span<const T> p_final) {
  Sums sums;
  const T top = largest(z);
  sums.max = top;
  if (!std::isfinite(top)) return sums;
  double mass[lanes] = {}, mean[lanes] = {}, final_gap[lanes] = {}, lens_gap[lanes] = {};
  const bool both = !z_final.empty();
  const int64_t count = static_cast<int64_t>(z.size());
  for (int64_t i = 0; i < count; i += lanes) {
    const int64_t width = std::min(lanes, count - i);
    const T* row = z.data() + i;
    T e[lanes];
    for (int64_t j = 0; j < width; ++j) e[j] = exp_nonpositive(row[j] - top);
    for (int64_t j = 0; j < width; ++j) mass[j] += static_cast<double>(e[j]);
    for (int64_t j = 0; j < width; ++j)
      mean[j] += static_cast<double>(e[j]) * static_cast<double>(row[j] - top);
    if (!both) continue;
    const T* last = z_final.data() + i;
    const T* p = p_final.data() + i;
    for (int64_t j = 0; j < width; ++j) {
      const double gap = static_cast<double>(last[j]) - static_cast<double>(row[j]);
      final_gap[j] += static_cast<double>(p[j]) * gap;
      lens_gap[j] -= static_cast<double>(e[j]) * gap;
    }
  }
  sums.mass = fold(mass);
  sums.mean = fold(mean);
  sums.final_gap = fold(final_gap);
  sums.lens_gap = fold(lens_gap);
  return sums;
}

// Two stretches of the vocabulary joined; the order of calls is fixed by the caller.
Sums join(const Sums& a, const Sums& b) {
  if (!(b.max > -std::numeric_limits<double>::infinity())) return a;
  if (!(a.max > -std::numeric_limits<double>::infinity())) return b;
  const double top = std::max(a.max, b.max);
  const double scale_a = std::exp(a.max - top), scale_b = std::exp(b.max - top);
  Sums joined;
  joined.max = top;
  joined.mass = a.mass * scale_a + b.mass * scale_b;
  joined.mean = (a.mean + a.mass * (a.max - top)) * scale_a + (b.mean + b.mass * (b.max - top)) * scale_b;
  joined.final_gap = a.final_gap + b.final_gap;
  joined.lens_gap = a.lens_gap * scale_a + b.lens_gap * scale_b;
  return joined;
}

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

// What one tile says of a block of rows: sums and candidates [set, row].
struct TileNote {
  std::vector<Sums> sums;
  std::vector<std::vector<Candidate>> best;
};

struct RowTarget {
  int64_t true_id = -1, final_id = -1;
};

// The statistics of rows [0, rows) of one block, all sets.
template <class T>
class Block {
 public:
  Block(const Unembed& unembed, std::vector<std::span<const T>> residuals, int64_t rows, int64_t top_k)
      : unembed_(unembed), residuals_(std::move(residuals)), rows_(rows), top_k_(static_cast<size_t>(top_k)) {
    tiles_ = static_cast<size_t>((unembed.vocab() + Unembed::tile_tokens - 1) / Unembed::tile_tokens);
  }

  // The model's own output path: log-sum-exp and top-1 of the last residual.
  void read_output() {
    std::vector<TileNote> notes(tiles_);
    unembed_.run(residuals_.back(), rows_, [&](int64_t first, int64_t tokens, std::span<const T> logits) {
      TileNote& note = notes[static_cast<size_t>(first / Unembed::tile_tokens)];
      note.sums.resize(static_cast<size_t>(rows_));
      note.best.resize(static_cast<size_t>(rows_));
      for (int64_t r = 0; r < rows_; ++r) {
        const std::span<const T> z =
            logits.subspan(static_cast<size_t>(r * tokens), static_cast<size_t>(tokens));
        note.sums[static_cast<size_t>(r)] = sum_tile<T>(z, {}, {});
        keep_best(z, first, 1, note.best[static_cast<size_t>(r)]);
      }
    });
    output_lse_.assign(static_cast<size_t>(rows_), 0);
    targets_.assign(static_cast<size_t>(rows_), {});
    for (size_t r = 0; r < static_cast<size_t>(rows_); ++r) {
      Sums all;
      Candidate best;
      for (const TileNote& note : notes) {
        all = join(all, note.sums[r]);
        if (!note.best[r].empty() && note.best[r].front().beats(best)) best = note.best[r].front();
      }
      output_lse_[r] = all.max + std::log(all.mass);
      targets_[r].final_id = best.id;
    }
  }

  void read_layers() {
    std::vector<TileNote> notes(tiles_);
    for (TileNote& note : notes) {
      note.sums.resize(residuals_.size() * static_cast<size_t>(rows_));
      note.best.resize(note.sums.size());
    }
    target_logit_.assign(residuals_.size() * static_cast<size_t>(rows_) * 2,
                         std::numeric_limits<double>::quiet_NaN());
    unembed_.run_sets(residuals_, rows_,
                      [&](int64_t first, int64_t tokens, int64_t row, int64_t rows,
                          std::span<const std::span<const T>> logits) {
                        TileNote& note = notes[static_cast<size_t>(first / Unembed::tile_tokens)];
                        std::vector<T> p_final(static_cast<size_t>(tokens));
                        for (int64_t r = 0; r < rows; ++r) {
                          const std::span<const T> z_final = piece(logits.back(), r, tokens);
                          const T lse = static_cast<T>(output_lse_[static_cast<size_t>(row + r)]);
                          for (size_t i = 0; i < p_final.size(); ++i)
                            p_final[i] = exp_nonpositive(std::min(z_final[i] - lse, T(0)));
                          for (size_t set = 0; set < logits.size(); ++set) {
                            const size_t at = set * static_cast<size_t>(rows_) + static_cast<size_t>(row + r);
                            const std::span<const T> z = piece(logits[set], r, tokens);
                            note.sums[at] = sum_tile<T>(z, z_final, p_final);
                            keep_best(z, first, top_k_, note.best[at]);
                            take_targets(z, first, tokens, at, static_cast<size_t>(row + r));
                          }
                        }
                      });
    merge(notes);
  }

  // 1 + how many tokens beat the target.
  void count_ranks() {
    std::vector<int64_t> counts(tiles_ * residuals_.size() * static_cast<size_t>(rows_) * 2, 0);
    unembed_.run_sets(
        residuals_, rows_,
        [&](int64_t first, int64_t tokens, int64_t row, int64_t rows,
            std::span<const std::span<const T>> logits) {
          const size_t tile = static_cast<size_t>(first / Unembed::tile_tokens);
          for (int64_t r = 0; r < rows; ++r)
            for (size_t set = 0; set < logits.size(); ++set) {
              const size_t at = set * static_cast<size_t>(rows_) + static_cast<size_t>(row + r);
              const std::span<const T> z = piece(logits[set], r, tokens);
              for (size_t which = 0; which < 2; ++which) {
                const T target = static_cast<T>(target_logit_[at * 2 + which]);
                int64_t above = 0;
                for (const T value : z) above += value > target ? 1 : 0;
                counts[(tile * residuals_.size() * static_cast<size_t>(rows_) + at) * 2 + which] = above;
              }
            }
        });
    const size_t places = residuals_.size() * static_cast<size_t>(rows_) * 2;
    ranks_.assign(places, 1);
    for (size_t tile = 0; tile < tiles_; ++tile)
      for (size_t i = 0; i < places; ++i) ranks_[i] += counts[tile * places + i];
  }

  void set_true_ids(std::span<const int64_t> next) {
    // A token without a logit (vocab_out) is no target.
    for (size_t r = 0; r < next.size(); ++r) targets_[r].true_id = next[r] < unembed_.vocab() ? next[r] : -1;
  }

  LensPoint point(size_t set, size_t row) const {
    const size_t at = set * static_cast<size_t>(rows_) + row;
    const Sums& sums = merged_[at];
    const double lse = sums.max + std::log(sums.mass);
    LensPoint point;
    point.log_sum_exp = lse;
    point.entropy = std::log(sums.mass) - sums.mean / sums.mass;
    point.kl_final_lens = sums.final_gap - output_lse_[row] + lse;
    point.kl_lens_final = sums.lens_gap / sums.mass - lse + output_lse_[row];
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const bool has_true = targets_[row].true_id >= 0;
    point.true_logprob = has_true ? target_logit_[at * 2] - lse : missing;
    point.true_rank = has_true ? static_cast<double>(ranks_[at * 2]) : missing;
    point.final_rank = static_cast<double>(ranks_[at * 2 + 1]);
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

  double path_residual() const {
    double worst = 0;
    for (size_t r = 0; r < static_cast<size_t>(rows_); ++r) {
      const Sums& last = merged_[(residuals_.size() - 1) * static_cast<size_t>(rows_) + r];
      const double gap = std::abs(last.max + std::log(last.mass) - output_lse_[r]);
      if (!(gap <= worst)) worst = gap;
    }
    return worst;
  }

 private:
  std::span<const T> piece(std::span<const T> logits, int64_t row, int64_t tokens) const {
    return logits.subspan(static_cast<size_t>(row * tokens), static_cast<size_t>(tokens));
  }
  void take_targets(std::span<const T> z, int64_t first, int64_t tokens, size_t at, size_t row) {
    const int64_t ids[2] = {targets_[row].true_id, targets_[row].final_id};
    for (size_t which = 0; which < 2; ++which)
      if (ids[which] >= first && ids[which] < first + tokens)
        target_logit_[at * 2 + which] = static_cast<double>(z[static_cast<size_t>(ids[which] - first)]);
  }
  void merge(std::vector<TileNote>& notes) {
    merged_.assign(residuals_.size() * static_cast<size_t>(rows_), {});
    best_.assign(merged_.size(), {});
    for (size_t at = 0; at < merged_.size(); ++at) {
      std::vector<Candidate> all;
      for (const TileNote& note : notes) {
        merged_[at] = join(merged_[at], note.sums[at]);
        all.insert(all.end(), note.best[at].begin(), note.best[at].end());
      }
      const size_t kept = std::min(top_k_, all.size());
      std::partial_sort(all.begin(), all.begin() + static_cast<int64_t>(kept), all.end(),
                        [](const Candidate& a, const Candidate& b) { return a.beats(b); });
      all.resize(kept);
      best_[at] = std::move(all);
    }
  }

  const Unembed& unembed_;
  std::vector<std::span<const T>> residuals_;
  int64_t rows_;
  size_t top_k_, tiles_ = 0;
  std::vector<double> output_lse_, target_logit_;
  std::vector<RowTarget> targets_;
  std::vector<Sums> merged_;
  std::vector<std::vector<Candidate>> best_;
  std::vector<int64_t> ranks_;
};

}  // namespace

template <class T>
LensResult lens_of_prompt(const Unembed& unembed, const std::vector<std::vector<T>>& residuals,
                          const std::vector<int64_t>& tokens, int64_t d_model, int64_t top_k, Task& task) {
  const int64_t count = static_cast<int64_t>(tokens.size());
  LensResult result;
  result.points.resize(residuals.size() * tokens.size());
  std::vector<int64_t> next(tokens.begin() + 1, tokens.end());
  next.push_back(-1);
  for (int64_t begin = 0; begin < count; begin += Unembed::row_block) {
    const int64_t rows = std::min(Unembed::row_block, count - begin);
    std::vector<std::span<const T>> sets;
    for (const std::vector<T>& layer : residuals)
      sets.push_back(std::span<const T>(layer).subspan(static_cast<size_t>(begin * d_model),
                                                       static_cast<size_t>(rows * d_model)));
    Block<T> block(unembed, std::move(sets), rows, std::min(top_k, unembed.vocab()));
    block.read_output();
    block.set_true_ids(
        std::span<const int64_t>(next).subspan(static_cast<size_t>(begin), static_cast<size_t>(rows)));
    task.step(begin * 3 + rows, count * 3);
    block.read_layers();
    task.step(begin * 3 + 2 * rows, count * 3);
    block.count_ranks();
    for (size_t set = 0; set < residuals.size(); ++set)
      for (int64_t r = 0; r < rows; ++r)
        result.points[set * tokens.size() + static_cast<size_t>(begin + r)] =
            block.point(set, static_cast<size_t>(r));
    const double gap = block.path_residual();
    if (!(gap <= result.path_residual)) result.path_residual = gap;
    task.step((begin + rows) * 3, count * 3);
  }
  return result;
}

template LensResult lens_of_prompt<float>(const Unembed&, const std::vector<std::vector<float>>&,
                                          const std::vector<int64_t>&, int64_t, int64_t, Task&);
template LensResult lens_of_prompt<double>(const Unembed&, const std::vector<std::vector<double>>&,
                                           const std::vector<int64_t>&, int64_t, int64_t, Task&);

}  // namespace varve
