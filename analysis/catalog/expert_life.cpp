// Expert life: when experts come into use, fall out of it, and become one another's double.
//
// An expert is alive at a step where the share of tokens that chose it is at least `alive_above` of even use
// (k / E). Born: the first step it is alive after one at which it was not. Died: the first step from which on
// it is never alive again, having been. Merged: the first step from which on its weights over the samples
// correlate with another expert's above `merged_above` at every step.
#include <cmath>

#include "analysis/analysis.h"
#include "analysis/core/correlation.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/pathways/estimates.h"

namespace varve {
namespace {

struct Params {
  double alive_above = 0.05, merged_above = 0.99, tie = 1e-5;
  int64_t bootstrap = 1000, seed = 0;
  bool tokens = false;
  template <class Visit>
  void each(Visit&& visit) {
    visit("alive_above", alive_above, "share of even use from which on an expert counts as alive",
          Range{0, 1});
    visit("merged_above", merged_above,
          "correlation of two experts' weights over samples that makes them doubles", Range{0, 1});
    visit("bootstrap", bootstrap, "resamplings that routing declares", Range{100, 100000});
    visit("seed", seed, "seed that routing declares", Range{0, 1e15});
    visit("tie", tie, "gap in probability below which a choice counts as a near tie", Range{0, 1});
    visit("tokens", tokens, "routing also keeps the chosen experts at every token");
  }
};

class Lives {
 public:
  Lives(const Dataset& joined, const Params& params) : joined_(joined), params_(params) {
    steps_ = joined.extent("step");
    layers_ = joined.extent("layer");
    experts_ = joined.extent("expert");
    prompts_ = joined.extent("prompt");
    double ranks = 0;
    for (int64_t e = 0; e < experts_; ++e) ranks += joined["load"].number(e);
    even_ = ranks / static_cast<double>(experts_);
  }

  Dataset made(Task& task) {
    Dataset series;
    series.title = "Expert life";
    const auto rows = static_cast<size_t>(layers_ * experts_);
    std::vector<uint8_t> alive(static_cast<size_t>(steps_) * rows);
    std::vector<double> born(rows, std::nan("")), died = born, merged = born,
                                                  doubles(static_cast<size_t>(steps_) * rows);
    std::vector<int64_t> partner(rows, -1);
    std::vector<int64_t> living;
    for (int64_t step = 0; step < steps_; ++step)
      for (int64_t layer = 0; layer < layers_; ++layer) {
        int64_t count = 0;
        for (int64_t e = 0; e < experts_; ++e) {
          const auto at = static_cast<size_t>((step * layers_ + layer) * experts_ + e);
          alive[at] = joined_["load"].number(static_cast<int64_t>(at)) >= params_.alive_above * even_ ? 1 : 0;
          count += alive[at];
        }
        living.push_back(count);
      }
    for (int64_t layer = 0; layer < layers_; ++layer) {
      for (int64_t e = 0; e < experts_; ++e) write_life(series, alive, layer, e, born, died);
      find_doubles(series, layer, doubles, partner, merged);
      task.step(layer, layers_);
    }
    const std::vector<std::string> each{"layer", "expert"}, over{"step", "layer", "expert"};
    const std::vector<int64_t> shape{layers_, experts_}, whole{steps_, layers_, experts_};
    series.set("load", joined_["load"]);
    series.set("alive", titled(over, whole, std::move(alive), "1 where the expert is in use", ""));
    series.set("living",
               titled({"step", "layer"}, {steps_, layers_}, std::move(living), "experts in use", "experts"));
    series.set("born", titled(each, shape, std::move(born),
                              "step at which the expert came into use; NaN: was, or never", "step"));
    series.set("died", titled(each, shape, std::move(died),
                              "step from which on it is out of use; NaN: it is not", "step"));
    series.set("nearest_double",
               titled(over, whole, std::move(doubles),
                      "largest correlation with another expert's weights over the samples", "r"));
    series.set("merged_with", titled(each, shape, std::move(partner),
                                     "the expert it became a double of, -1: none", "expert"));
    series.set("merged",
               titled(each, shape, std::move(merged), "step from which on they are doubles", "step"));
    series.set_coord("step", *joined_.coord("step"));
    series.set_coord("layer", *joined_.coord("layer"));
    series.notes = joined_.notes;
    series.checks = joined_.checks;
    series.notes.push_back(fmt::format(
        "Alive: chosen by at least {:.4g} of tokens, {} of even use ({:.4g}). Doubles: correlation over {} "
        "samples above {} "
        "at every later step. Few or similar samples make doubles of experts that differ elsewhere.",
        params_.alive_above * even_, params_.alive_above, even_, prompts_, params_.merged_above));
    return series;
  }

 private:
  int64_t step_at(int64_t place) const { return static_cast<int64_t>(joined_.coord("step")->number(place)); }
  std::string named(int64_t layer, int64_t expert) const {
    return fmt::format("L{} E{}", joined_.coord("layer")->text(layer), expert);
  }
  void tell(Dataset& series, int64_t step, const std::string& label, const std::string& rule) const {
    constexpr size_t most_events = 200;
    if (series.events.size() < most_events) series.events.push_back({step, label, rule});
  }

  void write_life(Dataset& series, const std::vector<uint8_t>& alive, int64_t layer, int64_t e,
                  std::vector<double>& born, std::vector<double>& died) const {
    const auto at = static_cast<size_t>(layer * experts_ + e);
    const auto is_alive = [&](int64_t step) {
      return alive[static_cast<size_t>((step * layers_ + layer) * experts_ + e)] > 0;
    };
    const std::string rule = fmt::format("load against {} of even use", params_.alive_above);
    for (int64_t step = 1; step < steps_; ++step)
      if (is_alive(step) && !is_alive(step - 1)) {
        born[at] = static_cast<double>(step_at(step));
        tell(series, step_at(step), named(layer, e) + " born", rule);
        break;
      }
    int64_t last = steps_ - 1;
    while (last >= 0 && !is_alive(last)) --last;
    if (last < 0 || last == steps_ - 1) return;
    died[at] = static_cast<double>(step_at(last + 1));
    tell(series, step_at(last + 1), named(layer, e) + " died", rule);
  }

  // Weights of one expert over the samples; empty where it is not in use, so that the dead have no doubles.
  std::vector<double> profile(int64_t step, int64_t layer, int64_t e) const {
    std::vector<double> weights;
    if (joined_["load"].number((step * layers_ + layer) * experts_ + e) < params_.alive_above * even_)
      return weights;
    for (int64_t p = 0; p < prompts_; ++p)
      weights.push_back(joined_["weight"].number(((step * layers_ + layer) * prompts_ + p) * experts_ + e));
    return weights;
  }

  void find_doubles(Dataset& series, int64_t layer, std::vector<double>& nearest,
                    std::vector<int64_t>& partner, std::vector<double>& merged) const {
    const auto wide = static_cast<size_t>(experts_);
    std::vector<std::vector<double>> r(static_cast<size_t>(steps_),
                                       std::vector<double>(wide * wide, std::nan("")));
    for (int64_t step = 0; step < steps_; ++step) {
      std::vector<std::vector<double>> profiles;
      for (int64_t e = 0; e < experts_; ++e) profiles.push_back(profile(step, layer, e));
      for (size_t i = 0; i < wide; ++i) {
        double& best = nearest[(static_cast<size_t>(step * layers_ + layer)) * wide + i];
        best = std::nan("");
        for (size_t j = 0; j < wide; ++j) {
          if (i == j || profiles[i].size() < 3 || profiles[j].size() < 3) continue;
          const double value = pearson(profiles[i], profiles[j]);
          r[static_cast<size_t>(step)][i * wide + j] = value;
          if (std::isnan(best) || value > best) best = value;
        }
      }
    }
    for (size_t i = 0; i < wide; ++i)
      for (size_t j = 0; j < wide; ++j) {
        int64_t first = steps_;
        while (first > 0 && r[static_cast<size_t>(first - 1)][i * wide + j] > params_.merged_above) --first;
        // Doubles from the beginning never merged.
        if (first == steps_ || first == 0) continue;
        const size_t at = static_cast<size_t>(layer) * wide + i;
        const auto step = static_cast<double>(step_at(first));
        if (partner[at] >= 0 && merged[at] <= step) continue;
        partner[at] = static_cast<int64_t>(j);
        merged[at] = step;
        if (i < j)
          tell(series, step_at(first),
               fmt::format("{} and E{} merge", named(layer, static_cast<int64_t>(i)), j),
               fmt::format("correlation above {}", params_.merged_above));
      }
  }

  const Dataset& joined_;
  Params params_;
  int64_t steps_ = 0, layers_ = 0, experts_ = 0, prompts_ = 0;
  double even_ = 0;
};

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  return Lives(joined, read_settings<Params>(values, "expert-life")).made(task);
}

}  // namespace

void add_expert_life(AnalysisCatalog& catalog) {
  Analysis life;
  life.name = "expert-life";
  life.summary = "when experts come into use, fall out of it, or become doubles";
  life.help =
      "From each expert's load (share of tokens that chose it) over checkpoints: born, died, alive; and from "
      "the correlation of "
      "two experts' mean weights over the samples: when they became doubles. Births, deaths and mergers are "
      "events on the "
      "time axis. Example: varve run expert-life moe.varve --tokens samples.npz:ids --set alive_above=0.05";
  life.settings = declared_settings<Params>();
  life.cells_of = "routing";
  life.reduce = over_the_series;
  life.reduce_reads = {"load", "weight"};
  catalog.add(std::move(life));
}

}  // namespace varve
