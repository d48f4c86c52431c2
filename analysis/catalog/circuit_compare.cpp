// Circuits beside one base: branches of post-training beside the checkpoint they began with, or two sets of
// prompts (thinking on and off) on one checkpoint, with the noise of the choice of examples.
//
//   emergent = A \ A(base), retained = both, vanished = A(base) \ A, J = |both| / |either| (2509.25758)
// Noise floors: what parts of the examples of one and the same circuit differ by (head_sets.h). J counts as
// beyond noise where it lies below the lowest J between parts of either side. A head is certain where all
// parts of one side have it and no part of the other; the parts of both sides dealt anew by chance say how
// many of those to expect. Parts of one side's examples are more alike than two draws of examples are, so
// where the sides have other examples J alone calls chance a change; certain heads and their p do not.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/head_sets.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Named {
  std::string name;
  HeadSet set;
};

Named only_set(const std::string& name, const Dataset& data, HeadSets& shape) {
  HeadSets sets = head_sets_of(data);
  if (sets.of.size() != 1)
    fail_usage("the input {} holds {} steps; give the circuit of one checkpoint", name, sets.of.size());
  if (shape.layers > 0 && (sets.layers != shape.layers || sets.heads != shape.heads))
    fail_usage("the input {} has {} x {} heads, the base {} x {}: they are of other models", name,
               sets.layers, sets.heads, shape.layers, shape.heads);
  shape.layers = sets.layers;
  shape.heads = sets.heads;
  return {name, std::move(sets.of.front())};
}

class Comparison {
 public:
  explicit Comparison(const Inputs& inputs) {
    base_ = only_set("base", inputs.at("base"), shape_);
    constexpr std::string_view before = "set.";
    for (const auto& [name, data] : inputs)
      if (name != "base")
        sets_.push_back(only_set(name.starts_with(before) ? name.substr(before.size()) : name, data, shape_));
    result_.title = "Circuits beside a base";
    std::vector<std::string> names;
    for (const Named& one : sets_) names.push_back(one.name);
    result_.set_coord("set", Array({"set"}, {count()}, names));
  }

  Dataset run() {
    add_sets();
    add_overlaps();
    add_chance();
    add_effects();
    add_overlap_table();
    return std::move(result_);
  }

 private:
  int64_t count() const { return static_cast<int64_t>(sets_.size()); }
  void add(const char* name, std::vector<double> values, const char* title, const char* unit) {
    Array array({"set"}, {count()}, std::move(values));
    array.title = title;
    array.unit = unit;
    result_.set(name, std::move(array));
  }

  // `flags` of every set, and how many they are.
  template <class Flags>
  void add_flags(const std::string& name, const char* title, const Flags& flags) {
    std::vector<uint8_t> all;
    std::vector<double> sizes;
    for (const Named& one : sets_) {
      double size = 0;
      for (size_t head = 0; head < one.set.in.size(); ++head) {
        all.push_back(flags(one.set, head) ? 1 : 0);
        size += all.back();
      }
      sizes.push_back(size);
    }
    Array array({"set", "layer", "head"}, {count(), shape_.layers, shape_.heads}, std::move(all));
    array.title = title;
    result_.set(name, std::move(array));
    add((name == "heads_in" ? "head_count" : name + "_count").c_str(), std::move(sizes), title, "heads");
  }

  void add_sets() {
    const HeadSet& base = base_.set;
    add_flags("heads_in", "heads of the circuit",
              [](const HeadSet& set, size_t head) { return set.in[head]; });
    add_flags("emergent", "heads that the base's circuit lacks",
              [&](const HeadSet& set, size_t head) { return set.in[head] && !base.in[head]; });
    add_flags("retained", "heads of this and the base's circuit",
              [&](const HeadSet& set, size_t head) { return set.in[head] && base.in[head]; });
    add_flags("vanished", "heads of the base's circuit only",
              [&](const HeadSet& set, size_t head) { return !set.in[head] && base.in[head]; });
    add_flags("emergent_certain", "emergent, in all parts of these examples and in none of the base's",
              [&](const HeadSet& set, size_t head) -> bool { return certainly_gained(set, base)[head]; });
    add_flags("vanished_certain", "vanished, in all parts of the base's examples and in none of these",
              [&](const HeadSet& set, size_t head) -> bool { return certainly_gained(base, set)[head]; });
    Array own({"layer", "head"}, {shape_.layers, shape_.heads},
              std::vector<uint8_t>(base.in.begin(), base.in.end()));
    own.title = "heads of the base's circuit";
    result_.set("base_heads_in", std::move(own));
    check_parts();
  }

  // What is new and what stayed make the circuit; what left and what stayed made the base's.
  void check_parts() {
    const auto heads = [&](const char* name, int64_t set) { return result_[name].number(set); };
    const auto base = static_cast<double>(std::count(base_.set.in.begin(), base_.set.in.end(), true));
    double worst = 0;
    for (int64_t set = 0; set < count(); ++set) {
      const double retained = heads("retained_count", set);
      worst = std::max({worst, std::abs(heads("emergent_count", set) + retained - heads("head_count", set)),
                        std::abs(heads("vanished_count", set) + retained - base)});
    }
    result_.checks.push_back({"new and retained heads = the circuit", worst, 0, 2 * count(), worst == 0,
                              "vanished and retained = the base's, too"});
  }

  void add_overlaps() {
    const HeadNoise base = noise_of(base_.set);
    std::vector<double> overlap, noise, lowest, beyond, gained;
    for (const Named& one : sets_) {
      const HeadNoise own = noise_of(one.set);
      overlap.push_back(jaccard(one.set.in, base_.set.in));
      noise.push_back((own.jaccard + base.jaccard) / 2);
      lowest.push_back(std::min(own.jaccard_low, base.jaccard_low));
      beyond.push_back(overlap.back() < lowest.back() ? 1 : 0);
      gained.push_back(std::max(own.gained_most, base.gained_most));
    }
    if (std::any_of(lowest.begin(), lowest.end(), [](double value) { return std::isnan(value); }))
      result_.notes.push_back("A circuit found with folds=1 or from too few pairs has no noise floor.");
    add("jaccard_base", std::move(overlap), "overlap with the base's circuit", "share");
    add("jaccard_noise", std::move(noise), "overlap of circuits from parts of the examples, mean of both",
        "share");
    add("jaccard_noise_low", std::move(lowest), "the lowest of them, of either", "share");
    add("beyond_noise", std::move(beyond), "1 where the overlap with the base lies below that", "");
    add("emergent_count_noise", std::move(gained),
        "most heads that one part of the examples gives and another does not, of either", "heads");
  }

  void add_chance() {
    std::vector<double> gained, gained_p, lost, lost_p;
    for (const Named& one : sets_) {
      const ChanceGain up = chance_gain(one.set, base_.set), down = chance_gain(base_.set, one.set);
      gained.push_back(up.mean);
      gained_p.push_back(up.p);
      lost.push_back(down.mean);
      lost_p.push_back(down.p);
    }
    add("emergent_chance", std::move(gained), "certain emergent heads with all parts dealt anew, mean",
        "heads");
    add("emergent_p", std::move(gained_p), "share of those deals with at least as many", "share");
    add("vanished_chance", std::move(lost), "certain vanished heads with all parts dealt anew, mean",
        "heads");
    add("vanished_p", std::move(lost_p), "share of those deals with at least as many", "share");
    const auto folds = static_cast<double>(base_.set.in_fold.size());
    if (folds > 0 && folds < 4)
      result_.notes.push_back(fmt::format(
          "With {} parts of the examples p cannot fall far: find the circuits with folds=4 or more.", folds));
  }

  void add_effects() {
    std::vector<double> effect;
    for (const Named& one : sets_)
      for (size_t head = 0; head < one.set.in.size(); ++head)
        effect.push_back(one.set.importance.empty() || base_.set.importance.empty()
                             ? missing
                             : effect_of(one.set.importance[head], base_.set.importance[head]));
    Array array({"set", "layer", "head"}, {count(), shape_.layers, shape_.heads}, std::move(effect));
    array.title = "importance beside the base, -1 to 1";
    array.unit = "share";
    result_.set("effect", std::move(array));
    result_.provenance["leading_array"] = "effect";
  }

  // Of the sets among each other, the base first.
  void add_overlap_table() {
    std::vector<const Named*> all = {&base_};
    for (const Named& one : sets_) all.push_back(&one);
    std::vector<double> values;
    std::vector<std::string> names;
    for (const Named* one : all) {
      names.push_back(one->name);
      for (const Named* other : all) values.push_back(jaccard(one->set.in, other->set.in));
    }
    const auto size = static_cast<int64_t>(all.size());
    Array table({"src", "dst"}, {size, size}, std::move(values));
    table.title = "overlap of every two circuits";
    table.unit = "share";
    result_.set("overlap", std::move(table));
    result_.set_coord("src", Array({"src"}, {size}, names));
    result_.set_coord("dst", Array({"dst"}, {size}, names));
  }

  HeadSets shape_;
  Named base_;
  std::vector<Named> sets_;
  Dataset result_;
};

}  // namespace

void add_circuit_compare(AnalysisCatalog& catalog) {
  Analysis compare;
  compare.name = "circuit-compare";
  compare.version = 3;
  compare.summary =
      "which heads branches or other prompts add to or take from a base's circuit, beside noise";
  compare.help =
      "Sets results of circuit beside one of them: the checkpoint that SFT, distillation or RL began with, "
      "or the same checkpoint with other prompts (thinking on and off). Emergent, retained and vanished "
      "heads, "
      "overlap (shares), effect (-1 to 1), each beside what parts of the examples differ by; certain heads "
      "are in all parts of one side and in none of the other, which is what to trust where prompts differ. "
      "Example: varve run circuit demo.varve --task t.toml --steps last --set folds=4 (again with --branch "
      "sft), then varve run circuit-compare demo.varve --with base=demo.varve:KEY1 --with "
      "set.sft=demo.varve:KEY2";
  compare.needs_probes = false;
  compare.inputs = {{.name = "base", .help = "a result of circuit for one checkpoint", .needed = true},
                    {.name = "set",
                     .help = "a result of circuit to set beside it, or several: set.sft, set.rl and so on",
                     .needed = true,
                     .several = true}};
  compare.reduce_with = [](const Dataset&, const Inputs& inputs, const SettingValues&, Task&) {
    return Comparison(inputs).run();
  };
  catalog.add(std::move(compare));
}

}  // namespace varve
