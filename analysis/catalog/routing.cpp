// Routing: which experts a sample's tokens go to, as means over the sample.
//
//   g_l(t) = softmax over all experts of the router's logits at token t of layer l
//   weight_l = mean over t of g_l(t);  weight_topk_l = mean over t of g_l(t) kept on the chosen experts and
//   divided by its sum there
#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/groups.h"
#include "analysis/pathways/pathway.h"
#include "analysis/pathways/routing_reader.h"
#include "analysis/pathways/smoothness.h"

namespace varve {
namespace {

struct Params {
  bool tokens = false;
  double tie = 1e-5;
  int64_t bootstrap = 1000, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("tokens", tokens, "also keep the chosen experts and their weights at every token");
    visit("tie", tie, "gap in probability below which a choice counts as a near tie", Range{0, 1});
    visit("bootstrap", bootstrap, "resamplings of prompts behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

class RoutingCell : public Cell {
 public:
  RoutingCell(const Study& study, const Params& params)
      : params_(params),
        reader_(study, {.tie = params.tie, .keep_tokens = params.tokens}),
        router_(router_rows(study.weights(), reader_.layer_numbers())),
        longest_(study.probes().longest()) {}
  bool wants(const std::string& site) const override { return reader_.wants(site); }
  void see(const Site& site) override { reader_.see(site); }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Routing";
    const int64_t layers = reader_.layers(), prompts = reader_.prompts(), experts = reader_.experts();
    const std::vector<std::string> wide{"layer", "prompt", "expert"}, narrow{"layer", "prompt"};
    const std::vector<int64_t> whole{layers, prompts, experts}, rows{layers, prompts};
    const auto per_sample = [&](const char* name, const std::vector<double>& values, const char* title,
                                const char* unit) {
      result.set(name, titled(narrow, rows, as_floats(values), title, unit));
    };
    result.set("weight", titled(wide, whole, as_floats(reader_.mean),
                                "mean router probability over the sample, all experts", "probability"));
    result.set("weight_topk",
               titled(wide, whole, as_floats(reader_.chosen),
                      "mean weight over the sample, chosen experts only, summing to 1", "weight"));
    result.set("chosen", titled(wide, whole, as_floats(reader_.counts),
                                "tokens of the sample that chose the expert", "tokens"));
    std::vector<double> entropy;
    for (size_t row = 0; row < static_cast<size_t>(layers * prompts); ++row)
      entropy.push_back(entropy_nats(
          std::span(reader_.mean).subspan(row * static_cast<size_t>(experts), static_cast<size_t>(experts))));
    per_sample("entropy", entropy, "entropy of the sample's mean weights", "nats");
    per_sample("token_entropy", reader_.token_entropy, "mean entropy of a token's own weights", "nats");
    per_sample("margin", reader_.margin, "mean gap between the last chosen expert and the next",
               "probability");
    per_sample("margin_least", reader_.least_margin, "least gap between the last chosen expert and the next",
               "probability");
    result.set("near_ties", titled(narrow, rows, reader_.near_ties,
                                   "choices that a gap below the setting tie decided", "tokens"));
    add_load(result);
    add_smoothness(result, reader_.mean, "");
    add_smoothness(result, reader_.chosen, "_topk");
    if (params_.tokens) {
      const std::vector<std::string> ranked{"layer", "prompt", "pos", "rank"};
      const std::vector<int64_t> shape{layers, prompts, longest_, reader_.ranks()};
      result.set("topk_index",
                 titled(ranked, shape, std::move(reader_.token_ids), "chosen experts", "expert"));
      result.set("topk_weight", titled(ranked, shape, std::move(reader_.token_weights),
                                       "weights their outputs are multiplied with", "weight"));
    }
    result.set_coord("layer", expert_layers(reader_.layer_numbers()));
    for (Check& check : reader_.checks()) result.checks.push_back(std::move(check));
    return result;
  }

 private:
  void add_smoothness(Dataset& result, const std::vector<double>& weights, const std::string& suffix) const {
    const Smoothness smooth = smoothness_of(router_, weights, reader_.prompts(), reader_.experts());
    const std::vector<std::string> axes{"prompt"};
    const std::vector<int64_t> shape{reader_.prompts()};
    result.set(
        "inconsistency" + suffix,
        titled(axes, shape, smooth.inconsistency,
               "pathway inconsistency: 1 - mean / largest cosine of neighbouring layers' routing embeddings",
               "1"));
    result.set("mean_cosine" + suffix,
               titled(axes, shape, smooth.mean_cosine,
                      "mean cosine of neighbouring layers' routing embeddings", "cosine"));
    result.set("flagged" + suffix,
               titled(axes, shape, smooth.flagged,
                      "why a sample has no inconsistency: 1 a zero embedding, 2 no positive cosine", ""));
  }

  // Share of tokens that chose the expert; even use is k of E.
  void add_load(Dataset& result) {
    const int64_t layers = reader_.layers(), experts = reader_.experts();
    std::vector<double> load(static_cast<size_t>(layers * experts), 0), worst;
    const auto tokens = static_cast<double>(reader_.tokens());
    for (int64_t layer = 0; layer < layers; ++layer)
      for (int64_t prompt = 0; prompt < reader_.prompts(); ++prompt)
        for (int64_t e = 0; e < experts; ++e)
          load[static_cast<size_t>(layer * experts + e)] +=
              reader_.counts[static_cast<size_t>((layer * reader_.prompts() + prompt) * experts + e)] /
              tokens;
    double residual = 0;
    for (int64_t layer = 0; layer < layers; ++layer) {
      double sum = 0;
      for (int64_t e = 0; e < experts; ++e) sum += load[static_cast<size_t>(layer * experts + e)];
      residual = std::max(residual, std::abs(sum - static_cast<double>(reader_.ranks())));
    }
    result.set("load", titled({"layer", "expert"}, {layers, experts}, as_floats(load),
                              "share of tokens that chose the expert", "share"));
    result.checks.push_back({"loads sum to k", residual, 1e-9, layers, residual <= 1e-9, "worst layer"});
  }

  Params params_;
  RoutingReader reader_;
  std::vector<std::vector<double>> router_;
  int64_t longest_ = 0;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  need_experts(study.spec(), "routing");
  return std::make_unique<RoutingCell>(study, read_settings<Params>(values, "routing"));
}

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute) {
  const Params params = read_settings<Params>(values, "routing");
  CellCost cell;
  const int64_t layers = static_cast<int64_t>(spec.sparse_layers.size());
  cell.kept_per_token = spec.experts_per_token * 8;
  cell.reduced_per_place = bytes_per_place(layers * (4 * spec.experts + 6), probes);
  cell.result_per_place =
      2 * cell.reduced_per_place + (params.tokens ? layers * spec.experts_per_token * 12 : 0);
  return cell;
}

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values,
                        Task& task) {
  const Params params = read_settings<Params>(values, "routing");
  const auto seed = static_cast<uint64_t>(params.seed);
  const int64_t steps = joined.extent("step"), layers = joined.extent("layer"),
                prompts = joined.extent("prompt"), experts = joined.extent("expert");
  const Groups groups = groups_of(inputs, prompts);
  const auto count = static_cast<int64_t>(groups.names.size());
  Dataset series;
  series.title = "Routing over the series";
  struct PerSample {
    const char *name, *title, *unit;
  };
  for (const PerSample& one :
       {PerSample{"entropy", "entropy of a sample's mean weights", "nats"},
        PerSample{"token_entropy", "entropy of a token's own weights", "nats"},
        PerSample{"margin", "gap between the last chosen expert and the next", "probability"}}) {
    Estimates all({"step", "layer"}, {steps, layers});
    for (int64_t row = 0; row < steps * layers; ++row) {
      all.put(row, mean_over_samples(joined[one.name], row * prompts, groups.of, -1, params.bootstrap, seed));
      task.step(0, 1);
    }
    all.into(series, one.name, one.title, one.unit);
  }
  series.set("load", joined["load"]);
  // Mean weights of each group: what the group's samples share.
  std::vector<double> weight(static_cast<size_t>(steps * layers * count * experts), 0);
  const std::span<const float> each = joined["weight"].as<float>();
  for (int64_t row = 0; row < steps * layers; ++row)
    for (int64_t p = 0; p < prompts; ++p) {
      const int64_t g = groups.of[static_cast<size_t>(p)];
      if (g < 0) continue;
      for (int64_t e = 0; e < experts; ++e)
        weight[static_cast<size_t>((row * count + g) * experts + e)] +=
            static_cast<double>(each[static_cast<size_t>((row * prompts + p) * experts + e)]) /
            static_cast<double>(groups.sizes[static_cast<size_t>(g)]);
    }
  series.set("group_weight",
             titled({"step", "layer", "group", "expert"}, {steps, layers, count, experts}, std::move(weight),
                    "mean router probability of the group's samples", "probability"));
  series.set("group_size", titled({"group"}, {count}, groups.sizes, "samples in the group", ""));
  series.set_coord("step", *joined.coord("step"));
  series.set_coord("layer", *joined.coord("layer"));
  series.set_coord("group", group_names(groups.names));
  series.notes = joined.notes;
  series.checks = joined.checks;
  if (const std::string note = tie_note(joined, params.tie); !note.empty()) series.notes.push_back(note);
  series.notes.push_back(
      fmt::format("Intervals: 95 % bootstrap over {} samples, {} resamplings.", prompts, params.bootstrap));
  return series;
}

}  // namespace

void add_routing(AnalysisCatalog& catalog) {
  Analysis routing;
  routing.name = "routing";
  routing.summary = "which experts each sample's tokens go to, and how narrowly";
  routing.help =
      "Reads every router once, in one forward. Per checkpoint, layer and sample: mean probability of each "
      "expert "
      "(softmax over all experts, and the same over the chosen ones only), entropies in nats, the gap "
      "between the "
      "last chosen expert and the next, and the share of tokens that chose each expert (even use is k of E). "
      "Choices nearer than `tie` are counted and reported. Example: varve run routing moe.varve --tokens "
      "samples.npz:ids --with groups=samples.npz:domain";
  routing.settings = declared_settings<Params>();
  routing.begin = begin;
  routing.inputs = {{"groups", "one label a sample; means are then given for each group, too"}};
  routing.reduce_with = over_the_series;
  routing.cost = cost;
  catalog.add(std::move(routing));
}

}  // namespace varve
