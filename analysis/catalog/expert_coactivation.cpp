// Expert co-activation: which experts of a layer are chosen together by one token, and how that settles.
//
// With C_ij the tokens that chose both i and j and C_ii those that chose i, of n tokens:
//   P(j | i) = C_ij / C_ii,  lift_ij = C_ij n / (C_ii C_jj),  effective partners of i = exp(H(P(. | i) over j
//   != i))
// Fixed partners: lift > 2 and P(j | i) > 0.3. Three definitions of a pair are kept apart by name: `together`
// is every pair of chosen experts, `neighbours` those that follow each other in rank, `next_layer` one of a
// layer and one of the next.
#include <cmath>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/expert_use.h"
#include "analysis/pathways/routing_reader.h"

namespace varve {
namespace {

struct Params {
  std::string pairs = "together";
  template <class Visit>
  void each(Visit&& visit) {
    visit("pairs", pairs,
          "which pairs partners and communities are taken from: every pair of chosen experts, or those that "
          "follow each other in rank",
          Choices{"together", "neighbours"});
  }
};

Array halves(const std::vector<double>* both, const std::vector<std::string>& axes,
             std::vector<int64_t> shape, const char* title) {
  std::vector<double> values(both[0]);
  values.insert(values.end(), both[1].begin(), both[1].end());
  return titled(axes, std::move(shape), std::move(values), title, "tokens");
}

class CoactivationCell : public Cell {
 public:
  explicit CoactivationCell(const Study& study) : reader_(study, {.count_pairs = true}) {
    for (size_t p = 0; p < study.probes().prompts.size(); ++p)
      tokens_[p % 2] += static_cast<double>(study.probes().prompts[p].size());
  }
  bool wants(const std::string& site) const override { return reader_.wants(site); }
  void see(const Site& site) override { reader_.see(site); }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Expert co-activation";
    const int64_t layers = reader_.layers(), experts = reader_.experts();
    result.set("together",
               halves(reader_.together, {"half", "layer", "expert", "partner"}, {2, layers, experts, experts},
                      "tokens that chose both; on the diagonal, that chose the one"));
    result.set("neighbours", halves(reader_.neighbours, {"half", "layer", "expert", "partner"},
                                    {2, layers, experts, experts}, "tokens that chose both, one rank apart"));
    if (layers > 1)
      result.set("next_layer", halves(reader_.next_layer, {"half", "transition", "expert", "expert_after"},
                                      {2, layers - 1, experts, experts},
                                      "tokens that chose the first in a layer and the second in the next"));
    result.set("token_count", titled({"half"}, {2}, std::vector<double>{tokens_[0], tokens_[1]},
                                     "tokens counted", "tokens"));
    result.set_coord("half", Array({"half"}, {2}, std::vector<std::string>{"even prompts", "odd prompts"}));
    result.set_coord("layer", expert_layers(reader_.layer_numbers()));
    result.checks = reader_.checks();
    add_identity(result);
    return result;
  }

 private:
  // Each token has k chosen experts, so a layer's counts sum to k^2 a token and its diagonal to k.
  void add_identity(Dataset& result) const {
    const auto k = static_cast<double>(reader_.ranks());
    const auto square = static_cast<size_t>(reader_.experts() * reader_.experts());
    double worst = 0;
    for (size_t half = 0; half < 2; ++half)
      for (size_t layer = 0; layer < static_cast<size_t>(reader_.layers()); ++layer) {
        double sum = 0;
        for (size_t i = 0; i < square; ++i) sum += reader_.together[half][layer * square + i];
        worst = std::max(worst, std::abs(sum - k * k * tokens_[half]));
      }
    result.checks.push_back({"pair counts sum to k^2 a token", worst, 0, 2 * reader_.layers(), worst <= 0,
                             "worst layer and half"});
  }

  RoutingReader reader_;
  double tokens_[2] = {0, 0};
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues&) {
  need_experts(study.spec(), "expert-coactivation");
  if (study.spec().experts_per_token < 2)
    fail("expert-coactivation needs two experts a token or more; this model chooses {}",
         study.spec().experts_per_token);
  return std::make_unique<CoactivationCell>(study);
}

CellCost cost(const ModelSpec& spec, const SettingValues&, const Probes& probes, Compute) {
  CellCost cell;
  const auto layers = static_cast<int64_t>(spec.sparse_layers.size());
  cell.kept_per_token = 2 * spec.experts_per_token * 8;
  cell.scratch = 6 * layers * spec.experts * spec.experts * 8;
  const int64_t places = std::max<int64_t>(1, probes.longest() * static_cast<int64_t>(probes.prompts.size()));
  cell.reduced_per_place = cell.result_per_place = cell.scratch / places + 1;
  return cell;
}

// One layer at one step: both halves together, and each alone.
struct LayerPairs {
  std::vector<double> counts[3];  // even, odd, both
  double tokens[3] = {0, 0, 0};
};

LayerPairs layer_pairs(const Dataset& joined, const std::string& name, int64_t step, int64_t layer) {
  const Array& all = joined[name];
  const Array &diagonal = joined["together"], &tokens = joined["token_count"];
  const int64_t layers = joined.extent("layer"), experts = joined.extent("expert"),
                square = experts * experts;
  LayerPairs pairs;
  pairs.counts[2].assign(static_cast<size_t>(square), 0);
  for (int64_t half = 0; half < 2; ++half) {
    const int64_t first = ((step * 2 + half) * layers + layer) * square;
    for (int64_t i = 0; i < square; ++i) {
      const bool is_own = i / experts == i % experts;
      pairs.counts[half].push_back((is_own ? diagonal : all).number(first + i));
      pairs.counts[2][static_cast<size_t>(i)] += pairs.counts[half].back();
    }
    pairs.tokens[half] = tokens.number(step * 2 + half);
    pairs.tokens[2] += pairs.tokens[half];
  }
  return pairs;
}

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "expert-coactivation");
  const int64_t steps = joined.extent("step"), layers = joined.extent("layer"),
                experts = joined.extent("expert");
  std::vector<double> conditional, lift, partners, between_halves, between_steps, modularity;
  std::vector<int64_t> fixed, community, order, communities;
  std::vector<std::vector<std::vector<int64_t>>> before(static_cast<size_t>(layers));
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t layer = 0; layer < layers; ++layer) {
      const LayerPairs pairs = layer_pairs(joined, params.pairs, step, layer);
      const Coactivation all = coactivation_of(pairs.counts[2], experts, pairs.tokens[2]);
      conditional.insert(conditional.end(), all.conditional.begin(), all.conditional.end());
      lift.insert(lift.end(), all.lift.begin(), all.lift.end());
      partners.insert(partners.end(), all.effective_partners.begin(), all.effective_partners.end());
      fixed.insert(fixed.end(), all.fixed_partners.begin(), all.fixed_partners.end());
      between_halves.push_back(mean_jaccard(coactivation_of(pairs.counts[0], experts, pairs.tokens[0]).top,
                                            coactivation_of(pairs.counts[1], experts, pairs.tokens[1]).top));
      std::vector<std::vector<int64_t>>& earlier = before[static_cast<size_t>(layer)];
      between_steps.push_back(step == 0 ? std::nan("") : mean_jaccard(earlier, all.top));
      earlier = all.top;
      const Communities found = communities_of(pairs.counts[2], experts);
      modularity.push_back(found.modularity);
      communities.push_back(found.count);
      community.insert(community.end(), found.of.begin(), found.of.end());
      const std::vector<int64_t> sorted = linkage_order(all.conditional, experts);
      order.insert(order.end(), sorted.begin(), sorted.end());
      task.step(step * layers + layer, steps * layers);
    }
  Dataset series;
  series.title = "Expert co-activation over the series";
  const std::vector<std::string> square{"step", "layer", "expert", "partner"},
      each{"step", "layer", "expert"}, narrow{"step", "layer"};
  const std::vector<int64_t> square_shape{steps, layers, experts, experts},
      each_shape{steps, layers, experts}, narrow_shape{steps, layers};
  series.set("lift",
             titled(square, square_shape, as_floats(lift), "how often both are chosen, over chance", "x"));
  series.set("conditional", titled(square, square_shape, as_floats(conditional),
                                   "share of the expert's tokens that chose the partner too", "probability"));
  series.set("effective_partners",
             titled(each, each_shape, partners, "effective number of partners", "experts"));
  series.set("fixed_partners", titled(each, each_shape, fixed,
                                      "partners with lift above 2 and probability above 0.3", "experts"));
  series.set("community",
             titled(each, each_shape, community, "community, named by its smallest expert", "expert"));
  series.set("display_order", titled({"step", "layer", "position"}, each_shape, order,
                                     "experts in an order that puts partners together", "expert"));
  series.set("modularity", titled(narrow, narrow_shape, modularity, "modularity of the communities", "1"));
  series.set("communities", titled(narrow, narrow_shape, communities, "communities", ""));
  series.set(
      "stability_halves",
      titled(narrow, narrow_shape, between_halves,
             "Jaccard of top-three partners between even and odd prompts: the noise ceiling", "share"));
  series.set("stability_steps", titled(narrow, narrow_shape, between_steps,
                                       "Jaccard of top-three partners with the checkpoint before", "share"));
  for (const char* name : {"together", "neighbours", "next_layer"}) {
    if (!joined.has(name)) continue;
    // Both halves in one.
    const Array& split = joined[name];
    const std::vector<int64_t>& shape = split.shape();
    const int64_t inner = shape[2] * shape[3] * shape[4];
    std::vector<double> sums(static_cast<size_t>(steps * inner));
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t i = 0; i < inner; ++i)
        sums[static_cast<size_t>(step * inner + i)] =
            split.number(step * 2 * inner + i) + split.number((step * 2 + 1) * inner + i);
    const std::vector<std::string>& axes = split.axes();
    series.set(std::string("count_") + name,
               titled({axes[0], axes[2], axes[3], axes[4]}, {shape[0], shape[2], shape[3], shape[4]},
                      std::move(sums), split.title, "tokens"));
  }
  series.set_coord("step", *joined.coord("step"));
  series.set_coord("layer", *joined.coord("layer"));
  series.notes = joined.notes;
  series.checks = joined.checks;
  series.notes.push_back(
      fmt::format("Partners and communities are taken from the pairs '{}'. Were partners even, an expert "
                  "would have {} effective ones.",
                  params.pairs, experts - 1));
  return series;
}

}  // namespace

void add_expert_coactivation(AnalysisCatalog& catalog) {
  Analysis together;
  together.name = "expert-coactivation";
  together.summary = "which experts are chosen together, and how firmly";
  together.help =
      "Counts of tokens that chose two experts, as conditional probability, as lift over chance, as "
      "effective number of "
      "partners (exp of the entropy over partners), with communities and their modularity, and how stable "
      "the top three "
      "partners are between halves of the prompts and between checkpoints. Pairs are counted three ways "
      "under names of "
      "their own: together, neighbours in rank, next_layer. Example: varve run expert-coactivation moe.varve "
      "--tokens "
      "samples.npz:ids";
  together.settings = declared_settings<Params>();
  together.begin = begin;
  together.reduce = over_the_series;
  together.cost = cost;
  catalog.add(std::move(together));
}

}  // namespace varve
