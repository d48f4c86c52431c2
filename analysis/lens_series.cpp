// Means of the logit lens over prompts and positions, with intervals.
#include "analysis/lens_series.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "analysis/core/statistics.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// Means over all positions of all prompts, per (step, layer), with a bootstrap over prompts.
class SeriesMeans {
 public:
  SeriesMeans(const Dataset& joined, int64_t resamplings, uint64_t seed, Task& task)
      : joined_(joined), resamplings_(resamplings), seed_(seed), task_(task) {
    steps_ = joined.extent("step");
    layers_ = joined.extent("layer");
    prompts_ = joined.extent("prompt");
    positions_ = joined.extent("pos");
  }

  Dataset made() {
    Dataset series;
    series.title = "Logit lens over the series";
    add(series, "cross_entropy", "cross-entropy of the true next token", "nats", value_of("cross_entropy"));
    add(series, "prob_true", "probability of the true next token", "probability", value_of("prob_true"));
    add(series, "entropy", "entropy of the layer's distribution", "nats", value_of("entropy"));
    add(series, "kl_final_lens", "KL(final || layer)", "nats", value_of("kl_final_lens"));
    add(series, "kl_lens_final", "KL(layer || final)", "nats", value_of("kl_lens_final"));
    add(series, "top1_share", "share of positions whose top token is the true one", "share",
        share_of("rank_true"));
    add(series, "agreement", "share of positions whose top token is the final one", "share",
        share_of("rank_final"));
    add_per_step(series, "prediction_depth", "mean prediction depth", joined_["prediction_depth"]);
    add_per_step(series, "first_correct_layer", "mean first-correct layer, where there is one",
                 joined_["first_correct_layer"]);
    add_never(series);
    series.set_coord("step", *joined_.coord("step"));
    series.set_coord("layer", *joined_.coord("layer"));
    series.notes = joined_.notes;
    series.checks = joined_.checks;
    series.notes.push_back(
        prompts_ > 1 ? fmt::format("Intervals: 95 % bootstrap over {} prompts, {} resamplings.", prompts_,
                                   resamplings_)
                     : std::string("One prompt: means have no interval. Give more prompts for one."));
    return series;
  }

 private:
  using Reading = std::function<double(int64_t flat)>;
  Reading value_of(const std::string& name) const {
    const Array& array = joined_[name];
    return [&array](int64_t flat) { return array.number(flat); };
  }
  // 1 where the rank is 1, 0 where it is not, missing where there is none.
  Reading share_of(const std::string& name) const {
    const Array& array = joined_[name];
    return [&array](int64_t flat) {
      const double rank = array.number(flat);
      return std::isnan(rank) ? missing : (rank == 1 ? 1.0 : 0.0);
    };
  }

  Estimate estimate(const Reading& reading, int64_t first_flat) const {
    std::vector<double> values;
    std::vector<int64_t> cluster;
    for (int64_t p = 0; p < prompts_; ++p)
      for (int64_t i = 0; i < positions_; ++i) {
        const double value = reading(first_flat + p * positions_ + i);
        if (!std::isfinite(value)) continue;
        values.push_back(value);
        cluster.push_back(p);
      }
    return bootstrap_mean(values, cluster, resamplings_, seed_);
  }

  void store(Dataset& series, const std::string& name, const char* title, const char* unit,
             const std::vector<std::string>& axes, const std::vector<int64_t>& shape,
             const std::vector<Estimate>& all) const {
    std::vector<double> value, low, high;
    std::vector<int64_t> n;
    for (const Estimate& one : all) {
      value.push_back(one.value);
      low.push_back(one.low);
      high.push_back(one.high);
      n.push_back(one.n);
    }
    const auto put = [&](const std::string& suffix, std::vector<double> numbers, const std::string& words) {
      Array array(axes, shape, std::move(numbers));
      array.title = title + words;
      array.unit = unit;
      series.set(name + suffix, std::move(array));
    };
    put("", std::move(value), "");
    put("_low", std::move(low), ", lower end of the 95 % interval");
    put("_high", std::move(high), ", upper end of the 95 % interval");
    Array counts(axes, shape, std::move(n));
    counts.title = std::string("n behind: ") + title;
    series.set(name + "_n", std::move(counts));
  }

  void add(Dataset& series, const std::string& name, const char* title, const char* unit,
           const Reading& reading) {
    std::vector<Estimate> all;
    for (int64_t step = 0; step < steps_; ++step) {
      for (int64_t layer = 0; layer < layers_; ++layer) {
        all.push_back(estimate(reading, (step * layers_ + layer) * prompts_ * positions_));
        task_.step(0, 1);
      }
    }
    store(series, name, title, unit, {"step", "layer"}, {steps_, layers_}, all);
  }

  void add_per_step(Dataset& series, const std::string& name, const char* title, const Array& array) {
    std::vector<Estimate> all;
    for (int64_t step = 0; step < steps_; ++step) {
      all.push_back(
          estimate([&array](int64_t flat) { return array.number(flat); }, step * prompts_ * positions_));
      task_.step(0, 1);
    }
    store(series, name, title, "layer", {"step"}, {steps_}, all);
  }

  // Positions that have a true next token, and no layer says it.
  void add_never(Dataset& series) {
    const Array& first = joined_["first_correct_layer"];
    const Array& rank = joined_["rank_true"];
    std::vector<Estimate> all;
    for (int64_t step = 0; step < steps_; ++step) {
      const int64_t begin = step * prompts_ * positions_;
      all.push_back(estimate(
          [&](int64_t flat) {
            const int64_t within = flat - begin;
            const double has_true = rank.number(step * layers_ * prompts_ * positions_ + within);
            return std::isnan(has_true) ? missing : (std::isnan(first.number(flat)) ? 1.0 : 0.0);
          },
          begin));
      task_.step(0, 1);
    }
    store(series, "never_share", "share of positions that no layer gets right", "share", {"step"}, {steps_},
          all);
  }

  const Dataset& joined_;
  int64_t resamplings_;
  uint64_t seed_;
  Task& task_;
  int64_t steps_ = 0, layers_ = 0, prompts_ = 0, positions_ = 0;
};

}  // namespace

Dataset lens_over_the_series(const Dataset& joined, int64_t resamplings, uint64_t seed, Task& task) {
  return SeriesMeans(joined, resamplings, seed, task).made();
}

}  // namespace varve
