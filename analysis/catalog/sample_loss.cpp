// Sample loss: how well each sample is predicted, l = mean over its tokens of -log p(token | those before),
// in nats.
#include "analysis/analysis.h"

#include <cmath>
#include <limits>
#include <tuple>

#include "analysis/pathways/estimates.h"
#include "analysis/pathways/groups.h"

namespace varve {
namespace {

struct Params {
  int64_t bootstrap = 1000, seed = 0;
  template <class Visit>
  void each(Visit&& visit) {
    visit("bootstrap", bootstrap, "resamplings of samples behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

class LossCell : public Cell {
 public:
  explicit LossCell(const Study& study) : study_(study) {
    loss_.assign(study.probes().prompts.size(), std::nan(""));
    right_ = loss_;
  }
  bool wants(const std::string& site) const override { return site == "logits"; }

  void see(const Site& site) override {
    const std::vector<int64_t>& ids = study_.probes().prompts[static_cast<size_t>(site.prompt)];
    if (ids.size() < 2) return;
    const int64_t vocab = site.shape.back();
    double sum = 0, right = 0;
    for (size_t pos = 0; pos + 1 < ids.size(); ++pos) {
      const int64_t row = static_cast<int64_t>(pos) * vocab;
      double most = site.at(row), mass = 0;
      for (int64_t v = 1; v < vocab; ++v) most = std::max(most, site.at(row + v));
      for (int64_t v = 0; v < vocab; ++v) mass += std::exp(site.at(row + v) - most);
      // An id that has no logit can only be wrong.
      const bool known = ids[pos + 1] < vocab;
      const double own = known ? site.at(row + ids[pos + 1]) : -std::numeric_limits<double>::infinity();
      sum += most + std::log(mass) - own;
      right += own >= most ? 1 : 0;
    }
    const auto count = static_cast<double>(ids.size() - 1);
    loss_[static_cast<size_t>(site.prompt)] = sum / count;
    right_[static_cast<size_t>(site.prompt)] = right / count;
  }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Sample loss";
    const auto prompts = static_cast<int64_t>(loss_.size());
    double lowest = 0;
    int64_t n = 0;
    for (const double loss : loss_)
      if (!std::isnan(loss)) lowest = std::min(lowest, loss), ++n;
    result.set("loss",
               titled({"prompt"}, {prompts}, loss_, "mean loss over the sample's predicted tokens", "nats"));
    result.set("accuracy", titled({"prompt"}, {prompts}, right_,
                                  "share of the sample's tokens whose top prediction is right", "share"));
    result.checks.push_back(
        {"loss is not negative", -lowest, 1e-6, n, -lowest <= 1e-6, "worst sample, nats"});
    if (n < prompts)
      result.notes.push_back(fmt::format(
          "{} of {} samples have no loss: a sample of one token predicts nothing, and logits must be finite.",
          prompts - n, prompts));
    return result;
  }

 private:
  const Study& study_;
  std::vector<double> loss_, right_;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues&) {
  return std::make_unique<LossCell>(study);
}

CellCost cost(const ModelSpec& spec, const SettingValues&, const Probes& probes, Compute compute) {
  CellCost cell;
  cell.scratch = probes.longest() * output_vocab(spec) * (compute == Compute::f64 ? 8 : 4);
  cell.reduced_per_place = cell.result_per_place = bytes_per_place(2, probes);
  return cell;
}

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values,
                        Task& task) {
  const Params params = read_settings<Params>(values, "sample-loss");
  const int64_t steps = joined.extent("step"), prompts = joined.extent("prompt");
  const Groups groups = groups_of(inputs, prompts);
  std::vector<std::string> names{"all samples"};
  if (groups.given) names.insert(names.end(), groups.names.begin(), groups.names.end());
  const auto count = static_cast<int64_t>(names.size());
  Dataset series;
  series.title = "Sample loss over the series";
  for (const auto& [name, title, unit] :
       {std::tuple("loss", "mean loss of the samples", "nats"),
        std::tuple("accuracy", "share of tokens whose top prediction is right", "share")}) {
    Estimates all({"step", "group"}, {steps, count});
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t g = 0; g < count; ++g) {
        all.put(step * count + g, mean_over_samples(joined[name], step * prompts, groups.of, g - 1,
                                                    params.bootstrap, static_cast<uint64_t>(params.seed)));
        task.step(0, 1);
      }
    all.into(series, name, title, unit);
  }
  series.set("sample_loss", joined["loss"]);
  series.set_coord("step", *joined.coord("step"));
  series.set_coord("group", group_names(names));
  series.notes = joined.notes;
  series.checks = joined.checks;
  return series;
}

}  // namespace

void add_sample_loss(AnalysisCatalog& catalog) {
  Analysis loss;
  loss.name = "sample-loss";
  loss.summary = "how well each sample is predicted at each checkpoint";
  loss.help =
      "Mean cross-entropy of each sample's tokens given those before it, in nats a token, and the share of "
      "tokens whose "
      "top prediction is right. The first token is not predicted. Example: varve run sample-loss moe.varve "
      "--tokens "
      "samples.npz:ids --with groups=samples.npz:domain";
  loss.settings = declared_settings<Params>();
  loss.begin = begin;
  loss.inputs = {{"groups", "one label a sample; means are then given for each group, too"}};
  loss.reduce_with = over_the_series;
  loss.cost = cost;
  catalog.add(std::move(loss));
}

}  // namespace varve
