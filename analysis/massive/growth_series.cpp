// Fits many layers at once and lays the numbers out as one Dataset.
#include "analysis/massive/growth_series.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/statistics.h"
#include "analysis/core/text.h"
#include "analysis/fit/growth_fit.h"
#include "analysis/fit/rivals.h"
#include "analysis/massive/architecture.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct LayerFit {
  std::vector<double> values;
  GrowthFit fit;
  GrowthIntervals intervals;
  std::array<RivalFit, 3> rivals;
};

bool is_step_layer(const Array& array) {
  return array.dtype() != Dtype::text && array.axes() == std::vector<std::string>{"step", "layer"};
}

class FitWriter {
 public:
  FitWriter(Dataset& out, std::string name, const Array& array, const std::vector<LayerFit>& layers)
      : out_(out), name_(std::move(name)), layers_(layers) {
    title_ = array.title.empty() ? name_ : array.title;
    unit_ = array.unit;
  }

  void write(const std::vector<double>& steps) {
    const auto count = static_cast<int64_t>(steps.size());
    per_step("", title_, count, [](const LayerFit& one, size_t i) { return one.values[i]; });
    per_step("_fit", title_ + ", five-parameter fit", count, [&steps](const LayerFit& one, size_t i) {
      return one.fit.fitted() ? one.fit.curve(steps[i]) : missing;
    });
    per_step("_fit_low", title_ + ", fit, lower end of the 95 % interval", count,
             [](const LayerFit& one, size_t i) { return one.intervals.curve[i].low; });
    per_step("_fit_high", title_ + ", fit, upper end of the 95 % interval", count,
             [](const LayerFit& one, size_t i) { return one.intervals.curve[i].high; });
    const std::array<const char*, 5> words = {"amplitude", "decay", "pace", "offset", "floor"};
    const std::array<const char*, 5> units = {unit_.c_str(), "", "1/step", "", unit_.c_str()};
    for (size_t k = 0; k < 5; ++k)
      with_interval(
          "_" + std::string(growth_names[k]), fmt::format("{} of {}", words[k], title_), units[k],
          [k](const LayerFit& one) { return in_a_row(one.fit.curve)[k]; },
          [k](const LayerFit& one) { return one.intervals.parameters[k]; });
    with_interval(
        "_peak", "step at which the fit peaks: " + title_, "step",
        [](const LayerFit& one) { return one.fit.peak_step; },
        [](const LayerFit& one) { return one.intervals.peak_step; });
    per_layer("_peak_value", "value of the fit at its peak: " + title_, unit_, [](const LayerFit& one) {
      return one.fit.fitted() ? one.fit.curve(one.fit.peak_step) : missing;
    });
    per_layer("_at_bound", "1 where a parameter ran to the edge of the search: not identified", "",
              [](const LayerFit& one) { return one.fit.fitted() ? double(one.fit.at_bound) : missing; });
    write_models();
    write_words();
  }

 private:
  size_t layers() const { return layers_.size(); }

  template <class Read>
  void per_step(const std::string& suffix, const std::string& title, int64_t steps, const Read& read) {
    std::vector<double> values;
    for (size_t i = 0; i < static_cast<size_t>(steps); ++i)
      for (const LayerFit& one : layers_) values.push_back(read(one, i));
    set(suffix, title, unit_,
        Array({"step", "layer"}, {steps, static_cast<int64_t>(layers())}, std::move(values)));
  }

  template <class Read>
  void per_layer(const std::string& suffix, const std::string& title, const std::string& unit,
                 const Read& read) {
    std::vector<double> values;
    for (const LayerFit& one : layers_) values.push_back(read(one));
    set(suffix, title, unit, Array({"layer"}, {static_cast<int64_t>(layers())}, std::move(values)));
  }

  template <class Value, class Interval>
  void with_interval(const std::string& suffix, const std::string& title, const std::string& unit,
                     const Value& value, const Interval& interval) {
    per_layer(suffix, title, unit,
              [&value](const LayerFit& one) { return one.fit.fitted() ? value(one) : missing; });
    per_layer(suffix + "_low", title + ", lower end of the 95 % interval", unit,
              [&interval](const LayerFit& one) { return interval(one).low; });
    per_layer(suffix + "_high", title + ", upper end of the 95 % interval", unit,
              [&interval](const LayerFit& one) { return interval(one).high; });
  }

  void set(const std::string& suffix, const std::string& title, const std::string& unit, Array array) {
    array.title = title;
    array.unit = unit;
    out_.set(name_ + suffix, std::move(array));
  }

  // The five-parameter curve first, then its rivals.
  void write_models() {
    std::vector<double> r2, aic;
    for (const LayerFit& one : layers_) {
      r2.push_back(one.fit.fitted() ? one.fit.r2 : missing);
      aic.push_back(one.fit.fitted() ? one.fit.aic : missing);
      for (const RivalFit& rival : one.rivals) {
        r2.push_back(rival.r2);
        aic.push_back(rival.aic);
      }
    }
    const std::vector<int64_t> shape = {static_cast<int64_t>(layers()), 4};
    set("_r2", "share of variance explained: " + title_, "R2", Array({"layer", "model"}, shape, r2));
    set("_aic_above", "AIC above the best curve's: " + title_, "",
        Array({"layer", "model"}, shape, above(aic)));
    set("_aic", "AIC, lower is better: " + title_, "", Array({"layer", "model"}, shape, aic));
  }

  // AICs of different layers cannot be compared, their differences within a layer can.
  static std::vector<double> above(std::vector<double> aic) {
    constexpr size_t models = 4;
    for (size_t first = 0; first < aic.size(); first += models) {
      const auto begin = aic.begin() + static_cast<std::ptrdiff_t>(first), end = begin + models;
      const double best =
          std::accumulate(begin, end, missing, [](double a, double b) { return std::fmin(a, b); });
      std::for_each(begin, end, [best](double& v) { v -= best; });
    }
    return aic;
  }

  void write_words() {
    std::vector<std::string> kinds, notes;
    for (const LayerFit& one : layers_) {
      kinds.emplace_back(name_of(one.fit.kind));
      std::string note = one.fit.refusal;
      if (note.empty() && one.fit.at_bound) note = "not identified: a parameter is at the edge of the search";
      notes.push_back(note);
    }
    const auto count = static_cast<int64_t>(layers());
    set("_class", "how the fit goes over training: " + title_, "", Array({"layer"}, {count}, kinds));
    set("_note", "why there is no fit, or what is wrong with it: " + title_, "",
        Array({"layer"}, {count}, notes));
  }

  Dataset& out_;
  std::string name_, title_, unit_;
  const std::vector<LayerFit>& layers_;
};

// t_peak over a grid of lambda and gamma at the fits' median t0; empty where the peak would lie before step
// 0.
void add_surface(Dataset& out, const std::vector<LayerFit>& layers, const std::string& of) {
  std::vector<double> lambda, gamma, t0;
  for (const LayerFit& one : layers)
    if (one.fit.fitted() && !one.fit.at_bound) {
      lambda.push_back(one.fit.curve.lambda);
      gamma.push_back(one.fit.curve.gamma);
      t0.push_back(one.fit.curve.t0);
    }
  if (t0.empty()) return;
  constexpr int64_t places = 41;
  const auto around = [](std::vector<double> values) {
    const double low = std::max(quantile(values, 0.05), 1e-12) / 10,
                 high = std::max(quantile(values, 0.95) * 10, low * 100);
    std::vector<double> ticks;
    for (int64_t i = 0; i < places; ++i)
      ticks.push_back(low * std::pow(high / low, static_cast<double>(i) / (places - 1)));
    return ticks;
  };
  const double typical = quantile(t0, 0.5);
  const std::vector<double> lambdas = around(lambda), gammas = around(gamma);
  std::vector<double> steps;
  for (const double l : lambdas)
    for (const double g : gammas) {
      const double step = turning_step(l, g, typical);
      steps.push_back(step > 0 ? step : missing);
    }
  Array surface({"lambda", "gamma"}, {places, places}, std::move(steps));
  surface.title = fmt::format("step of the peak at t0 = {}, empty where none is seen", show_number(typical));
  surface.unit = "step";
  out.set("peak_surface", std::move(surface));
  out.set_coord("lambda", Array({"lambda"}, {places}, lambdas));
  out.set_coord("gamma", Array({"gamma"}, {places}, gammas));
  out.notes.push_back(fmt::format("peak_surface: t0 is the median of {} fits of {}.", t0.size(), of));
}

void add_words(Dataset& out, const std::string& name, const std::vector<LayerFit>& layers,
               const std::vector<double>& ticks) {
  int64_t fitted = 0, beaten = 0;
  double worst = std::numeric_limits<double>::infinity(), sum = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerFit& one = layers[i];
    if (!one.fit.fitted()) {
      out.notes.push_back(fmt::format("{}, layer {}: no fit, {}.", name, ticks[i], one.fit.refusal));
      continue;
    }
    ++fitted;
    sum += one.fit.r2;
    worst = std::min(worst, one.fit.r2);
    beaten += std::any_of(one.rivals.begin(), one.rivals.end(),
                          [&one](const RivalFit& rival) { return rival.aic < one.fit.aic; });
    if (one.fit.kind == GrowthClass::early_peak && name == "ratio")
      out.events.push_back({static_cast<int64_t>(std::llround(one.fit.peak_step)),
                            fmt::format("peak of {}, L{}", name, ticks[i]),
                            "maximum of the five-parameter fit, by Lambert's W"});
  }
  if (fitted > 0)
    out.notes.push_back(fmt::format(
        "{}: {} of {} layers fitted, R2 mean {}, lowest {}; a rival has the lower AIC in {}.", name, fitted,
        layers.size(), show_number(sum / static_cast<double>(fitted)), show_number(worst), beaten));
}

}  // namespace

std::vector<std::string> arrays_to_fit(const Dataset& curves, const std::string& wanted) {
  std::vector<std::string> names;
  if (!wanted.empty()) {
    for (const std::string& name : split(wanted, ',')) {
      if (!is_step_layer(curves[name]))
        fail_usage("'{}' has the axes {}; a fit needs step and layer", name,
                   fmt::join(curves[name].axes(), ", "));
      names.push_back(name);
    }
    return names;
  }
  for (const char* name : {"ratio", "top1", "median"})
    if (curves.has(name) && is_step_layer(curves[name])) names.emplace_back(name);
  if (!names.empty()) return names;
  for (const auto& [name, array] : curves.arrays()) {
    const bool is_part = name.ends_with("_low") || name.ends_with("_high") || name.ends_with("_n");
    if (is_step_layer(array) && !is_part) names.push_back(name);
  }
  if (names.empty()) fail("there is no array with the axes step and layer, so nothing can be fitted");
  return names;
}

Dataset fit_series(const Dataset& curves, const GrowthOptions& options, Task& task) {
  const Array* ticks = curves.coord("step");
  if (!ticks) fail("the curves have no coordinate 'step', so a fit does not know when they were");
  std::vector<double> steps, layer_ticks;
  for (int64_t i = 0; i < ticks->size(); ++i) steps.push_back(ticks->number(i));
  const int64_t layers = curves.extent("layer"), count = static_cast<int64_t>(steps.size());
  for (int64_t i = 0; i < layers; ++i)
    layer_ticks.push_back(curves.coord("layer") ? curves.coord("layer")->number(i) : static_cast<double>(i));
  Dataset out;
  out.title = "Five-parameter fits of massive activations";
  out.notes = {
      fmt::format("Intervals: 95 % wild bootstrap of the residuals, {} resamples.", options.resamples),
      "f(t) = A exp(-lambda x) ln x + K, x = gamma t + t0; rivals begin at 0, as they are published."};
  int64_t done = 0;
  for (const std::string& name : options.arrays) {
    const Array& array = curves[name];
    std::vector<LayerFit> fits(static_cast<size_t>(layers));
    parallel_for(layers, [&](int64_t layer, int) {
      LayerFit& mine = fits[static_cast<size_t>(layer)];
      for (int64_t step = 0; step < count; ++step) mine.values.push_back(array.number(step * layers + layer));
      mine.fit = fit_growth(steps, mine.values, options.starts);
      mine.intervals = growth_intervals(mine.fit, steps, mine.values, options.resamples,
                                        options.seed + static_cast<uint64_t>(layer));
      mine.rivals = fit_rivals(steps, mine.values);
    });
    FitWriter(out, name, array, fits).write(steps);
    if (name == options.arrays.front()) add_surface(out, fits, name);
    add_words(out, name, fits, layer_ticks);
    task.step(++done, static_cast<int64_t>(options.arrays.size()));
  }
  out.set_coord("model", Array({"model"}, {4},
                               std::vector<std::string>{"five-parameter", "first-order step",
                                                        "second-order step", "constant"}));
  out.set_coord("step", *ticks);
  if (curves.coord("layer")) out.set_coord("layer", *curves.coord("layer"));
  if (const auto architecture = architecture_in(curves)) put_architecture(out, *architecture);
  for (const std::string& note : curves.notes)
    if (note.rfind("Intervals:", 0) != 0) out.notes.push_back(note);
  out.checks = curves.checks;
  return out;
}

}  // namespace varve
