// Head ablation: what a named set of heads is worth to a task, beside sets of as many random heads.
//
// The heads' mixes z are set to zero, to their mean over all prompts and positions, or scaled; what they
// write is z W_O, so the write vector changes alike. Effect: metric with the change minus without, each pair
// on its own; its interval is over pairs, and random sets of as many heads of the same layers' range are the
// floor.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "analysis/analysis.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"
#include "analysis/core/statistics.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

struct Params {
  std::string heads;
  std::string ways = "zero,mean,x0.5,x1.3";
  std::string metric = "logit-diff";
  int64_t random = 10;
  int64_t bootstrap = 1000;
  int64_t seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("heads", heads, "which heads, as in L2H3,L3H1");
    visit("ways", ways, "what is done to them: zero, mean, or xFACTOR; several one after the other");
    visit("metric", metric, "what is read at each pair's answer", metric_choices());
    visit("random", random, "random sets of as many heads to compare with", Range{0, 1000});
    visit("bootstrap", bootstrap, "resamplings of pairs behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of random sets and resampling", Range{0, 1e15});
  }
};

// layer * heads + head
using HeadSet = std::vector<int64_t>;

HeadSet heads_named(const std::string& list, const ModelSpec& spec) {
  HeadSet all;
  for (const std::string& word : split(list, ',')) {
    int64_t layer = -1, head = -1;
    int read = 0;
    long long one = 0, other = 0;
    if (std::sscanf(word.c_str(), "L%lldH%lld%n", &one, &other, &read) == 2 &&
        read == static_cast<int>(word.size())) {
      layer = one;
      head = other;
    }
    if (layer < 0 || layer >= spec.layers || head < 0 || head >= spec.heads)
      fail_usage("heads '{}': '{}' is no head of this model; heads are L0H0 to L{}H{}, as in L2H3,L3H1", list,
                 word, spec.layers - 1, spec.heads - 1);
    all.push_back(layer * spec.heads + head);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

struct Way {
  std::string name;
  Change change = Change::zero;
  double factor = 0;
};

std::vector<Way> ways_named(const std::string& list) {
  std::vector<Way> ways;
  for (const std::string& word : split(list, ',')) {
    Way way{word, Change::zero, 0};
    if (word == "mean") {
      way.change = Change::mean;
    } else if (word != "zero") {
      char* end = nullptr;
      way.change = Change::scale;
      way.factor = word.size() > 1 ? std::strtod(word.c_str() + 1, &end) : 0;
      if (word.size() < 2 || word[0] != 'x' || *end != '\0' || !std::isfinite(way.factor))
        fail_usage("ways '{}': '{}' is neither zero, mean nor xFACTOR, as in x0.5", list, word);
    }
    ways.push_back(std::move(way));
  }
  return ways;
}

Interventions changes_of(const Way& way, const HeadSet& heads, const ModelSpec& spec) {
  Interventions changes;
  for (const int64_t head : heads)
    changes.push_back({.site = fmt::format("blocks.{}.attn.z", head / spec.heads),
                       .change = way.change,
                       .where = {{"head", head % spec.heads}},
                       .number = way.factor});
  return changes;
}

class AblationCell : public Cell {
 public:
  AblationCell(const Study& study, const Params& params)
      : study_(study),
        params_(params),
        heads_(heads_named(params.heads, study.spec())),
        ways_(ways_named(params.ways)) {
    answer_positions(study.probes());  // for its error, before any work
  }
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    Task quiet;
    metric_ = task_metric(params_.metric, study_.weights(), study_.probes(), study_.compute(), quiet);
    before_ = values_of({});
    const std::vector<HeadSet> others = random_sets();
    const auto count = static_cast<int64_t>(ways_.size());
    const int64_t passes = count * (1 + static_cast<int64_t>(others.size()));
    int64_t done = 0;
    for (const Way& way : ways_) {
      const std::vector<double> after = values_of(changes_of(way, heads_, study_.spec()));
      std::vector<double> effect;
      for (size_t pair = 0; pair < after.size(); ++pair) effect.push_back(after[pair] - before_[pair]);
      after_.insert(after_.end(), after.begin(), after.end());
      add_estimate(effect);
      task.step(++done, passes);
      std::vector<double> theirs;
      for (const HeadSet& other : others) {
        theirs.push_back(mean_of(values_of(changes_of(way, other, study_.spec()))) - mean_of(before_));
        task.step(++done, passes);
      }
      random_.insert(random_.end(), theirs.begin(), theirs.end());
      random_low_.push_back(quantile(theirs, 0.025));
      random_high_.push_back(quantile(theirs, 0.975));
    }
    return finished(static_cast<int64_t>(others.size()));
  }

 private:
  std::vector<double> values_of(const Interventions& changes) const {
    Task quiet;
    return metric_values(study_.weights(), study_.probes(), study_.compute(), *metric_, quiet, changes);
  }

  // Sets without a head of the named ones.
  std::vector<HeadSet> random_sets() const {
    const int64_t all = study_.spec().layers * study_.spec().heads,
                  size = static_cast<int64_t>(heads_.size());
    HeadSet rest;
    for (int64_t head = 0; head < all; ++head)
      if (!std::binary_search(heads_.begin(), heads_.end(), head)) rest.push_back(head);
    std::vector<HeadSet> sets;
    if (static_cast<int64_t>(rest.size()) < size) return sets;
    std::mt19937_64 bits(static_cast<uint64_t>(params_.seed));
    for (int64_t i = 0; i < params_.random; ++i) {
      HeadSet shuffled = rest;
      for (size_t k = shuffled.size(); k > 1; --k) std::swap(shuffled[k - 1], shuffled[bits() % k]);
      shuffled.resize(static_cast<size_t>(size));
      sets.push_back(std::move(shuffled));
    }
    return sets;
  }

  void add_estimate(const std::vector<double>& effect) {
    std::vector<int64_t> cluster;
    for (size_t pair = 0; pair < effect.size(); ++pair) cluster.push_back(static_cast<int64_t>(pair));
    const Estimate estimate =
        bootstrap_mean(effect, cluster, params_.bootstrap, static_cast<uint64_t>(params_.seed));
    effect_.push_back(estimate.value);
    low_.push_back(estimate.low);
    high_.push_back(estimate.high);
  }

  Dataset finished(int64_t sets) {
    Dataset result;
    result.title = "Head ablation";
    const auto pairs = static_cast<int64_t>(before_.size()), ways = static_cast<int64_t>(ways_.size());
    const auto add = [&](const char* name, std::vector<std::string> axes, std::vector<int64_t> shape,
                         std::vector<double> values, const char* title) {
      Array array(std::move(axes), std::move(shape), std::move(values));
      array.title = title;
      array.unit = unit_of_metric(params_.metric);
      result.set(name, std::move(array));
    };
    std::vector<std::string> names;
    for (const Way& way : ways_) names.push_back(way.name);
    result.set_coord("way", Array({"way"}, {ways}, names));
    add("metric", {"prompt"}, {pairs}, before_, "metric of each pair, unchanged");
    add("metric_changed", {"way", "prompt"}, {ways, pairs}, after_,
        "metric of each pair with the heads changed");
    add("effect", {"way"}, {ways}, effect_, "mean change of the metric");
    add("effect_low", {"way"}, {ways}, low_, "lower end of its 95 % interval over pairs");
    add("effect_high", {"way"}, {ways}, high_, "upper end of its 95 % interval over pairs");
    if (sets > 0) {
      add("random_effect", {"way", "sample"}, {ways, sets}, random_,
          "the same for random sets of as many heads");
      add("random_low", {"way"}, {ways}, random_low_, "2.5 % of random sets lie below");
      add("random_high", {"way"}, {ways}, random_high_, "2.5 % of random sets lie above");
    }
    // A change that changes nothing, through the same code.
    const Way idle{"x1", Change::scale, 1};
    const std::vector<double> same = values_of(changes_of(idle, heads_, study_.spec()));
    double worst = 0;
    for (size_t pair = 0; pair < same.size(); ++pair)
      worst = std::max(worst, std::abs(same[pair] - before_[pair]));
    result.checks.push_back({"scaling by 1 changes no bit", worst, 0, pairs, worst <= 0, "metric"});
    result.notes.push_back(
        fmt::format("{} heads ({}), {} pairs, {} random sets.", heads_.size(), params_.heads, pairs, sets));
    if (pairs < 8) result.notes.push_back(fmt::format("Only {} pairs: the intervals are rough.", pairs));
    return result;
  }

  const Study& study_;
  Params params_;
  HeadSet heads_;
  std::vector<Way> ways_;
  std::unique_ptr<Metric> metric_;
  std::vector<double> before_, after_, effect_, low_, high_, random_, random_low_, random_high_;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<AblationCell>(study, read_settings<Params>(values, "head-ablation"));
}

}  // namespace

void add_head_ablation(AnalysisCatalog& catalog) {
  Analysis ablation;
  ablation.name = "head-ablation";
  ablation.summary = "what a named set of heads is worth to a task, beside random sets of as many";
  ablation.help =
      "Needs a task with answers. Zeroes, averages or scales the named heads and reports the change of the "
      "metric (logits, probability or nats) with an interval over pairs and the spread of random head sets. "
      "Example: varve run head-ablation demo.varve --task induction:pairs=32 --set heads=L2H3,L3H1";
  ablation.settings = declared_settings<Params>();
  ablation.begin = begin;
  catalog.add(std::move(ablation));
}

}  // namespace varve
