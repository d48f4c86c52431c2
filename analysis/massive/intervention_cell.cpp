// Finds the places in the pass the runner makes, then passes once more for each way to change them.
#include "analysis/massive/intervention_cell.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "analysis/core/statistics.h"
#include "analysis/massive/largest.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t prompts_a_pass = 64;

// Mean loss of a sequence's predicted tokens from its logits, nats; NaN for one token.
double loss_of(const Site& site, const std::vector<int64_t>& ids) {
  const int64_t vocab = site.shape.back();
  double sum = 0;
  for (size_t pos = 0; pos + 1 < ids.size(); ++pos) {
    const int64_t row = static_cast<int64_t>(pos) * vocab;
    double most = site.at(row), mass = 0;
    for (int64_t v = 1; v < vocab; ++v) most = std::max(most, site.at(row + v));
    for (int64_t v = 0; v < vocab; ++v) mass += std::exp(site.at(row + v) - most);
    const bool known = ids[pos + 1] < vocab;
    sum += most + std::log(mass) -
           (known ? site.at(row + ids[pos + 1]) : -std::numeric_limits<double>::infinity());
  }
  return ids.size() < 2 ? missing : sum / static_cast<double>(ids.size() - 1);
}

struct LossReader : SiteReader {
  const std::vector<std::vector<int64_t>>& prompts;
  std::vector<double> loss;
  explicit LossReader(const std::vector<std::vector<int64_t>>& ids)
      : prompts(ids), loss(ids.size(), missing) {}
  bool wants(const std::string& site) const override { return site == "logits"; }
  void see(const Site& site) override {
    const auto p = static_cast<size_t>(site.prompt);
    loss[p] = loss_of(site, prompts[p]);
  }
};

struct Place {
  int64_t pos = 0, dim = 0;
  double value = 0;  // signed
};

class ChangeCell : public Cell {
 public:
  ChangeCell(const Study& study, const MassiveChangeParams& params)
      : study_(study), params_(params), unchanged_(study.probes().prompts) {
    layers_ = study.spec().layers;
    if (params.layer >= layers_)
      fail_usage("massive-activation-intervention: layer is {}, and the model has 0 to {}", params.layer,
                 layers_ - 1);
    places_.assign(static_cast<size_t>(layers_), {});
    for (auto& layer : places_) layer.resize(study.probes().prompts.size());
    top_.assign(static_cast<size_t>(layers_), 0);
    median_ = top_;
  }

  bool wants(const std::string& site) const override {
    return site == "logits" || site.ends_with(".resid_post");
  }

  void see(const Site& site) override {
    if (site.name == "logits") return unchanged_.see(site);
    const auto layer = static_cast<size_t>(site.layer);
    const int64_t width = site.shape.back();
    const auto count = static_cast<size_t>(params_.count);
    const std::vector<Largest> best =
        site.f32.empty() ? largest_of<double>(site.f64, count) : largest_of<float>(site.f32, count);
    for (const Largest& one : best)
      places_[layer][static_cast<size_t>(site.prompt)].push_back(
          {one.place / width, one.place % width, site.at(one.place)});
    top_[layer] += best.empty() ? 0 : best[0].value;
    median_[layer] += site.f32.empty() ? lower_median<double>(site.f64) : lower_median<float>(site.f32);
  }

  Dataset finish(Task& task) override {
    const size_t layer = chosen_layer();
    std::vector<double> losses = unchanged_.loss;
    const auto prompts = static_cast<int64_t>(losses.size());
    for (size_t k = 1; k < massive_changes.size(); ++k) {
      Task part = task.part(static_cast<double>(k - 1) / 3, static_cast<double>(k) / 3);
      const std::vector<double> changed = losses_with(changes(layer, massive_changes[k]), part);
      losses.insert(losses.end(), changed.begin(), changed.end());
    }
    Dataset result;
    result.title = "Loss without massive activations";
    add_check(result, layer);
    Array loss({"change", "prompt"}, {int64_t{massive_changes.size()}, prompts}, std::move(losses));
    loss.title = "mean loss of a sequence";
    loss.unit = "nats";
    result.set("loss", std::move(loss));
    Array at = Array::scalar(static_cast<double>(layer));
    at.title = "layer whose output was changed";
    result.set("changed_layer", std::move(at));
    put_places(result, layer);
    result.set_coord("change",
                     Array({"change"}, {int64_t{massive_changes.size()}},
                           std::vector<std::string>(massive_changes.begin(), massive_changes.end())));
    return result;
  }

 private:
  size_t chosen_layer() const {
    if (params_.layer >= 0) return static_cast<size_t>(params_.layer);
    size_t best = 0;
    for (size_t l = 1; l < top_.size(); ++l)
      if (top_[l] * median_[best] > top_[best] * median_[l]) best = l;
    return best;
  }

  Interventions changes(size_t layer, std::string_view how) const {
    std::map<std::pair<int64_t, bool>, std::pair<double, double>> sums;  // (feature, sign) -> sum, number
    for (const auto& prompt : places_[layer])
      for (const Place& one : prompt) {
        auto& [sum, number] = sums[{one.dim, one.value < 0}];
        sum += one.value;
        number += 1;
      }
    std::mt19937_64 random(static_cast<uint64_t>(params_.seed));
    const auto width = static_cast<uint64_t>(study_.spec().d_model);
    Interventions all;
    for (size_t p = 0; p < places_[layer].size(); ++p)
      for (const Place& one : places_[layer][p]) {
        Intervention change;
        change.site = fmt::format("blocks.{}.resid_post", layer);
        change.change = Change::set;
        change.where = {{"prompt", static_cast<int64_t>(p)}, {"pos", one.pos}, {"neuron", one.dim}};
        if (how == "mean") {
          const auto& [sum, number] = sums.at({one.dim, one.value < 0});
          change.number = sum / number;
        }
        if (how == "random") change.where["neuron"] = static_cast<int64_t>(random() % width);
        all.push_back(std::move(change));
      }
    return all;
  }

  std::vector<double> losses_with(const Interventions& all, Task& task) const {
    LossReader reader(study_.probes().prompts);
    const auto prompts = static_cast<int64_t>(study_.probes().prompts.size());
    SiteReader* const readers[] = {&reader};
    for (int64_t first = 0; first < prompts; first += prompts_a_pass) {
      const int64_t count = std::min(prompts_a_pass, prompts - first);
      Interventions some;
      for (const Intervention& one : all)
        if (const int64_t p = one.where.at("prompt"); p >= first && p < first + count) some.push_back(one);
      Task part = task.part(static_cast<double>(first) / static_cast<double>(prompts),
                            static_cast<double>(first + count) / static_cast<double>(prompts));
      Pace pace;
      pace.first_prompt = first;
      forward(study_.weights(), prompts_of(study_.probes(), {first, count}), study_.compute(), readers, part,
              pace, some);
    }
    return reader.loss;
  }

  // The law behind all of this: putting back what is there changes nothing.
  void add_check(Dataset& result, size_t layer) const {
    Interventions same;
    const auto count = std::min<int64_t>(prompts_a_pass, static_cast<int64_t>(places_[layer].size()));
    for (int64_t p = 0; p < count; ++p)
      for (const Place& one : places_[layer][static_cast<size_t>(p)])
        same.push_back({.site = fmt::format("blocks.{}.resid_post", layer),
                        .change = Change::set,
                        .where = {{"prompt", p}, {"pos", one.pos}, {"neuron", one.dim}},
                        .number = one.value});
    LossReader reader(study_.probes().prompts);
    SiteReader* const readers[] = {&reader};
    Task unseen;
    forward(study_.weights(), prompts_of(study_.probes(), {0, count}), study_.compute(), readers, unseen, {},
            same);
    double worst = 0;
    for (size_t p = 0; p < static_cast<size_t>(count); ++p)
      if (!std::isnan(reader.loss[p])) worst = std::max(worst, std::abs(reader.loss[p] - unchanged_.loss[p]));
    result.checks.push_back({"activations set to themselves change no loss", worst, 0, count, worst <= 0,
                             "largest difference of a sequence, nats"});
  }

  void put_places(Dataset& result, size_t layer) const {
    const auto prompts = static_cast<int64_t>(places_[layer].size());
    std::vector<int64_t> pos(static_cast<size_t>(prompts * params_.count), -1), dim = pos;
    for (size_t p = 0; p < places_[layer].size(); ++p)
      for (size_t k = 0; k < places_[layer][p].size(); ++k) {
        const size_t at = p * static_cast<size_t>(params_.count) + k;
        pos[at] = places_[layer][p][k].pos;
        dim[at] = places_[layer][p][k].dim;
      }
    result.set("changed_pos", Array({"prompt", "rank"}, {prompts, params_.count}, std::move(pos)));
    result.set("changed_dim", Array({"prompt", "rank"}, {prompts, params_.count}, std::move(dim)));
  }

  const Study& study_;
  MassiveChangeParams params_;
  LossReader unchanged_;
  int64_t layers_ = 0;
  std::vector<std::vector<std::vector<Place>>> places_;  // [layer][prompt]
  std::vector<double> top_, median_;                     // [layer], sums over prompts
};

}  // namespace

std::unique_ptr<Cell> begin_massive_change(const Study& study, const SettingValues& values) {
  return std::make_unique<ChangeCell>(
      study, read_settings<MassiveChangeParams>(values, "massive-activation-intervention"));
}

CellCost massive_change_cost(const ModelSpec& spec, const SettingValues&, const Probes& probes,
                             Compute compute) {
  const int64_t size = compute == Compute::f64 ? 8 : 4, longest = probes.longest();
  CellCost cost;
  cost.flops = 3 * 2.0 * static_cast<double>(12 * spec.layers * spec.d_model * spec.d_model) *
               static_cast<double>(probes.tokens());
  cost.scratch = longest * (output_vocab(spec) + 8 * spec.d_model) * size +
                 std::min<int64_t>(prompts_a_pass, static_cast<int64_t>(probes.prompts.size())) * longest *
                     spec.d_model * 4 * size;
  return cost;
}

Dataset massive_change_over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  const auto params = read_settings<MassiveChangeParams>(values, "massive-activation-intervention");
  const int64_t steps = joined.extent("step"), prompts = joined.extent("prompt");
  const auto ways = static_cast<int64_t>(massive_changes.size());
  const Array& loss = joined["loss"];
  std::vector<double> mean, low, high, more, more_low, more_high;
  std::vector<int64_t> n, cluster(static_cast<size_t>(prompts));
  for (size_t p = 0; p < cluster.size(); ++p) cluster[p] = static_cast<int64_t>(p);
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t way = 0; way < ways; ++way) {
      std::vector<double> own, difference;
      for (int64_t p = 0; p < prompts; ++p) {
        own.push_back(loss.number((step * ways + way) * prompts + p));
        difference.push_back(own.back() - loss.number(step * ways * prompts + p));
      }
      const auto seed = static_cast<uint64_t>(params.seed);
      const Estimate one = bootstrap_mean(own, cluster, params.bootstrap, seed);
      const Estimate by = bootstrap_mean(difference, cluster, params.bootstrap, seed);
      mean.push_back(one.value), low.push_back(one.low), high.push_back(one.high), n.push_back(one.n);
      more.push_back(by.value), more_low.push_back(by.low), more_high.push_back(by.high);
      task.step(step * ways + way + 1, steps * ways);
    }
  Dataset out;
  out.title = "Loss without massive activations, over the series";
  const std::vector<std::string> axes = {"step", "change"};
  const auto put = [&](const std::string& name, std::vector<double> numbers, const std::string& title,
                       const char* unit) {
    Array array(axes, {steps, ways}, std::move(numbers));
    array.title = title;
    array.unit = unit;
    out.set(name, std::move(array));
  };
  const auto powers = [](std::vector<double> numbers) {
    for (double& v : numbers) v = std::exp(v);
    return numbers;
  };
  const std::string lower = ", lower end of the 95 % interval", upper = ", upper end of the 95 % interval";
  put("perplexity", powers(mean), "perplexity", "");
  put("perplexity_low", powers(low), "perplexity" + lower, "");
  put("perplexity_high", powers(high), "perplexity" + upper, "");
  put("loss", std::move(mean), "mean loss", "nats");
  put("loss_low", std::move(low), "mean loss" + lower, "nats");
  put("loss_high", std::move(high), "mean loss" + upper, "nats");
  put("increase", std::move(more), "loss more than unchanged", "nats");
  put("increase_low", std::move(more_low), "loss more than unchanged" + lower, "nats");
  put("increase_high", std::move(more_high), "loss more than unchanged" + upper, "nats");
  out.set("loss_n", Array(axes, {steps, ways}, std::move(n)));
  out.set("changed_layer", joined["changed_layer"]);
  out.set_coord("step", *joined.coord("step"));
  out.set_coord("change", *joined.coord("change"));
  out.notes = joined.notes;
  out.notes.push_back(prompts > 1
                          ? fmt::format("Intervals: 95 % bootstrap over {} sequences, {} resamplings.",
                                        prompts, params.bootstrap)
                          : std::string("One sequence: no interval. Give more prompts for one."));
  out.checks = joined.checks;
  return out;
}

}  // namespace varve
