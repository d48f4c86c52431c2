// Memorisation: when each sample is memorised for good, how that accumulates, and which test items follow
// when (rules in analysis/pathways/memorisation.h).
#include "analysis/pathways/memorisation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/groups.h"
#include "analysis/pathways/learned_pairs.h"

namespace varve {
namespace {

struct Params {
  double epsilon = 0, delta = 0.05, share_low = 0.2, share_high = 0.25;
  int64_t bootstrap = 1000, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit(
        "epsilon", epsilon,
        "loss in nats below which a sample may be memorised; 0: chosen for each group, so that share_low to "
        "share_high of its samples are memorised before the last checkpoint",
        Range{0, 1000});
    visit("delta", delta, "how far in nats a memorised sample's loss may lie from its last one",
          Range{0, 1000});
    visit("share_low", share_low, "least share that the chosen epsilon should give", Range{0, 1});
    visit("share_high", share_high, "largest share that the chosen epsilon should give", Range{0, 1});
    visit("bootstrap", bootstrap, "resamplings of samples behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

struct Losses {
  int64_t steps = 0, samples = 0;
  std::vector<double> values;  // [step, sample]
  Array step_ticks;
};

Losses losses_of(const Array& array, const Array* ticks) {
  if (array.axes().size() != 2 || !ticks || ticks->size() != array.shape()[0])
    fail("memorisation needs losses over step and sample, with the steps named; this array lies over {} axes",
         array.axes().size());
  Losses losses{array.shape()[0], array.shape()[1], {}, *ticks};
  for (int64_t i = 0; i < array.size(); ++i) losses.values.push_back(array.number(i));
  for (int64_t t = 1; t < losses.steps; ++t)
    if (!(ticks->number(t) > ticks->number(t - 1)))
      fail("memorisation looks along training, but step {} comes after step {}", ticks->text(t),
           ticks->text(t - 1));
  if (losses.steps < 2) fail("memorisation compares checkpoints, and there is {}; give more", losses.steps);
  return losses;
}

class Memorisation {
 public:
  Memorisation(Losses losses, const Groups& groups, const Params& params)
      : losses_(std::move(losses)), groups_(groups), params_(params) {}

  Dataset made(const Inputs& inputs, Task& task) {
    place_.assign(static_cast<size_t>(losses_.samples), -1);
    Dataset series;
    series.title = "Memorisation over the series";
    series.set_coord("step", Array({"step"}, {losses_.steps}, losses_.step_ticks.values()));
    for (size_t g = 0; g < groups_.names.size(); ++g) place_group(static_cast<int64_t>(g), series);
    add_samples(series);
    add_shares(series, task);
    add_group_loss(series, task);
    if (const Dataset* correct = find_input(inputs, "correct"))
      add_learned_pairs(series, learned_samples(), *correct, inputs);
    add_notes(series);
    return series;
  }

 private:
  double step_at(int64_t place) const { return losses_.step_ticks.number(place); }

  void place_group(int64_t group, Dataset& series) {
    std::vector<int64_t> mine;
    for (size_t i = 0; i < place_.size(); ++i)
      if (groups_.of[i] == group) mine.push_back(static_cast<int64_t>(i));
    EpsilonChoice choice{params_.epsilon, 0, true};
    if (params_.epsilon == 0)
      choice = choose_epsilon(losses_.values, losses_.steps, mine, losses_.samples, params_.delta,
                              params_.share_low, params_.share_high);
    std::vector<double> curve(static_cast<size_t>(losses_.steps));
    int64_t early = 0;
    for (const int64_t sample : mine) {
      for (int64_t t = 0; t < losses_.steps; ++t)
        curve[static_cast<size_t>(t)] = losses_.values[static_cast<size_t>(t * losses_.samples + sample)];
      place_[static_cast<size_t>(sample)] = memorised_at(curve, choice.epsilon, params_.delta);
      const int64_t at = place_[static_cast<size_t>(sample)];
      early += at >= 0 && at + 1 < losses_.steps ? 1 : 0;
    }
    epsilon_.push_back(choice.epsilon);
    share_.push_back(mine.empty() ? 0 : static_cast<double>(early) / static_cast<double>(mine.size()));
    if (!choice.in_band)
      series.notes.push_back(
          fmt::format("{}: no epsilon in steps of 0.1 has {:.0f} to {:.0f} % of samples memorised before the "
                      "last checkpoint; "
                      "epsilon = {:.1f} comes nearest with {:.1f} %.",
                      groups_.names[static_cast<size_t>(group)], 100 * params_.share_low,
                      100 * params_.share_high, choice.epsilon, 100 * share_.back()));
  }

  void add_samples(Dataset& series) const {
    std::vector<double> tstar;
    std::vector<std::string> label, group;
    for (size_t i = 0; i < place_.size(); ++i) {
      tstar.push_back(place_[i] < 0 ? std::nan("") : step_at(place_[i]));
      group.push_back(groups_.of[i] < 0 ? "" : groups_.names[static_cast<size_t>(groups_.of[i])]);
      // A sample that satisfies the rule at the last checkpoint only does so trivially: no group.
      const bool counts = place_[i] >= 0 && place_[i] + 1 < losses_.steps;
      label.push_back(counts ? fmt::format("{}@{}", group.back(), losses_.step_ticks.text(place_[i])) : "");
    }
    series.set("tstar", titled({"prompt"}, {losses_.samples}, tstar,
                               "step from which on the sample is memorised; NaN: never", "step"));
    series.set("label", titled({"prompt"}, {losses_.samples}, label,
                               "group@step; empty: never, or at the last checkpoint only", ""));
    series.set("sample_group", titled({"prompt"}, {losses_.samples}, group, "group of the sample", ""));
    const auto count = static_cast<int64_t>(groups_.names.size());
    series.set("epsilon",
               titled({"group"}, {count}, epsilon_, "loss a memorised sample stays below", "nats"));
    series.set("early_share",
               titled({"group"}, {count}, share_, "share memorised before the last checkpoint", "share"));
    series.set_coord("group", group_names(groups_.names));
  }

  void add_shares(Dataset& series, Task& task) const {
    const auto count = static_cast<int64_t>(groups_.names.size());
    Estimates shares({"step", "group"}, {losses_.steps, count});
    std::vector<int64_t> fresh(static_cast<size_t>(losses_.steps * count), 0);
    for (int64_t t = 0; t < losses_.steps; ++t)
      for (int64_t g = 0; g < count; ++g) {
        std::vector<double> done;
        std::vector<int64_t> cluster;
        for (size_t i = 0; i < place_.size(); ++i) {
          if (groups_.of[i] != g) continue;
          done.push_back(place_[i] >= 0 && place_[i] <= t ? 1 : 0);
          cluster.push_back(static_cast<int64_t>(i));
          fresh[static_cast<size_t>(t * count + g)] += place_[i] == t ? 1 : 0;
        }
        shares.put(t * count + g,
                   bootstrap_mean(done, cluster, params_.bootstrap, static_cast<uint64_t>(params_.seed)));
        task.step(0, 1);
      }
    shares.into(series, "memorised_share", "share of samples memorised so far", "share");
    series.set("memorised_new", titled({"step", "group"}, {losses_.steps, count}, std::move(fresh),
                                       "samples memorised from this step on", "samples"));
  }

  // The loss of each group Pretrain@t along training.
  void add_group_loss(Dataset& series, Task& task) const {
    const std::vector<LearnedGroup> learned = learned_groups(learned_samples());
    if (learned.empty()) return;
    const auto count = static_cast<int64_t>(learned.size());
    Estimates loss({"step", "memorised"}, {losses_.steps, count});
    std::vector<std::string> names;
    for (int64_t k = 0; k < count; ++k) {
      const LearnedGroup& group = learned[static_cast<size_t>(k)];
      names.push_back(group.name());
      for (int64_t t = 0; t < losses_.steps; ++t) {
        std::vector<double> values;
        for (const int64_t i : group.members)
          values.push_back(losses_.values[static_cast<size_t>(t * losses_.samples + i)]);
        loss.put(t * count + k, bootstrap_mean(values, group.members, params_.bootstrap,
                                               static_cast<uint64_t>(params_.seed)));
        task.step(0, 1);
      }
    }
    loss.into(series, "group_loss", "mean loss of the samples memorised from one step on", "nats");
    series.set_coord("memorised", Array({"memorised"}, {count}, names));
  }

  LearnedSamples learned_samples() const {
    LearnedSamples learned;
    for (size_t i = 0; i < place_.size(); ++i) {
      const bool counts = place_[i] >= 0 && place_[i] + 1 < losses_.steps && groups_.of[i] >= 0;
      learned.step.push_back(counts ? static_cast<int64_t>(step_at(place_[i])) : -1);
      learned.domain.push_back(groups_.of[i] < 0 ? "" : groups_.names[static_cast<size_t>(groups_.of[i])]);
    }
    return learned;
  }

  void add_notes(Dataset& series) const {
    int64_t never = 0, last = 0, early = 0;
    for (const int64_t place : place_) ++(place < 0 ? never : place + 1 == losses_.steps ? last : early);
    series.notes.push_back(
        fmt::format("{} of {} samples are memorised before the last checkpoint, {} satisfy the rule at the "
                    "last one only (which "
                    "is no evidence, so they form no group), {} never do. delta = {} nats.",
                    early, losses_.samples, last, never, params_.delta));
    series.checks.push_back({"every sample has one fate",
                             std::abs(static_cast<double>(never + last + early - losses_.samples)), 0,
                             losses_.samples, never + last + early == losses_.samples,
                             "never, at the last checkpoint only, or before"});
  }

  Losses losses_;
  const Groups& groups_;
  Params params_;
  std::vector<int64_t> place_;  // of t* among the steps, -1: never
  std::vector<double> epsilon_, share_;
};

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values,
                        Task& task) {
  const Params params = read_settings<Params>(values, "memorisation");
  if (params.share_low > params.share_high)
    fail_usage("share_low = {} is above share_high = {}", params.share_low, params.share_high);
  const Dataset* given = find_input(inputs, "losses");
  const Array& array = given ? only_array(inputs, "losses") : joined["loss"];
  Losses losses = losses_of(array, (given ? *given : joined).coord(array.axes().front()));
  const Groups groups = groups_of(inputs, losses.samples);
  return Memorisation(std::move(losses), groups, params).made(inputs, task);
}

}  // namespace

void add_memorisation(AnalysisCatalog& catalog) {
  Analysis memorisation;
  memorisation.name = "memorisation";
  memorisation.summary = "when each sample is memorised for good, and which test items follow";
  memorisation.help =
      "A sample is memorised at the first checkpoint from which on its loss (nats a token) stays below "
      "epsilon and "
      "within delta of its last value. Per group, epsilon is scanned in steps of 0.1 until 20 to 25 % of "
      "samples are "
      "memorised before the last checkpoint, or given. Samples that satisfy the rule at the last checkpoint "
      "only form "
      "no group. With `correct` (test items by checkpoint) and embeddings, groups of samples and of items of "
      "one "
      "domain are matched one to one by mean cosine and their delay in steps is given. Losses come from the "
      "model or "
      "from a file. Example: varve run memorisation moe.varve --with losses=sample_loss.npz:train_loss "
      "--with "
      "groups=samples.npz:domain --set delta=0.2";
  memorisation.settings = declared_settings<Params>();
  memorisation.cells_of = "sample-loss";
  memorisation.inputs = {{"losses", "losses [step, sample] in nats in place of the model's", false, true},
                         {"groups", "one label a sample, its domain"},
                         {"correct", "right or wrong [step, test item], 1 or 0"},
                         {"test_groups", "one label a test item, its domain"},
                         {"embeddings", "embedding of each sample [sample, component]"},
                         {"test_embeddings", "embedding of each test item [test item, component]"}};
  memorisation.reduce_with = over_the_series;
  memorisation.reduce_reads = {"loss"};
  catalog.add(std::move(memorisation));
}

}  // namespace varve
