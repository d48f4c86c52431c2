// Router saturation: the share of a token's chosen experts that it also chooses at a reference checkpoint
// (Muennighoff et al. 2024, OLMoE, section 5.1).
//
//   saturation_l(t) = mean over tokens of |E_l(t) and E_l(reference)| / k
#include <algorithm>
#include <cmath>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/pathways/estimates.h"

namespace varve {
namespace {

struct Params {
  int64_t reference = -1, ranks = 0, bootstrap = 1000, seed = 0;
  double tie = 1e-5;
  bool tokens = true;

  template <class Visit>
  void each(Visit&& visit) {
    visit("reference", reference, "the step that is compared with; -1: the last one", Range{-1, 1e15});
    visit("ranks", ranks, "how many of the chosen experts count, best first; 0: all", Range{0, 4096});
    visit("bootstrap", bootstrap, "resamplings of prompts behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
    visit("tie", tie, "gap in probability below which a choice counts as a near tie", Range{0, 1});
    visit("tokens", tokens, "routing keeps the chosen experts at every token; saturation needs them");
  }
};

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "router-saturation");
  if (!joined.has("topk_index")) fail_usage("router-saturation compares tokens; leave the setting tokens on");
  const Array &ids = joined["topk_index"], &ticks = *joined.coord("step"), &load = joined["load"];
  const int64_t steps = joined.extent("step"), layers = joined.extent("layer"),
                prompts = joined.extent("prompt"), places = joined.extent("pos"),
                ranks = joined.extent("rank"), experts = load.extent("expert");
  const int64_t kept = params.ranks == 0 ? ranks : params.ranks;
  if (kept > ranks) fail_usage("ranks = {} were asked for, and a token chooses {} experts", kept, ranks);
  int64_t reference = steps - 1;
  for (int64_t step = 0; step < steps && params.reference >= 0; ++step)
    if (ticks.number(step) == static_cast<double>(params.reference)) reference = step;
  if (params.reference >= 0 && ticks.number(reference) != static_cast<double>(params.reference))
    fail_usage("the reference step {} is not among the {} steps of this run", params.reference, steps);
  Estimates saturation({"step", "layer"}, {steps, layers}), first({"step", "layer"}, {steps, layers});
  double worst_self = 0;
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::vector<double> shared, same_first;
      std::vector<int64_t> cluster;
      for (int64_t p = 0; p < prompts; ++p)
        for (int64_t pos = 0; pos < places; ++pos) {
          const int64_t here = (((step * layers + layer) * prompts + p) * places + pos) * ranks;
          const int64_t there = (((reference * layers + layer) * prompts + p) * places + pos) * ranks;
          if (ids.number(here) < 0) continue;
          double both = 0;
          for (int64_t i = 0; i < kept; ++i)
            for (int64_t j = 0; j < kept; ++j) both += ids.number(here + i) == ids.number(there + j) ? 1 : 0;
          shared.push_back(both / static_cast<double>(kept));
          same_first.push_back(ids.number(here) == ids.number(there) ? 1 : 0);
          cluster.push_back(p);
        }
      const auto seed = static_cast<uint64_t>(params.seed);
      const Estimate mean = bootstrap_mean(shared, cluster, params.bootstrap, seed);
      saturation.put(step * layers + layer, mean);
      first.put(step * layers + layer, bootstrap_mean(same_first, cluster, params.bootstrap, seed));
      if (step == reference) worst_self = std::max(worst_self, std::abs(mean.value - 1));
      task.step(step * layers + layer, steps * layers);
    }
  Dataset series;
  series.title = fmt::format("Router saturation against step {}", ticks.text(reference));
  saturation.into(series, "saturation", "share of a token's experts that it has at the reference, too",
                  "share");
  first.into(series, "same_first", "share of tokens whose first expert is that of the reference", "share");
  const double chance = static_cast<double>(kept) / static_cast<double>(experts);
  series.set("chance", titled({"step"}, {steps}, std::vector<double>(static_cast<size_t>(steps), chance),
                              "saturation of experts chosen at random", "share"));
  series.set_coord("step", ticks);
  series.set_coord("layer", *joined.coord("layer"));
  series.notes = joined.notes;
  series.checks = joined.checks;
  series.checks.push_back(
      {"the reference agrees with itself", worst_self, 0, layers, worst_self <= 0, "worst layer"});
  series.notes.push_back(
      fmt::format("Reference: step {}. Experts chosen at random would share {:.3f}. Steps after the "
                  "reference count how much was kept.",
                  ticks.text(reference), chance));
  return series;
}

}  // namespace

void add_router_saturation(AnalysisCatalog& catalog) {
  Analysis saturation;
  saturation.name = "router-saturation";
  saturation.summary = "how early each layer's routing is what it will be";
  saturation.help =
      "For each checkpoint and layer, the mean share of a token's chosen experts that it also chooses at a "
      "reference step, "
      "with an interval over prompts, and the share of tokens whose first expert is the same. Chance is k of "
      "E. Example: "
      "varve run router-saturation moe.varve --tokens samples.npz:ids --set reference=1000";
  saturation.settings = declared_settings<Params>();
  saturation.cells_of = "routing";
  saturation.reduce = over_the_series;
  saturation.reduce_reads = {"topk_index", "load"};
  catalog.add(std::move(saturation));
}

}  // namespace varve
