// Groups of vocabulary rows are packed by all threads, then every piece of positions meets the group: the
// packed rows serve all layers and all positions, and no more logits exist than one piece and tile have.
#include "analysis/model/vocab_sweep.h"

#include <algorithm>
#include <type_traits>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/output_map.h"
#include "analysis/model/packed_rows.h"

namespace varve {
namespace {

// Tokens packed at once, and of these the ones whose logits are shown at once: packed rows and logits of a
// tile stay in a second-level cache.
constexpr int64_t group_tokens = Unembed::tile_tokens, tile_tokens = 256;

// Positions of a piece: the sets of all its positions fill the kernel's blocks, and the pieces fill the
// threads, which wait for each other at the end of every group.
int64_t positions_per_piece(const GemmKernel& kernel, int64_t sets, int64_t count) {
  constexpr int64_t most = 16;
  int64_t best = 1;
  double best_share = 0;
  for (int64_t positions = 1; positions <= std::min(most, count); ++positions) {
    const int64_t pieces = (count + positions - 1) / positions;
    const int64_t turns = (pieces + threads() - 1) / threads();
    const int64_t rows = turns * threads() * kernel.blocks(positions * sets) * kernel.rows;
    const double share = static_cast<double>(count * sets) / static_cast<double>(rows);
    if (share + 0.005 < best_share) continue;  // more positions are worth a little: panels are met less often
    best = positions;
    best_share = std::max(share, best_share);
  }
  return best;
}

}  // namespace

template <class T>
struct VocabSweep<T>::Inner {
  Inner(const OutputMap& output, std::span<const T* const> rows, int64_t layers)
      : map(output), from(rows), sets(layers) {}

  const OutputMap& map;
  std::span<const T* const> from;              // while this is built
  int64_t sets = 0, count = 0, positions = 0;  // of a piece
  const GemmKernel* kernel = nullptr;
  PackedBytes packed;     // f32, bf16: pieces of blocks
  std::vector<T> normed;  // f64: [sets, count, d_model]

  int64_t width() const { return map.w.columns; }
  int64_t pieces() const { return (count + positions - 1) / positions; }
  int64_t rows_of(int64_t piece) const { return std::min(positions, count - piece * positions); }
  int64_t piece_bytes() const { return kernel->blocks(positions * sets) * kernel->block_bytes(width()); }

  // Rows in the order position, set: what a block holds is normed just before it is packed.
  void pack() requires std::is_same_v<T, float> {
    positions = positions_per_piece(*kernel, sets, count);
    std::byte* const out = packed.sized(pieces() * piece_bytes());
    std::vector<std::vector<float>> scratch(static_cast<size_t>(threads()));
    parallel_for(pieces(), [&](int64_t piece, int worker) {
      std::vector<float>& rows = scratch[static_cast<size_t>(worker)];
      rows.resize(static_cast<size_t>(kernel->rows * width()));
      const int64_t all = rows_of(piece) * sets;
      for (int64_t first = 0; first < all; first += kernel->rows) {
        const int64_t some = std::min(kernel->rows, all - first);
        for (int64_t i = 0; i < some; ++i)
          norm_row(map.vectors<T>().norm, from[static_cast<size_t>(piece * positions * sets + first + i)],
                   width(), rows.data() + i * width());
        kernel->pack_block(rows.data(), width(), some, width(),
                           out + piece * piece_bytes() + first / kernel->rows * kernel->block_bytes(width()));
      }
    });
  }

  // c [rows * sets, n] of one piece.
  void multiply(int64_t piece, int64_t n, const std::byte* panels, float* c) const {
    const int64_t all = rows_of(piece) * sets;
    const std::byte* block = packed.data() + piece * piece_bytes();
    for (int64_t first = 0; first < all; first += kernel->rows, block += kernel->block_bytes(width()))
      kernel->multiply(std::min(kernel->rows, all - first), n, width(), block, panels, c + first * n, n);
  }

  // [rows * sets, n] of one piece, `tokens` being matrix rows that lie side by side; the very calls that
  // Unembed::run makes.
  void multiply(int64_t piece, int64_t n, RowsOf<const T> tokens,
                T* c) const requires std::is_same_v<T, double> {
    for (int64_t set = 0; set < sets; ++set)
      multiply_turned<T>(rows_of(piece), n, width(), T{1},
                         {normed.data() + (set * count + piece * positions) * width(), width()}, tokens,
                         {c + set * n, sets * n});
  }
};

template <class T>
VocabSweep<T>::VocabSweep(const Unembed& unembed, std::span<const T* const> rows, int64_t sets)
    : inner_(std::make_unique<Inner>(unembed.map(), rows, sets)) {
  if (sets < 1 || rows.empty() || static_cast<int64_t>(rows.size()) % sets != 0)
    fail("unembedding: {} rows are no whole number of positions with {} layers each", rows.size(), sets);
  Inner& in = *inner_;
  in.count = static_cast<int64_t>(rows.size()) / sets;
  if constexpr (std::is_same_v<T, float>) {
    in.kernel = &gemm_kernel(in.map.compute);
    in.pack();
  } else {
    if (in.map.compute != Compute::f64) fail("unembedding: f64 rows were given to an f32 unembedding");
    in.positions = Unembed::row_block;
    in.normed.resize(rows.size() * static_cast<size_t>(in.width()));
    parallel_for(in.count, [&](int64_t row, int) {
      for (int64_t set = 0; set < sets; ++set)
        norm_row(in.map.f64.norm, rows[static_cast<size_t>(row * sets + set)], in.width(),
                 in.normed.data() + (set * in.count + row) * in.width());
    });
  }
  in.from = {};
}

template <class T>
VocabSweep<T>::~VocabSweep() = default;

template <class T>
std::vector<T> VocabSweep<T>::logits_of(std::span<const int64_t> ids, int64_t each) const {
  const Inner& in = *inner_;
  const int64_t width = in.width(), sets = in.sets;
  if (static_cast<int64_t>(ids.size()) != in.count * each)
    fail("unembedding: {} token ids are not {} for each of {} rows", ids.size(), each, in.count);
  for (int64_t id : ids)
    if (id < 0 || id >= in.map.w.rows) fail("unembedding: there is no token {} of {}", id, in.map.w.rows);
  std::vector<T> logits(static_cast<size_t>(in.count * sets * each));
  struct Scratch {
    std::vector<T> rows, products;
    PackedBytes panels;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  parallel_for(in.pieces(), [&](int64_t piece, int worker) {
    Scratch& own = scratch[static_cast<size_t>(worker)];
    const int64_t row = piece * in.positions, rows = in.rows_of(piece), n = rows * each;
    // Every position of the piece meets the tokens of all; what is not its own is thrown away.
    own.rows.resize(static_cast<size_t>(n * width));
    own.products.resize(static_cast<size_t>(rows * sets * n));
    for (int64_t i = 0; i < n; ++i)
      widen_rows(in.map.w, ids[static_cast<size_t>(row * each + i)], 1, own.rows.data() + i * width);
    if constexpr (std::is_same_v<T, float>) {
      const Matrix gathered{
          RawType::f32, n, width, width, 1, reinterpret_cast<const std::byte*>(own.rows.data()), nullptr, {}};
      std::byte* const panels = own.panels.sized(in.kernel->panels(n) * in.kernel->panel_bytes(width));
      std::vector<float> unused;
      pack_weights(*in.kernel, gathered, 0, n, panels, unused);
      in.multiply(piece, n, panels, own.products.data());
    } else {
      in.multiply(piece, n, {own.rows.data(), width}, own.products.data());
    }
    for (int64_t at = 0; at < rows * sets; ++at)
      for (int64_t i = 0; i < each; ++i) {
        const int64_t column = at / sets * each + i;
        logits[static_cast<size_t>((row * sets + at) * each + i)] =
            in.map.finished(ids[static_cast<size_t>(row * each + column)],
                            own.products[static_cast<size_t>(at * n + column)]);
      }
  });
  return logits;
}

template <class T>
void VocabSweep<T>::run(const Tile& tile, const Between& between) const {
  const Inner& in = *inner_;
  const int64_t vocab = in.map.w.rows, width = in.width(), sets = in.sets;
  struct Scratch {
    std::vector<T> logits;
    std::vector<float> widened;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  PackedBytes panels;
  std::vector<T> widened;
  for (int64_t group = 0; group < vocab; group += group_tokens) {
    const int64_t grouped = std::min(group_tokens, vocab - group);
    [[maybe_unused]] RowsOf<const T> tokens_side_by_side;
    if constexpr (std::is_same_v<T, float>) {
      const int64_t step = in.kernel->columns, bytes = in.kernel->panel_bytes(width);
      std::byte* const out = panels.sized(in.kernel->panels(group_tokens) * bytes);
      parallel_for(in.kernel->panels(grouped), [&](int64_t panel, int worker) {
        pack_weights(*in.kernel, in.map.w, group + panel * step, std::min(step, grouped - panel * step),
                     out + panel * bytes, scratch[static_cast<size_t>(worker)].widened);
      });
    } else {
      tokens_side_by_side = rows_in(in.map.w, group, grouped, widened);
    }
    // In f64 the tile is the whole group: the bits of BLAS may depend on how many tokens it is given.
    const int64_t step = std::is_same_v<T, float> ? tile_tokens : group_tokens;
    parallel_for(in.pieces(), [&](int64_t piece, int worker) {
      Scratch& own = scratch[static_cast<size_t>(worker)];
      const int64_t rows = in.rows_of(piece);
      for (int64_t first = 0; first < grouped; first += step) {
        const int64_t tokens = std::min(step, grouped - first);
        own.logits.resize(static_cast<size_t>(rows * sets * tokens));
        if constexpr (std::is_same_v<T, float>)
          in.multiply(piece, tokens,
                      panels.data() + first / in.kernel->columns * in.kernel->panel_bytes(width),
                      own.logits.data());
        else
          in.multiply(piece, tokens, tokens_side_by_side, own.logits.data());
        in.map.finish(group + first, tokens, rows * sets, own.logits.data());
        tile(group + first, tokens, piece * in.positions, rows, std::span<const T>(own.logits));
      }
    });
    if (in.map.frugal) release_rows(in.map.w, group, grouped);
    between(std::min(vocab, group + group_tokens), vocab);
  }
}

template <class T>
int64_t VocabSweep<T>::scratch_bytes(const ModelSpec& spec, int64_t sets, int64_t count, Compute compute) {
  const int64_t width = spec.d_model;
  if (compute == Compute::f64)
    return 8 * (sets * count * width + group_tokens * width +
                threads() * std::min(count, Unembed::row_block) * sets * group_tokens);
  const GemmKernel& kernel = gemm_kernel(compute);
  const int64_t positions = positions_per_piece(kernel, sets, count);
  return (count + positions - 1) / positions * kernel.blocks(positions * sets) * kernel.block_bytes(width) +
         kernel.panels(group_tokens) * kernel.panel_bytes(width) +
         threads() * 4 * (positions * sets * tile_tokens + (kernel.rows + kernel.columns) * width);
}

template class VocabSweep<float>;
template class VocabSweep<double>;

}  // namespace varve
