// Trains and judges the regressors of growth_predict.h.
#include "analysis/massive/growth_predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "analysis/core/pool.h"
#include "analysis/core/statistics.h"
#include "analysis/core/text.h"
#include "analysis/fit/growth_curve.h"
#include "analysis/massive/growth_rows.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr size_t fewest_tests = 4;
constexpr size_t feature_count = architecture_feature_names.size();

using Places = std::vector<size_t>;

TrainingRows part_of(const GrowthRows& rows, size_t parameter, const Places& places) {
  TrainingRows part;
  for (const size_t row : places) {
    part.features.push_back(rows.features[row]);
    part.targets.push_back(rows.targets[parameter][row]);
  }
  return part;
}

std::vector<double> predictions(const Regressor& model, const std::vector<Row>& features) {
  std::vector<double> out;
  for (const Row& row : features) out.push_back(model.predict(row));
  return out;
}

Places shuffled(size_t count, uint64_t seed) {
  Places all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  std::mt19937_64 random(seed);
  for (size_t i = count; i > 1; --i) std::swap(all[i - 1], all[random() % i]);
  return all;
}

// The size of error that a share `level` of new rows stays below (Vovk et al. 2005: the quantile with one row
// more than there are).
double calibrated(std::vector<double> errors, double level) {
  if (errors.empty()) return missing;
  std::sort(errors.begin(), errors.end());
  const double n = static_cast<double>(errors.size());
  const auto place = static_cast<size_t>(std::ceil(level * (n + 1)));
  return place <= errors.size() ? errors[place - 1] : std::numeric_limits<double>::infinity();
}

// What one regressor does for one parameter.
struct Judged {
  double random_r2 = missing, model_r2 = missing, coverage = missing;
  std::vector<double> importance = std::vector<double>(feature_count, missing);
  std::vector<double> left_out;  // prediction of each row by what was trained without its model
  double reach = missing;        // half of a calibrated interval, in transformed units
};

class Judge {
 public:
  Judge(const GrowthRows& rows, const PredictOptions& options) : rows_(rows), options_(options) {
    const Places order = shuffled(rows.count(), options.seed);
    const size_t test = std::max<size_t>(2, rows.count() / 5);
    test_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(test));
    train_.assign(order.begin() + static_cast<std::ptrdiff_t>(test), order.end());
  }

  Judged judge(const std::string& kind, size_t parameter) const {
    Judged out;
    random_split(kind, parameter, out);
    leave_models_out(kind, parameter, out);
    return out;
  }
  size_t tests() const { return test_.size(); }

 private:
  // Rows held out in turn: their errors are those of rows never seen.
  std::vector<double> errors_over_folds(const std::string& kind, size_t parameter,
                                        const Places& places) const {
    constexpr size_t folds = 5;
    std::vector<double> errors;
    for (size_t fold = 0; fold < folds; ++fold) {
      Places rest, held;
      for (size_t i = 0; i < places.size(); ++i) (i % folds == fold ? held : rest).push_back(places[i]);
      const auto model = trained(kind, part_of(rows_, parameter, rest), options_.seed);
      for (const size_t row : held)
        errors.push_back(std::abs(model->predict(rows_.features[row]) - rows_.targets[parameter][row]));
    }
    return errors;
  }

  void random_split(const std::string& kind, size_t parameter, Judged& out) const {
    if (test_.size() < fewest_tests) return;  // an R2 of two or three rows says nothing
    const auto model = trained(kind, part_of(rows_, parameter, train_), options_.seed);
    const TrainingRows test = part_of(rows_, parameter, test_);
    const std::vector<double> predicted = predictions(*model, test.features);
    out.random_r2 = r2_of(predicted, test.targets);
    const double reach = calibrated(errors_over_folds(kind, parameter, train_), options_.level);
    double held = 0;
    for (size_t i = 0; i < test.targets.size(); ++i)
      held += std::abs(predicted[i] - test.targets[i]) <= reach ? 1 : 0;
    out.coverage = held / static_cast<double>(test.targets.size());
    for (size_t k = 0; k < feature_count; ++k) {
      double drop = 0;
      for (int64_t round = 0; round < options_.permutations; ++round) {
        std::vector<Row> features = test.features;
        const Places order =
            shuffled(features.size(), options_.seed + 977 * static_cast<uint64_t>(round) + k);
        for (size_t i = 0; i < features.size(); ++i) features[i][k] = test.features[order[i]][k];
        drop += out.random_r2 - r2_of(predictions(*model, features), test.targets);
      }
      out.importance[k] = drop / static_cast<double>(options_.permutations);
    }
  }

  void leave_models_out(const std::string& kind, size_t parameter, Judged& out) const {
    out.left_out.assign(rows_.count(), missing);
    Places all(rows_.count());
    std::iota(all.begin(), all.end(), size_t{0});
    out.reach = calibrated(errors_over_folds(kind, parameter, shuffled(rows_.count(), options_.seed + 1)),
                           options_.level);
    if (rows_.models.size() < 2) return;
    std::vector<double> predicted, actual, errors;
    for (size_t model = 0; model < rows_.models.size(); ++model) {
      Places rest, held;
      for (const size_t row : all) (rows_.model[row] == model ? held : rest).push_back(row);
      if (held.empty() || rest.size() < 5) continue;
      const auto regressor = trained(kind, part_of(rows_, parameter, rest), options_.seed);
      for (const size_t row : held) {
        out.left_out[row] = regressor->predict(rows_.features[row]);
        predicted.push_back(out.left_out[row]);
        actual.push_back(rows_.targets[parameter][row]);
        errors.push_back(std::abs(predicted.back() - actual.back()));
      }
    }
    if (actual.empty()) return;
    out.model_r2 = r2_of(predicted, actual);
    out.reach = calibrated(std::move(errors), options_.level);  // a new model is like one left out
  }

  const GrowthRows& rows_;
  const PredictOptions& options_;
  Places test_, train_;
};

Array titled(Array array, const std::string& title, const std::string& unit = "") {
  array.title = title;
  array.unit = unit;
  return array;
}

using Table = std::vector<std::vector<Judged>>;  // [regressor][parameter]

void put_judgement(Dataset& out, const Table& table) {
  std::vector<double> random, model, coverage, importance;
  for (const auto& row : table)
    for (const Judged& one : row) {
      random.push_back(one.random_r2);
      model.push_back(one.model_r2);
      coverage.push_back(one.coverage);
      importance.insert(importance.end(), one.importance.begin(), one.importance.end());
    }
  const auto kinds = static_cast<int64_t>(table.size());
  const std::vector<std::string> axes = {"regressor", "parameter"};
  out.set("r2_random",
          titled(Array(axes, {kinds, 5}, std::move(random)), "R2 on a random fifth of the layers"));
  out.set("r2_model_out", titled(Array(axes, {kinds, 5}, std::move(model)), "R2 on models left out in turn"));
  out.set("coverage", titled(Array(axes, {kinds, 5}, std::move(coverage)),
                             "share of a random fifth inside its calibrated interval", "share"));
  out.set("importance", titled(Array({"regressor", "parameter", "feature"},
                                     {kinds, 5, int64_t{feature_count}}, std::move(importance)),
                               "loss of R2 when a feature is permuted"));
}

// The regressor that does best on models left out; without such, on the random fifth.
size_t best_kind(const Table& table, size_t parameter) {
  size_t best = 0;
  const auto score = [&](size_t kind) {
    const Judged& one = table[kind][parameter];
    const double r2 = std::isnan(one.model_r2) ? one.random_r2 : one.model_r2;
    return std::isnan(r2) ? -1e300 : r2;
  };
  for (size_t kind = 1; kind < table.size(); ++kind)
    if (score(kind) > score(best)) best = kind;
  return best;
}

void put_rows(Dataset& out, const GrowthRows& rows, const Table& table) {
  std::vector<double> actual, predicted;
  std::vector<std::string> names;
  for (size_t row = 0; row < rows.count(); ++row) {
    names.push_back(fmt::format("{} L{}", rows.models[rows.model[row]], rows.layer[row]));
    for (size_t k = 0; k < 5; ++k) {
      actual.push_back(rows.targets[k][row]);
      predicted.push_back(table[best_kind(table, k)][k].left_out[row]);
    }
  }
  const auto count = static_cast<int64_t>(rows.count());
  out.set("actual",
          titled(Array({"row", "parameter"}, {count, 5}, std::move(actual)), "fitted, transformed"));
  out.set("model_out", titled(Array({"row", "parameter"}, {count, 5}, std::move(predicted)),
                              "predicted without the model, transformed"));
  out.set_coord("row", Array({"row"}, {count}, std::move(names)));
}

void put_prediction(Dataset& out, const GrowthRows& rows, const Table& table, const PredictOptions& options,
                    const std::vector<double>& steps) {
  const Architecture& config = *options.config;
  std::vector<double> value, low, high, curve;
  std::vector<GrowthCurve> curves(static_cast<size_t>(config.layers));
  Places all(rows.count());
  std::iota(all.begin(), all.end(), size_t{0});
  std::vector<std::unique_ptr<Regressor>> models;
  for (size_t k = 0; k < 5; ++k)
    models.push_back(trained(regressor_names()[best_kind(table, k)], part_of(rows, k, all), options.seed));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    std::array<double, 5> row{};
    for (size_t k = 0; k < 5; ++k) {
      const double centre = models[k]->predict(architecture_features(config, layer));
      const double reach = table[best_kind(table, k)][k].reach, power = power_of(rows, k);
      row[k] = yeo_johnson_back(centre, power);
      value.push_back(row[k]);
      low.push_back(yeo_johnson_back(centre - reach, power));
      high.push_back(yeo_johnson_back(centre + reach, power));
    }
    curves[static_cast<size_t>(layer)] = from_a_row(row);
  }
  for (const double step : steps)
    for (const GrowthCurve& one : curves) curve.push_back(one(step));
  const std::vector<std::string> axes = {"layer", "parameter"};
  const std::vector<int64_t> shape = {config.layers, 5};
  const std::string title = "predicted for the config";
  const std::string interval =
      fmt::format(" end of the calibrated {} % interval", show_number(100 * options.level));
  out.set("predicted", titled(Array(axes, shape, std::move(value)), title));
  out.set("predicted_low", titled(Array(axes, shape, std::move(low)), title + ", lower" + interval));
  out.set("predicted_high", titled(Array(axes, shape, std::move(high)), title + ", upper" + interval));
  if (steps.empty()) return;
  out.set(
      "predicted_curve",
      titled(Array({"step", "layer"}, {static_cast<int64_t>(steps.size()), config.layers}, std::move(curve)),
             options.array + " predicted for the config"));
}

}  // namespace

Dataset predict_growth(const std::vector<NamedFit>& fits, const PredictOptions& options, Task& task) {
  const GrowthRows rows = growth_rows(fits, options.array);
  const Judge judge(rows, options);
  const std::vector<std::string>& kinds = regressor_names();
  Table table(kinds.size(), std::vector<Judged>(5));
  int64_t done = 0;
  for (size_t kind = 0; kind < kinds.size(); ++kind) {
    parallel_for(5, [&](int64_t parameter, int) {
      table[kind][static_cast<size_t>(parameter)] = judge.judge(kinds[kind], static_cast<size_t>(parameter));
    });
    task.step(++done, static_cast<int64_t>(kinds.size()));
  }
  Dataset out;
  out.title = "Growth of massive activations from architecture";
  put_judgement(out, table);
  put_rows(out, rows, table);
  std::vector<double> steps;
  if (const Array* ticks = fits.front().fit->coord("step"))
    for (int64_t i = 0; i < ticks->size(); ++i) steps.push_back(ticks->number(i));
  if (options.config) {
    put_prediction(out, rows, table, options, steps);
    if (!steps.empty()) out.set_coord("step", *fits.front().fit->coord("step"));
  }
  const auto texts = [](const auto& names) { return std::vector<std::string>(names.begin(), names.end()); };
  out.set_coord("regressor", Array({"regressor"}, {static_cast<int64_t>(kinds.size())}, texts(kinds)));
  out.set_coord("parameter", Array({"parameter"}, {5}, texts(growth_names)));
  out.set_coord("feature", Array({"feature"}, {int64_t{feature_count}}, texts(architecture_feature_names)));
  out.notes.push_back(fmt::format("{} layers of {} models; {} layers without an identified fit are left out.",
                                  rows.count(), rows.models.size(), rows.left_out));
  out.notes.push_back(
      fmt::format("R2 and intervals are of log(1 + v), of K by Yeo-Johnson with power {}; the "
                  "random fifth holds {} layers, often of models that were trained on.",
                  rows.k_power, judge.tests()));
  if (judge.tests() < fewest_tests)
    out.notes.push_back(
        fmt::format("A random fifth is {} layers, too few for R2, importance or coverage; {} or "
                    "more are needed.",
                    judge.tests(), fewest_tests));
  out.notes.push_back(rows.models.size() < 2
                          ? std::string("One model: none can be left out, so nothing is known of new ones.")
                          : std::string("Intervals: calibrated on errors of models left out."));
  for (size_t k = 0; k < 5; ++k) {
    const double left_out = table[best_kind(table, k)][k].model_r2;
    out.notes.push_back(fmt::format("{}: predicted by {}{}.", growth_names[k], kinds[best_kind(table, k)],
                                    left_out < 0
                                        ? ", and worse than by the mean of the other models: take no "
                                          "number of it for a prediction"
                                        : ""));
  }
  constexpr double far_out = 1e9;
  const std::vector<double>& amplitude = rows.parameters[0];
  if (const auto traded =
          std::count_if(amplitude.begin(), amplitude.end(), [](double a) { return std::abs(a) > far_out; });
      traded > 0)
    out.notes.push_back(fmt::format(
        "{} of {} fits have |A| above {:.0e}: there A and lambda trade off against each other, and only the "
        "curve is known, not its parameters.",
        traded, rows.count(), far_out));
  if (rows.models.size() < 8)
    out.notes.push_back(
        fmt::format("Only {} models: R2 on models left out is hardly known.", rows.models.size()));
  return out;
}

}  // namespace varve
