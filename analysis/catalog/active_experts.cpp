// Active experts: how well the model predicts when k' experts a token are used instead of the k it was
// trained with (dynamic expert search, and its reviewers' caution).
//
// A problem is a token to be predicted. Solved set S: the problems whose answer is right. Structural
// diversity: Jaccard of S at different k', same draw. Sampling diversity: Jaccard of S at the same k',
// different draws. Answers are drawn from the model's distribution by one uniform number a problem and draw,
// so that the same draw differs between two k' by the distributions alone; greedy answers are given beside.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/groups.h"
#include "analysis/pathways/routing_reader.h"

namespace varve {
namespace {

struct Params {
  std::string counts = "", weights = "model", problems = "every";
  int64_t draws = 3, bootstrap = 1000, seed = 0;
  template <class Visit>
  void each(Visit&& visit) {
    visit("counts", counts,
          "how many experts a token to try, as in 1,2,4,8; empty: half, the model's own, twice, ...");
    visit("weights", weights,
          "divide the chosen experts' weights by their sum, leave them, or as the model does",
          Choices{"model", "renormalised", "raw"});
    visit("problems", problems, "which tokens are problems: every one, or each prompt's last",
          Choices{"every", "last"});
    visit("draws", draws, "answers drawn for each problem and count", Range{2, 100});
    visit("bootstrap", bootstrap, "resamplings of prompts behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the draws and the resampling", Range{0, 1e15});
  }
};

std::vector<int64_t> counts_of(const Params& params, const ModelSpec& spec) {
  std::vector<int64_t> counts;
  if (params.counts.empty()) {
    for (int64_t k = 1; k < spec.experts_per_token; k *= 2) counts.push_back(k);
    counts.push_back(spec.experts_per_token);
    if (2 * spec.experts_per_token <= spec.experts) counts.push_back(2 * spec.experts_per_token);
    if (counts.back() != spec.experts) counts.push_back(spec.experts);
    return counts;
  }
  for (const std::string& word : split(params.counts, ',')) {
    if (word.empty() || word.size() > 6 || word.find_first_not_of("0123456789") != std::string::npos)
      fail_usage("counts = {}: '{}' is no number of experts", params.counts, word);
    const int64_t k = std::stoll(word);
    if (k < 1 || k > spec.experts)
      fail_usage("{} experts a token were asked for; this model has {}", k, spec.experts);
    counts.push_back(k);
  }
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

// What one count of experts gives: per problem the loss, the greedy answer, and each draw's.
class Answers : public SiteReader {
 public:
  Answers(const Probes& probes, const Params& params, const std::vector<double>& uniform)
      : probes_(probes), params_(params), uniform_(uniform) {}
  bool wants(const std::string& site) const override { return site == "logits"; }
  void see(const Site& site) override {
    const std::vector<int64_t>& ids = probes_.prompts[static_cast<size_t>(site.prompt)];
    const size_t first = params_.problems == "last" && ids.size() > 1 ? ids.size() - 2 : 0;
    for (size_t pos = first; pos + 1 < ids.size(); ++pos)
      see_problem(site, static_cast<int64_t>(pos), ids[pos + 1]);
  }

  std::vector<double> loss;
  std::vector<uint8_t> greedy, drawn;  // drawn [problem, draw]

 private:
  void see_problem(const Site& site, int64_t pos, int64_t answer) {
    const int64_t vocab = site.shape.back(), row = pos * vocab;
    int64_t best = 0;
    for (int64_t v = 1; v < vocab; ++v)
      if (site.at(row + v) > site.at(row + best)) best = v;
    const double most = site.at(row + best);
    std::vector<double> upto(static_cast<size_t>(vocab));
    double mass = 0;
    for (int64_t v = 0; v < vocab; ++v)
      upto[static_cast<size_t>(v)] = mass += std::exp(site.at(row + v) - most);
    const bool known = answer < vocab;
    loss.push_back(known ? most + std::log(mass) - site.at(row + answer)
                         : std::numeric_limits<double>::infinity());
    greedy.push_back(best == answer ? 1 : 0);
    for (int64_t draw = 0; draw < params_.draws; ++draw) {
      const double place =
          uniform_[(loss.size() - 1) * static_cast<size_t>(params_.draws) + static_cast<size_t>(draw)];
      const auto chosen = std::upper_bound(upto.begin(), upto.end() - 1, place * mass) - upto.begin();
      drawn.push_back(chosen == answer ? 1 : 0);
    }
  }
  const Probes& probes_;
  const Params& params_;
  const std::vector<double>& uniform_;
};

double jaccard(std::span<const uint8_t> a, std::span<const uint8_t> b, size_t offset_a, size_t offset_b,
               size_t stride) {
  double both = 0, either = 0;
  for (size_t i = 0; i * stride < a.size(); ++i) {
    const bool in_a = a[i * stride + offset_a] > 0, in_b = b[i * stride + offset_b] > 0;
    both += in_a && in_b ? 1 : 0;
    either += in_a || in_b ? 1 : 0;
  }
  return either > 0 ? both / either : std::numeric_limits<double>::quiet_NaN();
}

// The same tensors read by another description. Weights hands its spec out as constant, since nobody else may
// change it; the copy made here is our own and seen by nobody yet.
Weights read_as(const Weights& weights, const ModelSpec& spec) {
  Weights copy = weights;
  const_cast<ModelSpec&>(copy.spec()) = spec;
  return copy;
}

class ActiveCell : public Cell {
 public:
  ActiveCell(const Study& study, const Params& params)
      : study_(study), params_(params), counts_(counts_of(params, study.spec())) {}
  // The cell runs its own forwards, one a count.
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    const Probes& probes = study_.probes();
    for (size_t p = 0; p < probes.prompts.size(); ++p) {
      const size_t tokens = probes.prompts[p].size();
      const size_t problems = tokens < 2 ? 0 : params_.problems == "last" ? 1 : tokens - 1;
      prompt_of_.insert(prompt_of_.end(), problems, static_cast<int64_t>(p));
    }
    if (prompt_of_.empty()) fail("active-experts needs prompts of two tokens or more");
    std::mt19937_64 random(static_cast<uint64_t>(params_.seed));
    std::vector<double> uniform(prompt_of_.size() * static_cast<size_t>(params_.draws));
    for (double& one : uniform) one = static_cast<double>(random() >> 11) * 0x1p-53;
    std::vector<Answers> all;
    for (size_t i = 0; i < counts_.size(); ++i) {
      ModelSpec spec = study_.spec();
      spec.experts_per_token = counts_[i];
      if (params_.weights != "model") spec.renormalise = params_.weights == "renormalised";
      const Weights weights = read_as(study_.weights(), spec);
      all.emplace_back(probes, params_, uniform);
      SiteReader* const readers[] = {&all.back()};
      Task part = task.part(static_cast<double>(i) / static_cast<double>(counts_.size()),
                            static_cast<double>(i + 1) / static_cast<double>(counts_.size()));
      forward(weights, probes, study_.compute(), readers, part);
    }
    return result(all);
  }

 private:
  Estimate mean(const std::vector<double>& values) const {
    return bootstrap_mean(values, prompt_of_, params_.bootstrap, static_cast<uint64_t>(params_.seed));
  }

  Dataset result(const std::vector<Answers>& all) const {
    const auto count = static_cast<int64_t>(counts_.size());
    const auto draws = static_cast<size_t>(params_.draws);
    Estimates loss({"active"}, {count}), greedy({"active"}, {count}), drawn({"active"}, {count});
    std::vector<double> structural, same_k(static_cast<size_t>(count), 0), unique(same_k);
    for (int64_t i = 0; i < count; ++i) {
      const Answers& mine = all[static_cast<size_t>(i)];
      loss.put(i, mean(mine.loss));
      greedy.put(i, mean({mine.greedy.begin(), mine.greedy.end()}));
      std::vector<double> per_problem;
      for (size_t p = 0; p < prompt_of_.size(); ++p) {
        double right = 0;
        for (size_t d = 0; d < draws; ++d) right += mine.drawn[p * draws + d];
        per_problem.push_back(right / static_cast<double>(draws));
      }
      drawn.put(i, mean(per_problem));
      // Means over draws, and over pairs of draws.
      for (int64_t j = 0; j < count; ++j) {
        double sum = 0;
        for (size_t d = 0; d < draws; ++d)
          sum += jaccard(mine.drawn, all[static_cast<size_t>(j)].drawn, d, d, draws);
        structural.push_back(sum / static_cast<double>(draws));
      }
      double pairs = 0;
      for (size_t d = 0; d < draws; ++d)
        for (size_t e = d + 1; e < draws; ++e, ++pairs)
          same_k[static_cast<size_t>(i)] += jaccard(mine.drawn, mine.drawn, d, e, draws);
      same_k[static_cast<size_t>(i)] /= pairs;
    }
    std::vector<double> oracle;
    for (size_t p = 0; p < prompt_of_.size(); ++p) {
      int64_t solvers = 0, solver = 0;
      for (int64_t i = 0; i < count; ++i)
        if (all[static_cast<size_t>(i)].greedy[p] > 0) ++solvers, solver = i;
      oracle.push_back(solvers > 0 ? 1 : 0);
      if (solvers == 1) unique[static_cast<size_t>(solver)] += 1;
    }
    Dataset data;
    data.title = "Active experts";
    loss.into(data, "loss", "mean loss with so many experts a token", "nats");
    greedy.into(data, "accuracy", "share of problems whose top answer is right", "share");
    drawn.into(data, "accuracy_drawn", "share of drawn answers that are right", "share");
    data.set("jaccard_structural", titled({"active", "active_other"}, {count, count}, structural,
                                          "Jaccard of solved sets at two counts, same draw", "share"));
    data.set("jaccard_sampling", titled({"active"}, {count}, same_k,
                                        "Jaccard of solved sets at one count, different draws", "share"));
    data.set("unique",
             titled({"active"}, {count}, unique, "problems that only this count solves", "problems"));
    const Estimate whole = mean(oracle);
    data.set("oracle", Array::scalar(whole.value));
    Array ticks({"active"}, {count}, counts_), others({"active_other"}, {count}, counts_);
    ticks.unit = others.unit = "experts a token";
    data.set_coord("active", ticks);
    data.set_coord("active_other", others);
    data.notes.push_back(fmt::format(
        "{} problems in {} prompts; the model was trained with {} of {} experts a token, weights {}.",
        prompt_of_.size(), study_.probes().prompts.size(), study_.spec().experts_per_token,
        study_.spec().experts, params_.weights));
    data.notes.push_back(
        "Two counts differ structurally only as far as their Jaccard lies below that of two draws at one "
        "count.");
    double worst = 0;
    for (int64_t i = 0; i < count; ++i)
      worst = std::max(worst, std::abs(structural[static_cast<size_t>(i * count + i)] - 1));
    if (std::isnan(worst)) worst = 0;
    data.checks.push_back(
        {"a solved set equals itself", worst, 0, count, worst <= 0, "Jaccard on the diagonal"});
    return data;
  }

  const Study& study_;
  Params params_;
  std::vector<int64_t> counts_, prompt_of_;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  need_experts(study.spec(), "active-experts");
  return std::make_unique<ActiveCell>(study, read_settings<Params>(values, "active-experts"));
}

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute compute) {
  const Params params = read_settings<Params>(values, "active-experts");
  const auto counts = static_cast<int64_t>(counts_of(params, spec).size());
  CellCost cell;
  // A forward of its own for each count keeps the residual stream of all prompts, and shows logits prompt by
  // prompt.
  cell.scratch = probes.tokens() * spec.d_model * 4 * 8 +
                 probes.longest() * output_vocab(spec) * (compute == Compute::f64 ? 16 : 12);
  cell.reduced_per_place = cell.result_per_place = counts * (10 + params.draws);
  return cell;
}

// Right or wrong by count and problem, as somebody else found it.
Dataset from_table(const Array& table) {
  if (table.axes().size() != 2) fail("the input 'correct' must lie over count of experts and problem");
  const int64_t counts = table.shape()[0], problems = table.shape()[1];
  std::vector<double> accuracy, unique(static_cast<size_t>(counts), 0), overlap;
  double oracle = 0;
  const auto solved = [&](int64_t k, int64_t p) { return table.number(k * problems + p) > 0.5; };
  for (int64_t k = 0; k < counts; ++k) {
    double right = 0;
    for (int64_t p = 0; p < problems; ++p) right += solved(k, p) ? 1 : 0;
    accuracy.push_back(right / static_cast<double>(problems));
    for (int64_t other = 0; other < counts; ++other) {
      double both = 0, either = 0;
      for (int64_t p = 0; p < problems; ++p) {
        both += solved(k, p) && solved(other, p) ? 1 : 0;
        either += solved(k, p) || solved(other, p) ? 1 : 0;
      }
      overlap.push_back(either > 0 ? both / either : std::nan(""));
    }
  }
  for (int64_t p = 0; p < problems; ++p) {
    int64_t solvers = 0, solver = 0;
    for (int64_t k = 0; k < counts; ++k)
      if (solved(k, p)) ++solvers, solver = k;
    oracle += solvers > 0 ? 1 : 0;
    if (solvers == 1) unique[static_cast<size_t>(solver)] += 1;
  }
  Dataset data;
  data.title = "Active experts, from imported answers";
  data.set("accuracy", titled({"active"}, {counts}, accuracy, "share of problems solved", "share"));
  data.set("jaccard_structural", titled({"active", "active_other"}, {counts, counts}, overlap,
                                        "Jaccard of solved sets at two counts", "share"));
  data.set("unique", titled({"active"}, {counts}, unique, "problems that only this row solves", "problems"));
  data.set("oracle", Array::scalar(oracle / static_cast<double>(problems)));
  data.notes.push_back(fmt::format(
      "{} problems, {} rows. Without several seeds at one count there is no control for sampling: "
      "put runs of the same count and other seeds in as further rows.",
      problems, counts));
  return data;
}

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues&, Task&) {
  return find_input(inputs, "correct") ? from_table(only_array(inputs, "correct")) : joined;
}

}  // namespace

void add_active_experts(AnalysisCatalog& catalog) {
  Analysis active;
  active.name = "active-experts";
  active.summary = "loss and solved problems when another number of experts is active";
  active.help =
      "Runs the model with k' experts a token for several k' (a forward each): loss in nats, accuracy of the "
      "top and of drawn "
      "answers, Jaccard of solved sets between counts and, as the control, between draws at one count; what "
      "only one count "
      "solves, and what any does. Right-or-wrong tables taken elsewhere are read, too. Example: varve run "
      "active-experts "
      "moe.varve --tokens samples.npz:ids --set counts=1,2,4,8";
  active.settings = declared_settings<Params>();
  active.begin = begin;
  active.inputs = {{"correct", "right or wrong [count of experts, problem], 1 or 0, in place of the model's",
                    false, true}};
  active.reduce_with = over_the_series;
  active.cost = cost;
  catalog.add(std::move(active));
}

}  // namespace varve
