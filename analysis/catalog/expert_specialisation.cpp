// Expert specialisation by domain: how unevenly a domain's tokens use the experts, and how much a chosen
// expert tells about the domain.
//
//   entropy_d = H(expert | domain d) / log E;  share_de = tokens of d that chose e / tokens of d (even use: k
//   / E) information = sum over d, e of p(d, e) log(p(d, e) / (p(d) p(e))), each domain weighing the same
#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/expert_use.h"
#include "analysis/pathways/groups.h"

namespace varve {
namespace {

struct Params {
  int64_t shuffles = 200, bootstrap = 1000, seed = 0;
  double tie = 1e-5;
  bool tokens = false;
  template <class Visit>
  void each(Visit&& visit) {
    visit("shuffles", shuffles, "random relabellings of samples behind the noise floor of the information",
          Range{20, 100000});
    visit("bootstrap", bootstrap, "resamplings that routing declares", Range{100, 100000});
    visit("seed", seed, "seed of the relabelling", Range{0, 1e15});
    visit("tie", tie, "gap in probability below which a choice counts as a near tie", Range{0, 1});
    visit("tokens", tokens, "routing also keeps the chosen experts at every token");
  }
};

// counts [group, expert], each group's scaled to one.
double information_of(std::vector<double> counts, int64_t groups, int64_t experts) {
  for (int64_t g = 0; g < groups; ++g) {
    const auto row =
        std::span(counts).subspan(static_cast<size_t>(g * experts), static_cast<size_t>(experts));
    double sum = 0;
    for (const double count : row) sum += count;
    for (double& count : row) count = sum > 0 ? count / sum : 0;
  }
  return mutual_information(counts, groups, experts);
}

struct Tables {
  Dataset series;
  int64_t steps = 0, layers = 0, groups = 0, experts = 0;
  std::vector<double> entropy, share, information;

  void row(std::span<const double> counts, std::span<const double> tokens) {
    for (int64_t g = 0; g < groups; ++g) {
      const auto mine = counts.subspan(static_cast<size_t>(g * experts), static_cast<size_t>(experts));
      entropy.push_back(normalised_entropy(mine));
      for (const double count : mine)
        share.push_back(tokens[static_cast<size_t>(g)] > 0 ? count / tokens[static_cast<size_t>(g)]
                                                           : std::nan(""));
    }
    information.push_back(information_of({counts.begin(), counts.end()}, groups, experts));
  }

  void finish(const std::vector<std::string>& lead, std::vector<int64_t> shape) {
    const auto put = [&](const char* name, std::vector<double> values, std::vector<std::string> more,
                         std::vector<int64_t> extents, const char* title, const char* unit) {
      std::vector<std::string> axes = lead;
      std::vector<int64_t> whole = shape;
      axes.insert(axes.end(), more.begin(), more.end());
      whole.insert(whole.end(), extents.begin(), extents.end());
      series.set(name, titled(axes, whole, std::move(values), title, unit));
    };
    put("information", std::move(information), {}, {}, "mutual information between domain and chosen expert",
        "nats");
    put("entropy", std::move(entropy), {"group"}, {groups}, "entropy of a domain's expert use over log of E",
        "1");
    put("share", std::move(share), {"group", "expert"}, {groups, experts},
        "share of the domain's tokens that chose the expert", "share");
  }
};

// Counts that somebody else took: one table a layer, no samples to shuffle.
Dataset from_counts(const Dataset& given) {
  const std::string name = given.has("counts") ? "counts" : given.has("joint") ? "joint" : "";
  if (name.empty())
    fail("the input 'counts' holds neither counts [layer, group, expert] nor joint counts of layer pairs");
  const Array& counts = given[name];
  Dataset series;
  const int64_t layers = counts.extent("layer"), groups = counts.extent("group"),
                experts = counts.extent("expert");
  if (name == "joint") {
    std::vector<double> information, values(static_cast<size_t>(experts * experts));
    for (int64_t row = 0; row < layers * groups; ++row) {
      for (int64_t i = 0; i < experts * experts; ++i)
        values[static_cast<size_t>(i)] = counts.number(row * experts * experts + i);
      information.push_back(mutual_information(values, experts, experts));
    }
    series.title = "Information between the experts of two layers";
    series.set("layer_information",
               titled({"layer", "group"}, {layers, groups}, std::move(information),
                      "mutual information between the experts of a pair of layers", "nats"));
  } else {
    Tables tables{{}, 1, layers, groups, experts, {}, {}, {}};
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::vector<double> values, tokens(static_cast<size_t>(groups), 0);
      for (int64_t i = 0; i < groups * experts; ++i) {
        values.push_back(counts.number(layer * groups * experts + i));
        tokens[static_cast<size_t>(i / experts)] += values.back();
      }
      tables.row(values, tokens);
    }
    tables.finish({"layer"}, {layers});
    series = std::move(tables.series);
    series.title = "Expert specialisation by domain, from counts";
    series.notes.push_back(
        "Shares are of choices, not of tokens: the counts do not say how many tokens there were.");
  }
  for (const char* axis : {"layer", "group"})
    if (const Array* ticks = given.coord(axis)) series.set_coord(axis, *ticks);
  series.notes.insert(series.notes.end(), given.notes.begin(), given.notes.end());
  return series;
}

class Specialisation {
 public:
  Specialisation(const Dataset& joined, const Groups& groups, const Params& params)
      : joined_(joined), groups_(groups), params_(params) {
    steps_ = joined.extent("step");
    layers_ = joined.extent("layer");
    prompts_ = joined.extent("prompt");
    experts_ = joined.extent("expert");
    for (int64_t p = 0; p < prompts_; ++p) {
      double chosen = 0;
      for (int64_t e = 0; e < experts_; ++e) chosen += joined["chosen"].number(p * experts_ + e);
      choices_.push_back(chosen);
    }
    for (int64_t e = 0; e < experts_; ++e) ranks_ += joined["load"].number(e);
    ranks_ = std::round(ranks_);
  }

  Dataset made(Task& task) {
    const auto groups = static_cast<int64_t>(groups_.names.size());
    Tables tables{{}, steps_, layers_, groups, experts_, {}, {}, {}};
    std::vector<double> floor, floor_high, p;
    std::vector<double> tokens(static_cast<size_t>(groups), 0);
    for (int64_t i = 0; i < prompts_; ++i)
      if (const int64_t g = groups_.of[static_cast<size_t>(i)]; g >= 0)
        tokens[static_cast<size_t>(g)] += choices_[static_cast<size_t>(i)] / ranks_;
    for (int64_t row = 0; row < steps_ * layers_; ++row) {
      tables.row(counts(row, groups_.of), tokens);
      // Same checkpoint, samples relabelled: what information there is without any specialisation.
      std::vector<int64_t> labels = groups_.of;
      std::mt19937_64 random(static_cast<uint64_t>(params_.seed));
      std::vector<double> chance;
      int64_t as_large = 1;
      for (int64_t shuffle = 0; shuffle < params_.shuffles; ++shuffle) {
        for (size_t k = labels.size(); k > 1; --k) std::swap(labels[k - 1], labels[random() % k]);
        chance.push_back(information_of(counts(row, labels), groups, experts_));
        as_large += chance.back() >= tables.information.back() - 1e-12 ? 1 : 0;
      }
      floor.push_back(quantile(chance, 0.5));
      floor_high.push_back(quantile(chance, 0.975));
      p.push_back(static_cast<double>(as_large) / static_cast<double>(params_.shuffles + 1));
      task.step(row, steps_ * layers_);
    }
    tables.finish({"step", "layer"}, {steps_, layers_});
    Dataset series = std::move(tables.series);
    series.title = "Expert specialisation by domain";
    const auto put = [&](const char* name, std::vector<double> values, const char* title, const char* unit) {
      series.set(name, titled({"step", "layer"}, {steps_, layers_}, std::move(values), title, unit));
    };
    put("information_floor", std::move(floor), "information after shuffling the samples' labels, median",
        "nats");
    put("information_floor_top", std::move(floor_high), "information after shuffling, 97.5th percentile",
        "nats");
    put("information_p", std::move(p), "share of shuffles with as much information", "probability");
    series.set_coord("step", *joined_.coord("step"));
    series.set_coord("layer", *joined_.coord("layer"));
    series.set_coord("group", group_names(groups_.names));
    series.checks = joined_.checks;
    series.notes = joined_.notes;
    std::string sizes;
    for (size_t g = 0; g < groups_.names.size(); ++g)
      sizes += fmt::format("{}{} {}", g ? ", " : "", groups_.names[g], groups_.sizes[g]);
    series.notes.push_back(
        fmt::format("Samples by domain: {}. Each domain weighs the same. The floor is what {} random "
                    "relabellings of whole samples give.",
                    sizes, params_.shuffles));
    return series;
  }

 private:
  std::vector<double> counts(int64_t row, const std::vector<int64_t>& labels) const {
    std::vector<double> all(groups_.names.size() * static_cast<size_t>(experts_), 0);
    const std::span<const float> chosen = joined_["chosen"].as<float>();
    for (int64_t p = 0; p < prompts_; ++p) {
      const int64_t g = labels[static_cast<size_t>(p)];
      if (g < 0) continue;
      for (int64_t e = 0; e < experts_; ++e)
        all[static_cast<size_t>(g * experts_ + e)] +=
            static_cast<double>(chosen[static_cast<size_t>((row * prompts_ + p) * experts_ + e)]);
    }
    return all;
  }

  const Dataset& joined_;
  const Groups& groups_;
  Params params_;
  int64_t steps_ = 0, layers_ = 0, prompts_ = 0, experts_ = 0;
  double ranks_ = 0;
  std::vector<double> choices_;  // of each sample: k times its tokens
};

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values,
                        Task& task) {
  const Params params = read_settings<Params>(values, "expert-specialisation");
  if (const Dataset* counts = find_input(inputs, "counts")) return from_counts(*counts);
  const Groups groups = groups_of(inputs, joined.extent("prompt"));
  if (groups.names.size() < 2)
    fail_usage(
        "specialisation by domain needs two domains or more; give each sample's with --with groups=FILE");
  return Specialisation(joined, groups, params).made(task);
}

}  // namespace

void add_expert_specialisation(AnalysisCatalog& catalog) {
  Analysis specialisation;
  specialisation.name = "expert-specialisation";
  specialisation.summary = "how much a chosen expert tells about the domain of a text";
  specialisation.help =
      "Per checkpoint and layer: the entropy of each domain's expert use (1 is even), the share of its "
      "tokens that chose "
      "each expert (even use is k of E), and the mutual information in nats between domain and chosen "
      "expert, beside what "
      "shuffled labels give. Counts taken elsewhere are read, too. Example: varve run expert-specialisation "
      "moe.varve "
      "--tokens samples.npz:ids --with groups=samples.npz:domain";
  specialisation.settings = declared_settings<Params>();
  specialisation.cells_of = "routing";
  specialisation.inputs = {{"groups", "one label a sample, its domain"},
                           {"counts", "a folder of expert counts by domain", false, true}};
  specialisation.reduce_with = over_the_series;
  specialisation.reduce_reads = {"chosen", "load"};
  catalog.add(std::move(specialisation));
}

}  // namespace varve
