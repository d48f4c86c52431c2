// Many residual streams of the same positions (the lens: one a layer) past the whole vocabulary at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "analysis/model/forward.h"

namespace varve {

// rows: [count, sets] pointers to d_model values each, kept alive by the caller while this is built. T is
// float (f32, bf16) or double (f64). In f64 the rows must be of ONE prompt, from its first or from a multiple
// of Unembed::row_block on; otherwise they may be of any.
template <class T>
class VocabSweep {
 public:
  VocabSweep(const Unembed& unembed, std::span<const T* const> rows, int64_t sets);
  ~VocabSweep();

  // ids [count, each] -> the logits of these tokens only, [count, sets, each]. In f32 and bf16 they are the
  // very bits that `run` shows.
  std::vector<T> logits_of(std::span<const int64_t> ids, int64_t each) const;

  // tile(first, tokens, row, rows, logits [rows, sets, tokens]). The tiles of one row come in the order of
  // the vocabulary, those of different rows from several threads at once; so a sum over the vocabulary
  // depends on no thread. between(done, total) is called on the calling thread after every few tiles.
  using Tile = std::function<void(int64_t first, int64_t tokens, int64_t row, int64_t rows,
                                  std::span<const T> logits)>;
  using Between = std::function<void(int64_t done, int64_t total)>;
  void run(const Tile& tile, const Between& between) const;

  static int64_t scratch_bytes(const ModelSpec& spec, int64_t sets, int64_t count, Compute compute);

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

extern template class VocabSweep<float>;
extern template class VocabSweep<double>;

}  // namespace varve
