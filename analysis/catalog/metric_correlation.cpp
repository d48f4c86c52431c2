// Metric correlation: does a number measured inside the model go with a score from outside? Pearson and
// Spearman over checkpoints, each with n, a permutation p and a bootstrap interval, beside rivals such as the
// training loss.
#include <cmath>
#include <set>

#include <fmt/ranges.h>

#include "analysis/analysis.h"
#include "analysis/core/correlation.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/score_curves.h"

namespace varve {
namespace {

struct Params {
  std::string metrics = "*", scores = "*", rivals = "*", from = "first";
  int64_t first_step = 0, window = 5, bootstrap = 1000, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("metrics", metrics, "which numbers of the input metric, by a pattern such as distance*");
    visit("scores", scores, "which columns of the input scores, by a pattern such as *.acc");
    visit("rivals", rivals, "which columns of the input rivals, by a pattern such as loss");
    visit("from", from,
          "which checkpoints count: all from first_step on, or those after the score begins its rise",
          Choices{"first", "rise", "fall"});
    visit("first_step", first_step, "earliest step that counts", Range{0, 1e15});
    visit("window", window, "how many rows the moving average of a rival spans", Range{2, 100000});
    visit("bootstrap", bootstrap, "resamplings behind each interval, and random orders where n is above 10",
          Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

// One of the two sides that are correlated: a name and a value at each of the steps.
struct Side {
  std::string name;
  std::vector<double> values;
};

std::vector<Side> metric_sides(const Inputs& inputs, const Params& params,
                               const std::vector<int64_t>& steps) {
  std::vector<Side> sides;
  for (const Curve& curve : curves_of(inputs.at("metric"), params.metrics, "metrics")) {
    Side side{curve.name, {}};
    for (const int64_t step : steps) side.values.push_back(at_step(curve, step));
    sides.push_back(std::move(side));
  }
  const Dataset* const rivals = find_input(inputs, "rivals");
  if (!rivals) return sides;
  for (const Curve& curve : curves_of(*rivals, params.rivals, "rivals")) {
    Side plain{curve.name, {}}, moving{fmt::format("{} (mean of {})", curve.name, params.window), {}};
    for (const int64_t step : steps) {
      plain.values.push_back(last_before(curve, step, 1));
      moving.values.push_back(last_before(curve, step, params.window));
    }
    sides.push_back(std::move(plain));
    sides.push_back(std::move(moving));
  }
  return sides;
}

std::vector<int64_t> common_steps(const Inputs& inputs, int64_t first_step) {
  std::set<int64_t> measured;
  const auto ticks_of = [](const Dataset& data, const char* what) -> const Array& {
    const Array* ticks = data.coord("step");
    if (!ticks)
      fail("the {} do not say at which steps they were taken; they need a column or axis named step", what);
    return *ticks;
  };
  const Array &metric = ticks_of(inputs.at("metric"), "metrics"),
              &score = ticks_of(inputs.at("scores"), "scores");
  for (int64_t i = 0; i < metric.size(); ++i) measured.insert(static_cast<int64_t>(metric.number(i)));
  std::vector<int64_t> steps;
  for (int64_t i = 0; i < score.size(); ++i)
    if (const auto step = static_cast<int64_t>(score.number(i));
        measured.contains(step) && step >= first_step)
      steps.push_back(step);
  if (steps.empty())
    fail("the metric and the scores share no step from {} on; the metric has {} steps, the scores {}",
         first_step, metric.size(), score.size());
  return steps;
}

class Correlations {
 public:
  Correlations(std::vector<int64_t> steps, std::vector<Side> metrics, std::vector<Side> scores,
               const Params& params)
      : steps_(std::move(steps)), metrics_(std::move(metrics)), scores_(std::move(scores)), params_(params) {}

  Dataset made(Task& task) {
    const auto rows = static_cast<int64_t>(metrics_.size()), columns = static_cast<int64_t>(scores_.size());
    const auto all = static_cast<size_t>(rows * columns);
    const std::vector<std::string> axes{"metric", "score"};
    const std::vector<int64_t> shape{rows, columns};
    std::vector<double> r(all), r_low(all), r_high(all), r_p(all), rho(all), rho_low(all), rho_high(all),
        rho_p(all);
    std::vector<int64_t> n(all), exact(all);
    for (size_t i = 0; i < all; ++i) {
      const size_t metric = i / static_cast<size_t>(columns), score = i % static_cast<size_t>(columns);
      const Correlation c = correlate(metrics_[metric].values, counted(score), params_.bootstrap,
                                      static_cast<uint64_t>(params_.seed));
      r[i] = c.pearson.value, r_low[i] = c.pearson.low, r_high[i] = c.pearson.high, r_p[i] = c.pearson.p;
      rho[i] = c.spearman.value, rho_low[i] = c.spearman.low, rho_high[i] = c.spearman.high,
      rho_p[i] = c.spearman.p;
      n[i] = c.n, exact[i] = c.exact ? 1 : 0;
      judge(c, metric, score);
      task.step(static_cast<int64_t>(i), static_cast<int64_t>(all));
    }
    Dataset result;
    result.title = "Metrics against scores over checkpoints";
    const auto put = [&](const char* name, auto values, const char* title, const char* unit) {
      result.set(name, titled(axes, shape, std::move(values), title, unit));
    };
    put("pearson", r, "Pearson correlation over checkpoints", "r");
    put("pearson_low", r_low, "Pearson correlation, lower end of the 95 % interval", "r");
    put("pearson_high", r_high, "Pearson correlation, upper end of the 95 % interval", "r");
    put("pearson_n", n, "checkpoints behind the correlation", "");
    put("pearson_p", r_p, "two-sided permutation p of Pearson's r", "probability");
    put("spearman", rho, "Spearman correlation over checkpoints", "r");
    put("spearman_low", rho_low, "Spearman correlation, lower end of the 95 % interval", "r");
    put("spearman_high", rho_high, "Spearman correlation, upper end of the 95 % interval", "r");
    put("spearman_n", n, "checkpoints behind the correlation", "");
    put("spearman_p", rho_p, "two-sided permutation p of Spearman's rho", "probability");
    put("p_exact", exact, "1 where p counts every order of the checkpoints", "");
    add_values(result);
    add_notes(result);
    return result;
  }

 private:
  // A score at the checkpoints that count for it, else missing.
  std::vector<double> counted(size_t score) const {
    std::vector<double> values = scores_[score].values;
    if (params_.from == "first") return values;
    std::vector<double> rising = values;
    if (params_.from == "fall")
      for (double& value : rising) value = -value;
    const int64_t start = start_of_rise(steps_, rising);
    for (size_t i = 0; i < values.size(); ++i)
      if (steps_[i] < start) values[i] = std::nan("");
    return values;
  }

  void judge(const Correlation& c, size_t metric, size_t score) {
    if (std::isnan(c.pearson.value)) ++undefined_;
    if (c.n < few_points) {
      ++few_;
      if (least_n_ < 0 || c.n < least_n_) least_n_ = c.n, least_warning_ = warning_of(c);
    }
    if (c.pearson.p < 0.05) ++striking_;
    if (!std::isnan(c.pearson.value)) ++tested_;
    if (first_sentence_.empty() && metric == 0 && score == 0 && !std::isnan(c.pearson.value))
      first_sentence_ = fmt::format(
          "{} against {}: Pearson r = {:.3f} (95 % {:.2f} to {:.2f}), {} p = {:.2g}; Spearman rho = {:.3f}, "
          "p = {:.2g}; "
          "n = {} checkpoints.",
          metrics_[0].name, scores_[0].name, c.pearson.value, c.pearson.low, c.pearson.high,
          c.exact ? "exact" : "permutation", c.pearson.p, c.spearman.value, c.spearman.p, c.n);
  }

  void add_values(Dataset& result) const {
    const auto table = [this](const std::vector<Side>& sides, const char* axis, const char* title) {
      std::vector<double> values;
      for (const Side& side : sides) values.insert(values.end(), side.values.begin(), side.values.end());
      return titled({axis, "step"}, {static_cast<int64_t>(sides.size()), static_cast<int64_t>(steps_.size())},
                    std::move(values), title, "");
    };
    const auto names = [](const std::vector<Side>& sides, const char* axis) {
      std::vector<std::string> all;
      for (const Side& side : sides) all.push_back(side.name);
      const auto count = static_cast<int64_t>(all.size());
      return Array({axis}, {count}, std::move(all));
    };
    result.set("metric_value", table(metrics_, "metric", "at each checkpoint"));
    std::vector<Side> scores = scores_;
    for (size_t i = 0; i < scores.size(); ++i) scores[i].values = counted(i);
    result.set("score_value", table(scores, "score", "at each checkpoint that counts"));
    result.set_coord("metric", names(metrics_, "metric"));
    result.set_coord("score", names(scores_, "score"));
    result.set_coord("step", Array({"step"}, {static_cast<int64_t>(steps_.size())}, steps_));
  }

  void add_notes(Dataset& result) const {
    if (!first_sentence_.empty()) result.notes.push_back(first_sentence_);
    if (few_ > 0)
      result.notes.push_back(fmt::format("{} of {} correlations rest on fewer than {} checkpoints. {}", few_,
                                         metrics_.size() * scores_.size(), few_points, least_warning_));
    if (undefined_ > 0)
      result.notes.push_back(
          fmt::format("{} correlations are undefined: fewer than three common checkpoints, or a side "
                      "that does not vary.",
                      undefined_));
    if (tested_ > 1)
      result.notes.push_back(fmt::format(
          "{} of {} tests have p below 0.05; about {} would by chance alone, were nothing related.",
          striking_, tested_, show_number(0.05 * static_cast<double>(tested_), 2)));
    result.notes.push_back(
        "Checkpoints of one run follow each other: whatever moves with training correlates with whatever "
        "else does. The "
        "p assumes checkpoints could change places, which they could not; take it as a lower bound, and look "
        "whether "
        "the rivals do as well.");
  }

  std::vector<int64_t> steps_;
  std::vector<Side> metrics_, scores_;
  Params params_;
  int64_t few_ = 0, undefined_ = 0, striking_ = 0, tested_ = 0, least_n_ = -1;
  std::string least_warning_, first_sentence_;
};

Dataset correlations(const Dataset&, const Inputs& inputs, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "metric-correlation");
  const std::vector<int64_t> steps = common_steps(inputs, params.first_step);
  std::vector<Side> scores;
  for (const Curve& curve : curves_of(inputs.at("scores"), params.scores, "scores")) {
    // Standard errors stand beside scores in some tables and are no scores.
    if (params.scores == "*" && curve.name.ends_with("_stderr")) continue;
    Side side{curve.name, {}};
    for (const int64_t step : steps) side.values.push_back(at_step(curve, step));
    scores.push_back(std::move(side));
  }
  return Correlations(steps, metric_sides(inputs, params, steps), std::move(scores), params).made(task);
}

}  // namespace

void add_metric_correlation(AnalysisCatalog& catalog) {
  Analysis correlation;
  correlation.name = "metric-correlation";
  correlation.summary = "does a number measured inside the model go with a score from outside";
  correlation.help =
      "Pearson and Spearman over the checkpoints that both sides have, each with n, a two-sided permutation "
      "p (exact up "
      "to 10 checkpoints) and a 95 % bootstrap interval; below 8 checkpoints a warning says how small p "
      "could be at "
      "best. Rivals, such as the training loss, are correlated too, plain and as moving averages. Example: "
      "varve run "
      "metric-correlation moe.varve --with metric=moe.varve:3f9a1c --with scores=evals.csv --with "
      "rivals=metrics.jsonl:loss --set metrics=distance*";
  correlation.version = 2;
  correlation.settings = declared_settings<Params>();
  correlation.needs_probes = false;
  correlation.inputs = {
      {"metric", "a result with numbers along step", true, false},
      {"scores", "a table with a column step, or a folder of evaluation results", true, false},
      {"rivals", "a table with a column step: what else might explain the scores", false, false}};
  correlation.reduce_with = correlations;
  catalog.add(std::move(correlation));
}

}  // namespace varve
