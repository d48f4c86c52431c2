// What massive-activations measures at one checkpoint.
//
// h [pos, d_model] is blocks.L.resid_post of one sequence. top-1, top-2, top-3 and the lower median are those
// of |h| over all positions and features together (Sun et al. 2024, section 2). Loose rule: massive where |h|
// > 100 and |h| >= 1000 x median. Sink mass: mean over heads and queries q >= 1 of the attention on position
// 0. Value drain: |v_0| over the mean |v_s| of later positions, mean over key-value heads; below 1 the first
// position's value is drained. Residual peak: the largest |h_s| over the mean |h_s| of a sequence's
// positions.
#pragma once

#include <memory>

#include "analysis/analysis.h"

namespace varve {

inline constexpr int64_t massive_ranks = 3;
inline constexpr double massive_size = 100, massive_times_median = 1000;

struct MassiveParams {
  bool attention = true;
  int64_t map_prompt = 0;
  int64_t map_dims = 16;
  int64_t bootstrap = 200;
  int64_t seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("attention", attention,
          "measure sink mass and value drain too, which makes the attention patterns");
    visit("map_prompt", map_prompt, "the sequence whose sizes are kept at every position (magnitude)",
          Range{0, 1e9});
    visit("map_dims", map_dims, "how many of a layer's largest features magnitude keeps", Range{1, 256});
    visit("bootstrap", bootstrap, "resamplings of sequences behind each interval over the series",
          Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

std::unique_ptr<Cell> begin_massive(const Study& study, const SettingValues& values);
CellCost massive_cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes,
                      Compute compute);

}  // namespace varve
