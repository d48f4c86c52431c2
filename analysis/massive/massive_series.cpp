// Means over sequences, with intervals, of what massive-activations measures.
#include "analysis/massive/massive_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "analysis/core/pool.h"
#include "analysis/core/statistics.h"
#include "analysis/massive/architecture.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

using Shape = std::vector<int64_t>;
const std::vector<std::string> step_layer = {"step", "layer"};

void put(Dataset& series, const std::string& name, const std::string& title, const char* unit,
         std::vector<double> values, int64_t steps, int64_t layers) {
  Array array(step_layer, {steps, layers}, std::move(values));
  array.title = title;
  array.unit = unit;
  series.set(name, std::move(array));
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? missing : sum / static_cast<double>(values.size());
}

struct Ratio {
  double value = missing, low = missing, high = missing, each = missing, cv = missing, sem = missing;
  int64_t n = 0;
};

Ratio ratio_of(const std::vector<double>& top, const std::vector<double>& median, int64_t resamplings,
               uint64_t seed) {
  Ratio out;
  std::vector<double> ratios, tops, medians;
  for (size_t i = 0; i < top.size(); ++i)
    if (std::isfinite(top[i]) && std::isfinite(median[i]) && median[i] > 0) {
      tops.push_back(top[i]);
      medians.push_back(median[i]);
      ratios.push_back(top[i] / median[i]);
    }
  out.n = static_cast<int64_t>(ratios.size());
  if (ratios.empty()) return out;
  out.value = mean_of(tops) / mean_of(medians);
  out.each = mean_of(ratios);
  if (ratios.size() < 2) return out;
  double squares = 0;
  for (const double r : ratios) squares += (r - out.each) * (r - out.each);
  const double count = static_cast<double>(ratios.size());
  const double deviation = std::sqrt(squares / (count - 1));
  out.cv = 100 * deviation / out.each;
  out.sem = out.cv / std::sqrt(count);
  std::mt19937_64 random(seed);
  std::vector<double> drawn;
  for (int64_t sample = 0; sample < resamplings; ++sample) {
    double above = 0, below = 0;
    for (size_t i = 0; i < tops.size(); ++i) {
      const size_t one = random() % tops.size();
      above += tops[one];
      below += medians[one];
    }
    drawn.push_back(above / below);
  }
  out.low = quantile(drawn, 0.025);
  out.high = quantile(std::move(drawn), 0.975);
  return out;
}

// The most frequent number, the smallest of them where several are; -1 where there is none.
int64_t mode_of(const std::vector<int64_t>& values) {
  std::map<int64_t, int64_t> counts;
  for (const int64_t v : values)
    if (v >= 0) ++counts[v];
  int64_t mode = -1, most = 0;
  for (const auto& [value, count] : counts)
    if (count > most) mode = value, most = count;
  return mode;
}

double share_of(const std::vector<int64_t>& values, int64_t wanted) {
  if (values.empty() || wanted < 0) return missing;
  return static_cast<double>(std::count(values.begin(), values.end(), wanted)) /
         static_cast<double>(values.size());
}

bool has_numbers(const Array& array) {
  for (int64_t i = 0; i < array.size(); ++i)
    if (std::isfinite(array.number(i))) return true;
  return false;
}

class SeriesPlaces {
 public:
  SeriesPlaces(const Dataset& joined) : joined_(joined) {
    steps_ = joined.extent("step");
    layers_ = joined.extent("layer");
    prompts_ = joined.extent("prompt");
  }

  void add_means(Dataset& series, const std::string& name, const std::string& as) const {
    const Array& array = joined_[name];
    std::vector<double> means;
    for (int64_t at = 0; at < steps_ * layers_; ++at) {
      std::vector<double> finite;
      for (int64_t p = 0; p < prompts_; ++p)
        if (const double v = array.number(at * prompts_ + p); std::isfinite(v)) finite.push_back(v);
      means.push_back(mean_of(finite));
    }
    put(series, as, array.title, array.unit.c_str(), std::move(means), steps_, layers_);
  }

  // Where top-1 lies: its most frequent place, the share of sequences that agree, and the share whose place
  // is the one of the last step.
  void add_places(Dataset& series, const std::string& name, const std::string& what) const {
    std::vector<double> mode, share, kept;
    for (int64_t step = 0; step < steps_; ++step)
      for (int64_t layer = 0; layer < layers_; ++layer) {
        const std::vector<int64_t> here = places(name, step, layer);
        const int64_t most = mode_of(here);
        mode.push_back(most < 0 ? missing : static_cast<double>(most));
        share.push_back(share_of(here, most));
        kept.push_back(share_of(here, mode_of(places(name, steps_ - 1, layer))));
      }
    put(series, name, "most frequent " + what + " of top-1", "", std::move(mode), steps_, layers_);
    put(series, name + "_share", "share of sequences with top-1 at the most frequent " + what, "share",
        std::move(share), steps_, layers_);
    put(series, name + "_kept", "share of sequences with top-1 at the last step's " + what, "share",
        std::move(kept), steps_, layers_);
  }

 private:
  std::vector<int64_t> places(const std::string& name, int64_t step, int64_t layer) const {
    const Array& array = joined_[name];
    const int64_t ranks = array.extent("rank");
    std::vector<int64_t> all;
    for (int64_t p = 0; p < prompts_; ++p)
      all.push_back(static_cast<int64_t>(array.number(((step * layers_ + layer) * prompts_ + p) * ranks)));
    return all;
  }

  const Dataset& joined_;
  int64_t steps_ = 0, layers_ = 0, prompts_ = 0;
};

void add_events(Dataset& series) {
  const Array& share = series["massive_share"];
  const int64_t layers = series.extent("layer");
  for (int64_t at = 0; at < share.size(); ++at)
    if (share.number(at) > 0) {
      series.events.push_back({static_cast<int64_t>(series.coord("step")->number(at / layers)),
                               fmt::format("first massive, L{}", series.coord("layer")->number(at % layers)),
                               "first step at which a sequence has |h| > 100 and 1000 x median or more"});
      return;
    }
}

}  // namespace

void add_ratios(Dataset& series, const Array& top, const Array& median, int64_t resamplings, uint64_t seed,
                Task& task) {
  const int64_t steps = top.extent("step"), layers = top.extent("layer"), prompts = top.extent("prompt");
  const int64_t ranks = top.extent("rank"), places = steps * layers;
  std::vector<Ratio> ratios(static_cast<size_t>(places));
  std::vector<std::vector<double>> means(static_cast<size_t>(ranks + 1),
                                         std::vector<double>(static_cast<size_t>(places)));
  parallel_for(places, [&](int64_t at, int) {
    std::vector<std::vector<double>> columns(static_cast<size_t>(ranks + 1));
    for (int64_t p = 0; p < prompts; ++p) {
      for (int64_t k = 0; k < ranks; ++k)
        columns[static_cast<size_t>(k)].push_back(top.number((at * prompts + p) * ranks + k));
      columns.back().push_back(median.number(at * prompts + p));
    }
    const auto here = static_cast<size_t>(at);
    ratios[here] = ratio_of(columns.front(), columns.back(), resamplings, seed + static_cast<uint64_t>(at));
    for (size_t k = 0; k < columns.size(); ++k) {
      std::erase_if(columns[k], [](double v) { return !std::isfinite(v); });
      means[k][here] = mean_of(columns[k]);
    }
  });
  task.step(1, 1);
  const auto column = [&ratios](double Ratio::*member) {
    std::vector<double> out;
    for (const Ratio& one : ratios) out.push_back(one.*member);
    return out;
  };
  const std::string title = "ratio of mean top-1 to mean median";
  put(series, "ratio", title, "", column(&Ratio::value), steps, layers);
  put(series, "ratio_low", title + ", lower end of the 95 % interval", "", column(&Ratio::low), steps,
      layers);
  put(series, "ratio_high", title + ", upper end of the 95 % interval", "", column(&Ratio::high), steps,
      layers);
  std::vector<int64_t> n;
  for (const Ratio& one : ratios) n.push_back(one.n);
  Array counts(step_layer, {steps, layers}, std::move(n));
  counts.title = "sequences behind: " + title;
  series.set("ratio_n", std::move(counts));
  put(series, "ratio_each", "mean of top-1 / median over sequences", "", column(&Ratio::each), steps, layers);
  put(series, "ratio_cv", "spread of top-1 / median over sequences (CV)", "%", column(&Ratio::cv), steps,
      layers);
  put(series, "ratio_sem", "standard error of the mean of top-1 / median", "%", column(&Ratio::sem), steps,
      layers);
  for (int64_t k = 0; k < ranks; ++k)
    put(series, fmt::format("top{}", k + 1), fmt::format("mean top-{} size", k + 1), "|resid_post|",
        std::move(means[static_cast<size_t>(k)]), steps, layers);
  put(series, "median", "mean of the median size", "|resid_post|", std::move(means.back()), steps, layers);
}

std::vector<std::string> massive_reads() {
  return {"top",         "top_pos", "top_dim",      "median", "massive",    "residual_peak", "sink",
          "value_drain", "layers",  "d_model_size", "heads",  "d_mlp_size", "parameters"};
}

Dataset massive_over_the_series(const Dataset& joined, int64_t resamplings, uint64_t seed, Task& task) {
  Dataset series;
  series.title = "Massive activations over the series";
  series.provenance["leading_array"] = "ratio";
  add_ratios(series, joined["top"], joined["median"], resamplings, seed, task);
  const SeriesPlaces places(joined);
  places.add_means(series, "massive", "massive_share");
  places.add_means(series, "residual_peak", "residual_peak");
  for (const char* name : {"sink", "value_drain"})
    if (has_numbers(joined[name])) places.add_means(series, name, name);
  places.add_places(series, "top_dim", "feature");
  places.add_places(series, "top_pos", "position");
  if (const auto architecture = architecture_in(joined)) put_architecture(series, *architecture);
  series.set_coord("step", *joined.coord("step"));
  series.set_coord("layer", *joined.coord("layer"));
  series.notes = joined.notes;
  series.checks = joined.checks;
  const int64_t prompts = joined.extent("prompt");
  series.notes.push_back(
      prompts > 1
          ? fmt::format("Intervals: 95 % bootstrap over {} sequences, {} resamplings.", prompts, resamplings)
          : std::string("One sequence: no interval, no CV. Give more prompts for one."));
  add_events(series);
  return series;
}

}  // namespace varve
