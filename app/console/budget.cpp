// How much memory a forward needs at its peak, and the refusal where --max-memory is less.
#include "app/console/budget.h"

#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

int64_t layer_numbers(const ModelSpec& spec) {
  const int64_t attention = spec.d_model * spec.d_head * (2 * spec.heads + 2 * spec.kv_heads);
  const int64_t dense = 3 * spec.d_model * spec.d_mlp;
  const int64_t sparse = 3 * spec.d_model * (spec.experts * spec.d_expert + spec.d_shared);
  return attention + std::max(dense, sparse);
}

}  // namespace

int64_t peak_bytes(const ModelSpec& spec, const Probes& probes, Compute compute) {
  const int64_t number = compute == Compute::f64 ? 8 : 4;
  // The stream before and after a block, its norm, and both branches' outputs live at once.
  constexpr int64_t streams = 5;
  const int64_t rows = probes.tokens(), longest = probes.longest();
  const int64_t wide =
      std::max({spec.d_mlp, spec.heads * spec.d_head, spec.experts_per_token * spec.d_expert});
  const int64_t residual = rows * (streams * spec.d_model + 2 * wide) * number;
  const int64_t attention = 2 * spec.heads * longest * longest * number;
  const int64_t tiles = threads() * longest * Unembed::tile_tokens * number;
  return residual + layer_numbers(spec) * number + attention + tiles;
}

void require_budget(const Console& console, int64_t bytes) {
  if (console.max_memory.empty()) return;
  if (bytes > parse_bytes(console.max_memory))
    fail_budget(
        "this needs about {} at its peak, more than --max-memory {}. Raise --max-memory, or give fewer or "
        "shorter prompts (--tokens, --text, --probes) or fewer --threads",
        show_bytes(bytes), console.max_memory);
}

}  // namespace varve
