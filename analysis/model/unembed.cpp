// Final norm and unembedding, one vocabulary tile at a time.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/forward.h"
#include "analysis/model/kernels.h"
#include "analysis/model/output_map.h"
#include "analysis/model/packed_rows.h"

namespace varve {
namespace {

template <class T>
OutputMap::Vectors<T> vectors_of(const Weights& weights) {
  return {norm_weights<T>(weights, "ln_final"), vector_if_any<T>(weights, "unembed.b_U")};
}

}  // namespace

struct Unembed::Inner : OutputMap {
  // The rows of one prompt against every tile of the vocabulary.
  template <class T, class Tile>
  void run(std::span<const T> resid, int64_t count, const Tile& tile) const {
    const int64_t width = w.columns;
    if (count < 1 || static_cast<int64_t>(resid.size()) != count * width)
      fail("unembedding: {} values are not {} rows of {}", resid.size(), count, width);
    std::vector<T> normed(resid.size());
    norm_rows(vectors<T>().norm, resid.data(), count, width, normed.data());
    multiply_tiles<T>(normed, count, tile);
  }

  template <class T, class Tile>
  void multiply_tiles(std::span<const T> normed, int64_t count, const Tile& tile) const {
    const int64_t width = w.columns;
    if (count < 1 || static_cast<int64_t>(normed.size()) != count * width)
      fail("unembedding: {} values are not {} rows of {}", normed.size(), count, width);
    [[maybe_unused]] PackedRows packed;
    if constexpr (std::is_same_v<T, float>)
      packed.pack(gemm_kernel(compute), {normed.data(), width}, count, width);
    struct Scratch {
      std::vector<T> rows, logits;
      PackedBytes panels;
    };
    std::vector<Scratch> scratch(static_cast<size_t>(threads()));
    parallel_for((w.rows + tile_tokens - 1) / tile_tokens, [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      const int64_t first = piece * tile_tokens, tokens = std::min(tile_tokens, w.rows - first);
      own.logits.resize(static_cast<size_t>(count * tokens));
      if constexpr (std::is_same_v<T, float>) {
        const GemmKernel& kernel = gemm_kernel(compute);
        std::byte* const panels = own.panels.sized(kernel.panels(tokens) * kernel.panel_bytes(width));
        pack_weights(kernel, w, first, tokens, panels, own.rows);
        for (int64_t row = 0; row < count; row += kernel.rows)
          kernel.multiply(std::min(kernel.rows, count - row), tokens, width, packed.block(row / kernel.rows),
                          panels, own.logits.data() + row * tokens, tokens);
      } else {
        const RowsOf<const T> rows = rows_in(w, first, tokens, own.rows);
        for (int64_t row = 0; row < count; row += row_block)
          multiply_turned<T>(std::min(row_block, count - row), tokens, width, T{1},
                             {normed.data() + row * width, width}, rows,
                             {own.logits.data() + row * tokens, tokens});
      }
      finish(first, tokens, count, own.logits.data());
      tile(first, tokens, std::span<const T>(own.logits));
      if (frugal) release_rows(w, first, tokens);
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
  inner_->frugal = weights.frugal();
  inner_->scale = spec.logit_scale;
  inner_->softcap = spec.logit_softcap;
  inner_->compute = compute;
  inner_->f32 = vectors_of<float>(weights);  // `normalised` reads these in every mode
  if (compute == Compute::f64) inner_->f64 = vectors_of<double>(weights);
  const std::vector<float>& bias = inner_->f32.bias;
  if (!bias.empty() && static_cast<int64_t>(bias.size()) != output_vocab(spec))
    fail("the unembedding's bias has {} values for a vocabulary of {}", bias.size(), output_vocab(spec));
}

Unembed::~Unembed() { release_rows(inner_->w, 0, inner_->w.rows); }

int64_t Unembed::vocab() const { return inner_->w.rows; }

void Unembed::run(std::span<const float> resid, int64_t count, const Tile& tile) const {
  inner_->run(resid, count, tile);
}

void Unembed::run(std::span<const double> resid, int64_t count, const Tile64& tile) const {
  if (inner_->compute != Compute::f64) fail("unembedding: f64 rows were given to an f32 unembedding");
  inner_->run(resid, count, tile);
}

void Unembed::run_normalised(std::span<const float> normed, int64_t count, const Tile& tile) const {
  inner_->multiply_tiles(normed, count, tile);
}

void Unembed::run_normalised(std::span<const double> normed, int64_t count, const Tile64& tile) const {
  if (inner_->compute != Compute::f64) fail("unembedding: f64 rows were given to an f32 unembedding");
  inner_->multiply_tiles(normed, count, tile);
}

const OutputMap& Unembed::map() const { return *inner_; }

std::vector<float> Unembed::normalised(std::span<const float> resid, int64_t count) const {
  const int64_t width = inner_->w.columns;
  if (count < 0 || static_cast<int64_t>(resid.size()) != count * width)
    fail("final norm: {} values are not {} rows of {}", resid.size(), count, width);
  std::vector<float> normed(resid.size());
  norm_rows(inner_->f32.norm, resid.data(), count, width, normed.data());
  return normed;
}

}  // namespace varve
