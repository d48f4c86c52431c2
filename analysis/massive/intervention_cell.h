// What happens to the loss when a checkpoint's largest activations are taken away.
//
// The places: for each sequence the `count` largest |resid_post| of one block. zero: set to 0. mean: set to
// the mean, over sequences, of such activations of the same feature and sign. random: as many places at the
// same positions, features drawn by lot, set to 0 (Sun et al. 2024, section 3.3).
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "analysis/analysis.h"

namespace varve {

inline constexpr std::array<std::string_view, 4> massive_changes = {"none", "zero", "mean", "random"};

struct MassiveChangeParams {
  int64_t layer = -1, count = 3, bootstrap = 1000, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("layer", layer, "the block whose output is changed; -1: where top-1 over the median is largest",
          Range{-1, 1e6});
    visit("count", count, "how many activations of each sequence are changed", Range{1, 1000});
    visit("bootstrap", bootstrap, "resamplings of sequences behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the lot and of the resampling", Range{0, 1e15});
  }
};

std::unique_ptr<Cell> begin_massive_change(const Study& study, const SettingValues& values);
CellCost massive_change_cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes,
                             Compute compute);
// cells joined along step -> loss and perplexity [step, change], with intervals over sequences.
Dataset massive_change_over_the_series(const Dataset& joined, const SettingValues& values, Task& task);

}  // namespace varve
