// Final norm and unembedding, one vocabulary tile at a time.
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/forward.h"
#include "analysis/model/kernels.h"

namespace varve {
namespace {

template <class T>
struct Vectors {
  NormWeights<T> norm;
  std::vector<T> bias;
};

template <class T>
Vectors<T> vectors_of(const Weights& weights) {
  return {norm_weights<T>(weights, "ln_final"), vector_if_any<T>(weights, "unembed.b_U")};
}

}  // namespace

struct Unembed::Inner {
  Matrix w;
  double scale = 1, softcap = 0;
  Compute compute = Compute::f32;
  Vectors<float> f32;
  Vectors<double> f64;  // filled in f64 mode only

  template <class T>
  const Vectors<T>& vectors() const {
    if constexpr (std::is_same_v<T, float>)
      return f32;
    else
      return f64;
  }

  template <class T>
  void finish(int64_t first, int64_t tokens, std::vector<T>& logits) const {
    const std::vector<T>& bias = vectors<T>().bias;
    const T factor = static_cast<T>(scale), cap = static_cast<T>(softcap);
    for (size_t row = 0; row < logits.size(); row += static_cast<size_t>(tokens))
      for (size_t token = 0; token < static_cast<size_t>(tokens); ++token) {
        T& logit = logits[row + token];
        if (!bias.empty()) logit += bias[static_cast<size_t>(first) + token];
        if (scale != 1) logit *= factor;
        if (softcap > 0) logit = cap * std::tanh(logit / cap);
      }
  }

  template <class T, class Tile>
  void run(std::span<const T> resid, int64_t count, const Tile& tile) const {
    const int64_t width = w.columns;
    if (count < 1 || static_cast<int64_t>(resid.size()) != count * width)
      fail("unembedding: {} values are not {} rows of {}", resid.size(), count, width);
    std::vector<T> normed(resid.size());
    norm_rows(vectors<T>().norm, resid.data(), count, width, normed.data());
    struct Scratch {
      std::vector<T> rows, logits;
    };
    std::vector<Scratch> scratch(static_cast<size_t>(threads()));
    parallel_for((w.rows + tile_tokens - 1) / tile_tokens, [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      const int64_t first = piece * tile_tokens, tokens = std::min(tile_tokens, w.rows - first);
      const RowsOf<const T> rows = rows_in(w, first, tokens, own.rows);
      own.logits.resize(static_cast<size_t>(count * tokens));
      for (int64_t row = 0; row < count; row += row_block)
        multiply_turned<T>(std::min(row_block, count - row), tokens, width, T{1},
                           {normed.data() + row * width, width}, rows,
                           {own.logits.data() + row * tokens, tokens});
      finish(first, tokens, own.logits);
      tile(first, tokens, std::span<const T>(own.logits));
    });
  }

  template <class T, class Tile>
  void run_sets(std::span<const std::span<const T>> residuals, int64_t count, const Tile& tile) const {
    const int64_t width = w.columns;
    std::vector<std::vector<T>> normed(residuals.size());
    for (size_t set = 0; set < residuals.size(); ++set) {
      if (count < 1 || static_cast<int64_t>(residuals[set].size()) != count * width)
        fail("unembedding: {} values are not {} rows of {}", residuals[set].size(), count, width);
      normed[set].resize(residuals[set].size());
      norm_rows(vectors<T>().norm, residuals[set].data(), count, width, normed[set].data());
    }
    struct Scratch {
      std::vector<T> rows;
      std::vector<std::vector<T>> logits;
    };
    std::vector<Scratch> scratch(static_cast<size_t>(threads()));
    parallel_for((w.rows + tile_tokens - 1) / tile_tokens, [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      own.logits.resize(residuals.size());
      const int64_t first = piece * tile_tokens, tokens = std::min(tile_tokens, w.rows - first);
      const RowsOf<const T> rows = rows_in(w, first, tokens, own.rows);
      std::vector<std::span<const T>> views(residuals.size());
      for (int64_t row = 0; row < count; row += row_block) {
        const int64_t height = std::min(row_block, count - row);
        for (size_t set = 0; set < residuals.size(); ++set) {
          std::vector<T>& logits = own.logits[set];
          logits.resize(static_cast<size_t>(height * tokens));
          multiply_turned<T>(height, tokens, width, T{1}, {normed[set].data() + row * width, width}, rows,
                             {logits.data(), tokens});
          finish(first, tokens, logits);
          views[set] = logits;
        }
        tile(first, tokens, row, height, std::span<const std::span<const T>>(views));
      }
    });
  }
};

Unembed::Unembed(const Weights& weights, Compute compute) : inner_(std::make_unique<Inner>()) {
  const ModelSpec& spec = weights.spec();
  const bool own = weights.has("unembed.W_U") || !spec.tied;
  inner_->w = weights.matrix(own ? "unembed.W_U" : "embed.W_E");
  if (inner_->w.columns != spec.d_model || inner_->w.rows != output_vocab(spec))
    fail("the unembedding is {} x {} but the model has a vocabulary of {} and width {}", inner_->w.rows,
         inner_->w.columns, output_vocab(spec), spec.d_model);
  inner_->scale = spec.logit_scale;
  inner_->softcap = spec.logit_softcap;
  inner_->compute = compute;
  inner_->f32 = vectors_of<float>(weights);  // `normalised` reads these in every mode
  if (compute == Compute::f64) inner_->f64 = vectors_of<double>(weights);
  const std::vector<float>& bias = inner_->f32.bias;
  if (!bias.empty() && static_cast<int64_t>(bias.size()) != output_vocab(spec))
    fail("the unembedding's bias has {} values for a vocabulary of {}", bias.size(), output_vocab(spec));
}

Unembed::~Unembed() = default;

int64_t Unembed::vocab() const { return inner_->w.rows; }

void Unembed::run(std::span<const float> resid, int64_t count, const Tile& tile) const {
  inner_->run(resid, count, tile);
}

void Unembed::run(std::span<const double> resid, int64_t count, const Tile64& tile) const {
  if (inner_->compute != Compute::f64) fail("unembedding: f64 rows were given to an f32 unembedding");
  inner_->run(resid, count, tile);
}

void Unembed::run_sets(std::span<const std::span<const float>> residuals, int64_t count,
                       const SetTile& tile) const {
  inner_->run_sets(residuals, count, tile);
}

void Unembed::run_sets(std::span<const std::span<const double>> residuals, int64_t count,
                       const SetTile64& tile) const {
  if (inner_->compute != Compute::f64) fail("unembedding: f64 rows were given to an f32 unembedding");
  inner_->run_sets(residuals, count, tile);
}

std::vector<float> Unembed::normalised(std::span<const float> resid, int64_t count) const {
  const int64_t width = inner_->w.columns;
  if (count < 0 || static_cast<int64_t>(resid.size()) != count * width)
    fail("final norm: {} values are not {} rows of {}", resid.size(), count, width);
  std::vector<float> normed(resid.size());
  norm_rows(inner_->f32.norm, resid.data(), count, width, normed.data());
  return normed;
}

}  // namespace varve
