// Circuits over training: which heads join the circuit of a task, stay, and leave, beside how much of that is
// the choice of examples (Thinking Sparks, 2509.25758, whose head sets lack a noise floor).
//
// A(t): heads of the circuit at step t; base: the first step, or the one named.
//   emergent(t) = A(t) \ A(base), retained(t) = both, vanished(t) = A(base) \ A(t)
//   cohort c(h): the first step at which h is emergent; effect (I_t - I_base) / (I_t + I_base + 1e-6), I a
//   head's importance as a share of all heads'. Jaccard J(A, B) = |both| / |either|.
// Noise floor: J between the circuits of two parts of the examples at one and the same checkpoint.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/circuit_settings.h"
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

struct Series {
  int64_t steps = 0, layers = 0, heads = 0, folds = 0;
  std::vector<int64_t> step;
  std::vector<std::vector<bool>> in;                    // [step][head]
  std::vector<std::vector<std::vector<bool>>> in_fold;  // [step][fold][head]
  std::vector<std::vector<double>> importance;          // [step][head], shares
};

double jaccard(const std::vector<bool>& one, const std::vector<bool>& other) {
  double both = 0, either = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    both += one[i] && other[i] ? 1 : 0;
    either += one[i] || other[i] ? 1 : 0;
  }
  return either > 0 ? both / either : missing;
}

Series series_of(const Dataset& joined) {
  const Array &in = joined["heads_in"], &fold = joined["heads_in_fold"],
              &importance = joined["head_importance"];
  Series series;
  series.steps = in.shape()[0];
  series.layers = in.shape()[1];
  series.heads = in.shape()[2];
  series.folds = fold.shape()[1];
  const int64_t count = series.layers * series.heads;
  const Array* ticks = joined.coord("step");
  for (int64_t step = 0; step < series.steps; ++step) {
    series.step.push_back(ticks ? static_cast<int64_t>(ticks->number(step)) : step);
    std::vector<bool> here;
    std::vector<double> shares;
    double sum = 0;
    for (int64_t head = 0; head < count; ++head) {
      here.push_back(in.number(step * count + head) > 0);
      shares.push_back(importance.number(step * count + head));
      sum += shares.back();
    }
    for (double& share : shares) share = sum > 0 ? share / sum : 0;
    series.in.push_back(std::move(here));
    series.importance.push_back(std::move(shares));
    std::vector<std::vector<bool>> folds;
    for (int64_t one = 0; one < series.folds; ++one) {
      folds.emplace_back();
      for (int64_t head = 0; head < count; ++head)
        folds.back().push_back(fold.number((step * series.folds + one) * count + head) > 0);
    }
    series.in_fold.push_back(std::move(folds));
  }
  return series;
}

// Between every two parts of the examples: the mean of J, and the lowest.
std::pair<double, double> noise_at(const Series& series, int64_t step) {
  const auto& folds = series.in_fold[static_cast<size_t>(step)];
  double sum = 0, count = 0, lowest = 1;
  for (size_t one = 0; one < folds.size(); ++one)
    for (size_t other = one + 1; other < folds.size(); ++other) {
      const double value = jaccard(folds[one], folds[other]);
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
      lowest = std::min(lowest, value);
    }
  return count > 0 ? std::pair{sum / count, lowest} : std::pair{missing, missing};
}

class Trajectory {
 public:
  Trajectory(const Dataset& joined, const Params& params) : series_(series_of(joined)), params_(params) {
    const auto found = std::find(series_.step.begin(), series_.step.end(), params.base);
    if (params.base >= 0 && found == series_.step.end())
      fail_usage("base {} is none of the {} steps of this run", params.base, series_.steps);
    base_ = params.base < 0 ? 0 : found - series_.step.begin();
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
  int64_t count() const { return series_.layers * series_.heads; }
  bool in(int64_t step, int64_t head) const {
    return series_.in[static_cast<size_t>(step)][static_cast<size_t>(head)];
  }
  void add(const char* name, std::vector<std::string> axes, std::vector<int64_t> shape,
           std::vector<double> values, const char* title, const char* unit) {
    Array array(std::move(axes), std::move(shape), std::move(values));
    array.title = title;
    array.unit = unit;
    result_.set(name, std::move(array));
  }
  void add_by_step(const char* name, std::vector<double> values, const char* title, const char* unit) {
    add(name, {"step"}, {series_.steps}, std::move(values), title, unit);
  }
  std::string name_of(int64_t head) const {
    return fmt::format("L{}H{}", head / series_.heads, head % series_.heads);
  }

  void add_sets() {
    const std::vector<std::string> axes = {"step", "layer", "head"};
    const std::vector<int64_t> shape = {series_.steps, series_.layers, series_.heads};
    std::vector<uint8_t> sets[4];
    std::vector<double> sizes[4];
    for (int64_t step = 0; step < series_.steps; ++step) {
      double here[4] = {};
      for (int64_t head = 0; head < count(); ++head) {
        const bool now = in(step, head), before = in(base_, head);
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
    std::vector<double> frequency;
    for (int64_t head = 0; head < count(); ++head) {
      double times = 0;
      for (int64_t step = 0; step < series_.steps; ++step) times += in(step, head) ? 1 : 0;
      frequency.push_back(times / static_cast<double>(series_.steps));
    }
    add("activation_frequency", {"layer", "head"}, {series_.layers, series_.heads}, std::move(frequency),
        "share of steps with the head in the circuit", "share");
  }

  // n(c, t): heads emergent at step t that were first so at step c; survival: their share of the cohort.
  void add_cohorts() {
    std::vector<int64_t> born(static_cast<size_t>(count()), -1);
    for (int64_t step = 0; step < series_.steps; ++step)
      for (int64_t head = 0; head < count(); ++head)
        if (born[static_cast<size_t>(head)] < 0 && in(step, head) && !in(base_, head))
          born[static_cast<size_t>(head)] = step;
    const auto steps = static_cast<size_t>(series_.steps);
    std::vector<double> alive(steps * steps, 0.0), survival(steps * steps, missing);
    for (int64_t head = 0; head < count(); ++head) {
      const int64_t cohort = born[static_cast<size_t>(head)];
      if (cohort < 0) continue;
      for (int64_t step = cohort; step < series_.steps; ++step)
        alive[static_cast<size_t>(step) * steps + static_cast<size_t>(cohort)] += in(step, head) ? 1 : 0;
    }
    for (size_t step = 0; step < steps; ++step)
      for (size_t cohort = 0; cohort <= step; ++cohort)
        if (const double first = alive[cohort * steps + cohort]; first > 0)
          survival[step * steps + cohort] = alive[step * steps + cohort] / first;
    add("cohort_size", {"step", "cohort"}, {series_.steps, series_.steps}, std::move(alive),
        "emergent heads by the step at which they first were", "heads");
    add("cohort_survival", {"step", "cohort"}, {series_.steps, series_.steps}, std::move(survival),
        "share of a cohort still in the circuit", "share");
    result_.set_coord("cohort", Array({"cohort"}, {series_.steps}, series_.step));
    std::vector<double> first;
    for (int64_t head = 0; head < count(); ++head)
      first.push_back(
          born[static_cast<size_t>(head)] < 0
              ? missing
              : static_cast<double>(series_.step[static_cast<size_t>(born[static_cast<size_t>(head)])]));
    add("first_step", {"layer", "head"}, {series_.layers, series_.heads}, std::move(first),
        "step at which the head is first emergent", "step");
    for (int64_t head = 0; head < count(); ++head) {
      int64_t from = series_.steps;
      while (from > 0 && in(from - 1, head)) --from;
      // In every part of the examples at the end, too: else one sample says so and another does not.
      const auto& folds = series_.in_fold.back();
      const bool certain = std::all_of(folds.begin(), folds.end(), [&](const std::vector<bool>& fold) {
        return fold[static_cast<size_t>(head)];
      });
      if (from == 0 || series_.steps - from < params_.settled || !certain) continue;
      result_.events.push_back(
          {series_.step[static_cast<size_t>(from)], name_of(head) + " joins the circuit",
           "in the circuit from here to the end, and at the end in that of every part of the examples"});
    }
  }

  void add_overlap() {
    std::vector<double> before, noise, lowest, beyond;
    for (int64_t step = 0; step < series_.steps; ++step) {
      const auto at = static_cast<size_t>(step);
      before.push_back(step == 0 ? missing : jaccard(series_.in[at], series_.in[at - 1]));
      const auto [mean, least] = noise_at(series_, step);
      noise.push_back(mean);
      lowest.push_back(least);
      const double floor = step == 0 ? least : std::min(least, lowest[at - 1]);
      beyond.push_back(before.back() < floor ? 1 : 0);
    }
    add_by_step("jaccard", std::move(before), "overlap with the circuit of the step before", "share");
    add_by_step("jaccard_noise", std::move(noise),
                "overlap of circuits from parts of the examples, same step", "share");
    add_by_step("jaccard_noise_low", std::move(lowest), "the lowest of them", "share");
    add_by_step("beyond_noise", std::move(beyond),
                "1 where the change since the step before exceeds that noise", "");
    if (series_.folds < 2)
      result_.notes.push_back("No noise floor: the circuits were found with folds=1 or from too few pairs.");
  }

  void add_effects() {
    std::vector<double> effect;
    const std::vector<double>& base = series_.importance[static_cast<size_t>(base_)];
    for (int64_t step = 0; step < series_.steps; ++step)
      for (size_t head = 0; head < base.size(); ++head) {
        const double now = series_.importance[static_cast<size_t>(step)][head];
        effect.push_back((now - base[head]) / (now + base[head] + 1e-6));
      }
    add("effect", {"step", "layer", "head"}, {series_.steps, series_.layers, series_.heads},
        std::move(effect), "importance beside the base, -1 to 1", "share");
  }

  Series series_;
  Params params_;
  int64_t base_ = 0;
  Dataset result_;
};

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task&) {
  SettingValues own;
  for (const SettingInfo& setting : declared_settings<Params>())
    if (const auto found = values.find(setting.name); found != values.end()) own.insert(*found);
  return Trajectory(joined, read_settings<Params>(own, "circuit-trajectory")).run();
}

}  // namespace

void add_circuit_trajectory(AnalysisCatalog& catalog) {
  Analysis trajectory;
  trajectory.name = "circuit-trajectory";
  trajectory.summary = "which heads join, stay in and leave a task's circuit over training, beside noise";
  trajectory.help =
      "Finds the circuit at every step (settings as for circuit) and compares head sets: emergent, retained, "
      "vanished, cohorts and their survival, activation frequency, effect (-1 to 1), and the overlap of "
      "successive sets beside the overlap of parts of the examples at one step, which is the noise floor. "
      "Example: varve run circuit-trajectory demo.varve --task induction:pairs=32 --set curve=no";
  trajectory.settings = declared_settings<CircuitSettings>();
  for (SettingInfo& own : declared_settings<Params>()) trajectory.settings.push_back(std::move(own));
  trajectory.cells_of = "circuit";
  trajectory.reduce = over_the_series;
  trajectory.reduce_reads = {"heads_in",     "heads_in_fold", "head_importance", "circuit_faithfulness",
                             "whole_metric", "empty_metric",  "circuit_edges"};
  catalog.add(std::move(trajectory));
}

}  // namespace varve
