// Circuits over training: which heads join the circuit of a task, stay, and leave, beside how much of that is
// the choice of examples (Thinking Sparks, 2509.25758, whose head sets lack a noise floor).
//
// A(t): heads of the circuit at step t; base: the first step, or the one named.
//   emergent(t) = A(t) \ A(base), retained(t) = both, vanished(t) = A(base) \ A(t)
//   cohort c(h): the first step at which h is emergent; effect (I_t - I_base) / (I_t + I_base + 1e-6), I a
//   head's importance as a share of all heads'. Jaccard J(A, B) = |both| / |either|.
// The base may be another circuit altogether, given as an input: that of the checkpoint which a branch of
// post-training began with, or of another task. Noise floors: what circuits of two parts of the examples
// differ by at one and the same checkpoint (head_sets.h); "certain" heads are in all parts here and in none
// there.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/circuit_settings.h"
#include "analysis/circuits/head_sets.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Params {
  int64_t base = -1;
  int64_t settled = 2;

  template <class Visit>
  void each(Visit&& visit) {
    visit("base", base, "the step whose circuit others are compared with; -1: the first", Range{-1, 1e15});
    visit("settled", settled,
          "a head joins for good where it is in all circuits from there on, at least so many",
          Range{1, 1000});
  }
};

class Trajectory {
 public:
  Trajectory(const Dataset& joined, const Dataset* base, const Params& params)
      : sets_(head_sets_of(joined)), params_(params) {
    steps_ = static_cast<int64_t>(sets_.of.size());
    const Array* by_step = joined.coord("step");
    for (int64_t step = 0; step < steps_; ++step)
      step_.push_back(by_step ? static_cast<int64_t>(by_step->number(step)) : step);
    choose_base(base);
    result_.title = "Circuit over training";
    if (const Array* ticks = joined.coord("step")) result_.set_coord("step", *ticks);
    for (const char* kept : {"circuit_faithfulness", "whole_metric", "empty_metric", "circuit_edges"})
      if (joined.has(kept)) result_.set(kept, joined[kept]);
    result_.checks = joined.checks;
    result_.notes = joined.notes;
  }

  Dataset run() {
    add_sets();
    add_cohorts();
    add_overlap();
    add_effects();
    return std::move(result_);
  }

 private:
  void choose_base(const Dataset* base) {
    if (base != nullptr) {
      if (params_.base >= 0) fail_usage("give the base as an input or as a step, not both");
      const HeadSets given = head_sets_of(*base);
      if (given.of.size() != 1)
        fail_usage("the input base holds {} steps; give the circuit of one checkpoint", given.of.size());
      if (given.layers != sets_.layers || given.heads != sets_.heads)
        fail_usage("the input base has {} x {} heads, this series {} x {}: they are of other models",
                   given.layers, given.heads, sets_.layers, sets_.heads);
      base_ = given.of.front();
      result_.notes.push_back("The base is the circuit given as an input.");
      return;
    }
    const auto found = std::find(step_.begin(), step_.end(), params_.base);
    if (params_.base >= 0 && found == step_.end())
      fail_usage("base {} is none of the {} steps of this run", params_.base, steps_);
    base_ = sets_.of[params_.base < 0 ? 0 : static_cast<size_t>(found - step_.begin())];
  }

  int64_t count() const { return sets_.layers * sets_.heads; }
  const HeadSet& at(int64_t step) const { return sets_.of[static_cast<size_t>(step)]; }
  bool in(int64_t step, int64_t head) const { return at(step).in[static_cast<size_t>(head)]; }
  bool in_base(int64_t head) const { return base_.in[static_cast<size_t>(head)]; }
  void add(const char* name, std::vector<std::string> axes, std::vector<int64_t> shape,
           std::vector<double> values, const char* title, const char* unit) {
    Array array(std::move(axes), std::move(shape), std::move(values));
    array.title = title;
    array.unit = unit;
    result_.set(name, std::move(array));
  }
  void add_by_step(const char* name, std::vector<double> values, const char* title, const char* unit) {
    add(name, {"step"}, {steps_}, std::move(values), title, unit);
  }
  std::string name_of(int64_t head) const {
    return fmt::format("L{}H{}", head / sets_.heads, head % sets_.heads);
  }

  void add_sets() {
    const std::vector<std::string> axes = {"step", "layer", "head"};
    const std::vector<int64_t> shape = {steps_, sets_.layers, sets_.heads};
    std::vector<uint8_t> sets[4];
    std::vector<double> sizes[4];
    for (int64_t step = 0; step < steps_; ++step) {
      double here[4] = {};
      for (int64_t head = 0; head < count(); ++head) {
        const bool now = in(step, head), before = in_base(head);
        const bool kinds[4] = {now, now && !before, now && before, !now && before};
        for (int kind = 0; kind < 4; ++kind) {
          sets[kind].push_back(kinds[kind] ? 1 : 0);
          here[kind] += kinds[kind] ? 1 : 0;
        }
      }
      for (int kind = 0; kind < 4; ++kind) sizes[kind].push_back(here[kind]);
    }
    const char* const names[4] = {"heads_in", "emergent", "retained", "vanished"};
    const char* const counts[4] = {"head_count", "emergent_count", "retained_count", "vanished_count"};
    const char* const titles[4] = {"heads of the circuit", "heads that the base's circuit lacks",
                                   "heads of this and the base's circuit",
                                   "heads of the base's circuit only"};
    for (int kind = 0; kind < 4; ++kind) {
      Array array(axes, shape, std::move(sets[kind]));
      array.title = titles[kind];
      result_.set(names[kind], std::move(array));
      add_by_step(counts[kind], std::move(sizes[kind]), titles[kind], "heads");
    }
    add_certain();
    std::vector<double> frequency, frequency_floor;
    for (int64_t head = 0; head < count(); ++head) {
      double times = 0;
      for (int64_t step = 0; step < steps_; ++step) times += in(step, head) ? 1 : 0;
      frequency.push_back(times / static_cast<double>(steps_));
      frequency_floor.push_back(frequency_noise(static_cast<size_t>(head)));
    }
    add("activation_frequency_noise", {"layer", "head"}, {sets_.layers, sets_.heads},
        std::move(frequency_floor), "largest difference of that share between parts of the examples",
        "share");
    add("activation_frequency", {"layer", "head"}, {sets_.layers, sets_.heads}, std::move(frequency),
        "share of steps with the head in the circuit", "share");
  }

  // Heads that are emergent or vanished whichever part of the examples is asked.
  void add_certain() {
    std::vector<uint8_t> gained, lost;
    std::vector<double> gained_count, lost_count;
    for (const HeadSet& set : sets_.of) {
      const auto put = [](const std::vector<bool>& flags, std::vector<uint8_t>& all,
                          std::vector<double>& sizes) {
        all.insert(all.end(), flags.begin(), flags.end());
        sizes.push_back(static_cast<double>(std::count(flags.begin(), flags.end(), true)));
      };
      put(certainly_gained(set, base_), gained, gained_count);
      put(certainly_gained(base_, set), lost, lost_count);
    }
    const auto flags = [&](const char* name, std::vector<uint8_t> values, const char* title) {
      Array array({"step", "layer", "head"}, {steps_, sets_.layers, sets_.heads}, std::move(values));
      array.title = title;
      result_.set(name, std::move(array));
    };
    const char* const gained_title = "emergent, in all parts of the examples and in none of the base's";
    const char* const lost_title = "vanished, in all parts of the base's examples and in none of these";
    flags("emergent_certain", std::move(gained), gained_title);
    flags("vanished_certain", std::move(lost), lost_title);
    add_by_step("emergent_certain_count", std::move(gained_count), gained_title, "heads");
    add_by_step("vanished_certain_count", std::move(lost_count), lost_title, "heads");
  }

  // n(c, t): heads emergent at step t that were first so at step c; survival: their share of the cohort.
  void add_cohorts() {
    std::vector<int64_t> born(static_cast<size_t>(count()), -1);
    for (int64_t step = 0; step < steps_; ++step)
      for (int64_t head = 0; head < count(); ++head)
        if (born[static_cast<size_t>(head)] < 0 && in(step, head) && !in_base(head))
          born[static_cast<size_t>(head)] = step;
    const auto steps = static_cast<size_t>(steps_);
    std::vector<double> alive(steps * steps, 0.0), survival(steps * steps, missing);
    for (int64_t head = 0; head < count(); ++head) {
      const int64_t cohort = born[static_cast<size_t>(head)];
      if (cohort < 0) continue;
      for (int64_t step = cohort; step < steps_; ++step)
        alive[static_cast<size_t>(step) * steps + static_cast<size_t>(cohort)] += in(step, head) ? 1 : 0;
    }
    for (size_t step = 0; step < steps; ++step)
      for (size_t cohort = 0; cohort <= step; ++cohort)
        if (const double first = alive[cohort * steps + cohort]; first > 0)
          survival[step * steps + cohort] = alive[step * steps + cohort] / first;
    add("cohort_size", {"step", "cohort"}, {steps_, steps_}, std::move(alive),
        "emergent heads by the step at which they first were", "heads");
    add("cohort_survival", {"step", "cohort"}, {steps_, steps_}, std::move(survival),
        "share of a cohort still in the circuit", "share");
    result_.set_coord("cohort", Array({"cohort"}, {steps_}, step_));
    std::vector<double> first;
    for (int64_t head = 0; head < count(); ++head)
      first.push_back(born[static_cast<size_t>(head)] < 0
                          ? missing
                          : static_cast<double>(step_[static_cast<size_t>(born[static_cast<size_t>(head)])]));
    add("first_step", {"layer", "head"}, {sets_.layers, sets_.heads}, std::move(first),
        "step at which the head is first emergent", "step");
    for (int64_t head = 0; head < count(); ++head) {
      int64_t from = steps_;
      while (from > 0 && in(from - 1, head)) --from;
      // In every part of the examples at the end, too: else one sample says so and another does not.
      const auto& folds = at(steps_ - 1).in_fold;
      const bool certain = std::all_of(folds.begin(), folds.end(), [&](const std::vector<bool>& fold) {
        return fold[static_cast<size_t>(head)];
      });
      if (from == 0 || steps_ - from < params_.settled || !certain) continue;
      result_.events.push_back(
          {step_[static_cast<size_t>(from)], name_of(head) + " joins the circuit",
           "in the circuit from here to the end, and at the end in that of every part of the examples"});
    }
  }

  void add_overlap() {
    std::vector<double> before, with_base, noise, lowest, gained, kept, beyond;
    for (int64_t step = 0; step < steps_; ++step) {
      before.push_back(step == 0 ? missing : jaccard(at(step).in, at(step - 1).in));
      with_base.push_back(jaccard(at(step).in, base_.in));
      const HeadNoise here = noise_of(at(step));
      const double floor = step == 0 ? here.jaccard_low : std::min(here.jaccard_low, lowest.back());
      noise.push_back(here.jaccard);
      lowest.push_back(here.jaccard_low);
      gained.push_back(here.gained);
      kept.push_back(here.kept);
      beyond.push_back(before.back() < floor ? 1 : 0);
    }
    add_by_step("jaccard_base", std::move(with_base), "overlap with the base's circuit", "share");
    result_.provenance["leading_array"] = "emergent_count";  // beside its noise
    add_by_step("emergent_count_noise", std::move(gained),
                "heads that one part of the examples gives and another does not, same step", "heads");
    add_by_step("survival_noise", std::move(kept),
                "share of one part's heads that another part of the examples gives too, same step", "share");
    add_by_step("jaccard", std::move(before), "overlap with the circuit of the step before", "share");
    add_by_step("jaccard_noise", std::move(noise),
                "overlap of circuits from parts of the examples, same step", "share");
    std::vector<double> most;
    for (const double low : lowest) most.push_back(std::isnan(low) ? missing : 1);
    add_by_step("jaccard_noise_low", std::move(lowest), "the lowest of them", "share");
    add_by_step("jaccard_noise_high", std::move(most), "the same circuit", "share");
    add_by_step("beyond_noise", std::move(beyond),
                "1 where the change since the step before exceeds that noise", "");
    if (sets_.folds < 2)
      result_.notes.push_back("No noise floor: the circuits were found with folds=1 or from too few pairs.");
  }

  void add_effects() {
    std::vector<double> effect, noise;
    for (int64_t step = 0; step < steps_; ++step)
      for (size_t head = 0; head < base_.in.size(); ++head) {
        effect.push_back(base_.importance.empty()
                             ? missing
                             : effect_of(at(step).importance[head], base_.importance[head]));
        noise.push_back(effect_noise(at(step), head));
      }
    const std::vector<int64_t> shape = {steps_, sets_.layers, sets_.heads};
    add("effect", {"step", "layer", "head"}, shape, std::move(effect), "importance beside the base, -1 to 1",
        "share");
    if (std::any_of(noise.begin(), noise.end(), [](double value) { return !std::isnan(value); }))
      add("effect_noise", {"step", "layer", "head"}, shape, std::move(noise),
          "size of the effect between parts of the examples, same step, mean", "share");
  }

  static double effect_noise(const HeadSet& set, size_t head) {
    double sum = 0, pairs = 0;
    for (size_t one = 0; one < set.importance_fold.size(); ++one)
      for (size_t other = 0; other < one; ++other, ++pairs)
        sum += std::abs(effect_of(set.importance_fold[one][head], set.importance_fold[other][head]));
    return pairs > 0 ? sum / pairs : missing;
  }

  // The largest difference between parts of the examples, each followed over all steps.
  double frequency_noise(size_t head) const {
    double least = 1, most = 0;
    for (int64_t fold = 0; fold < sets_.folds; ++fold) {
      double times = 0;
      for (const HeadSet& set : sets_.of) times += set.in_fold[static_cast<size_t>(fold)][head] ? 1 : 0;
      least = std::min(least, times / static_cast<double>(steps_));
      most = std::max(most, times / static_cast<double>(steps_));
    }
    return sets_.folds < 2 ? missing : most - least;
  }

  HeadSets sets_;
  std::vector<int64_t> step_;
  int64_t steps_ = 0;
  HeadSet base_;
  Params params_;
  Dataset result_;
};

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values, Task&) {
  SettingValues own;
  for (const SettingInfo& setting : declared_settings<Params>())
    if (const auto found = values.find(setting.name); found != values.end()) own.insert(*found);
  return Trajectory(joined, find_input(inputs, "base"), read_settings<Params>(own, "circuit-trajectory"))
      .run();
}

}  // namespace

void add_circuit_trajectory(AnalysisCatalog& catalog) {
  Analysis trajectory;
  trajectory.name = "circuit-trajectory";
  trajectory.version = 3;
  trajectory.summary = "which heads join, stay in and leave a task's circuit over training, beside noise";
  trajectory.help =
      "Finds the circuit at every step (settings as for circuit) and compares head sets: emergent, retained, "
      "vanished, cohorts and their survival, activation frequency, effect (-1 to 1), and the overlap of "
      "successive sets beside the overlap of parts of the examples at one step, which is the noise floor. "
      "A branch of post-training is compared with the checkpoint it began with, one task with another, by "
      "giving that one's result of circuit as base; circuit-compare sets several side by side. "
      "Example: varve run circuit-trajectory demo.varve --task induction:pairs=32 --set curve=no "
      "(and, after varve run circuit demo.varve --steps last: --branch sft --with base=demo.varve:KEY)";
  trajectory.settings = declared_settings<CircuitSettings>();
  for (SettingInfo& own : declared_settings<Params>()) trajectory.settings.push_back(std::move(own));
  trajectory.cells_of = "circuit";
  trajectory.inputs = {{.name = "base", .help = "a result of circuit for one checkpoint, to compare with"}};
  trajectory.reduce_with = over_the_series;
  trajectory.reduce_reads = {"heads_in",     "heads_in_fold", "head_importance", "head_importance_fold",
                             "whole_metric", "empty_metric",  "circuit_edges",   "circuit_faithfulness"};
  catalog.add(std::move(trajectory));
}

}  // namespace varve
