// Pathways: the experts each sample passes through, how far apart two samples' paths are, and how smooth a
// path is (Li, Fan and Zhou, arXiv 2506.21551 v4). The definitions are in analysis/pathways/pathway.h.
#include "analysis/analysis.h"

#include "analysis/pathways/estimates.h"
#include "analysis/pathways/groups.h"
#include "analysis/pathways/pathway_series.h"
#include "analysis/pathways/routing_reader.h"

namespace varve {
namespace {

struct Params {
  double theta = 0.7;
  std::string weights = "full-softmax";
  int64_t pairs = 20000, matrix = 48, draws = 200, bootstrap = 1000, seed = 0;
  double tie = 1e-5;
  bool tokens = false;

  template <class Visit>
  void each(Visit&& visit) {
    visit("theta", theta, "a layer's path holds the experts whose summed weight exceeds this",
          Range{0.05, 0.999});
    visit("weights", weights,
          "softmax over all experts, or over the chosen ones only, before the mean over tokens",
          Choices{"full-softmax", "topk-renorm"});
    visit("pairs", pairs, "random pairs for each group, all of them where there are fewer", Range{1, 1e7});
    visit("matrix", matrix,
          "samples whose distances to each other are kept one by one, as many of each group; 0: none",
          Range{0, 500});
    visit("draws", draws, "resamplings of samples behind each distance's interval", Range{50, 100000});
    visit("bootstrap", bootstrap, "resamplings of samples behind each other interval", Range{100, 100000});
    visit("seed", seed, "seed of the pairs and the resampling", Range{0, 1e15});
    visit("tie", tie, "differences in weight below this count as near ties", Range{0, 1});
    visit("tokens", tokens, "routing also keeps the chosen experts at every token");
  }
};

// Means over samples per group; samples without a number are left out and counted.
void add_consistency(Dataset& series, const Dataset& joined, const Groups& groups, const Params& params,
                     Task& task) {
  const int64_t steps = joined.extent("step"), prompts = joined.extent("prompt");
  const std::string suffix = params.weights == "full-softmax" ? "" : "_topk";
  std::vector<std::string> names{"all samples"};
  if (groups.given) names.insert(names.end(), groups.names.begin(), groups.names.end());
  const auto count = static_cast<int64_t>(names.size());
  Array consistency = joined["inconsistency" + suffix];
  for (double& value : consistency.as<double>()) value = 1 - value;
  const auto add = [&](const Array& values, const char* name, const char* title, const char* unit) {
    Estimates all({"step", "group"}, {steps, count});
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t g = 0; g < count; ++g) {
        all.put(step * count + g, mean_over_samples(values, step * prompts, groups.of, g - 1,
                                                    params.bootstrap, static_cast<uint64_t>(params.seed)));
        task.step(0, 1);
      }
    all.into(series, name, title, unit);
  };
  add(joined["inconsistency" + suffix], "inconsistency", "pathway inconsistency C", "1");
  add(consistency, "consistency", "pathway consistency 1 - C", "1");
  add(joined["mean_cosine" + suffix], "mean_cosine", "mean cosine of neighbouring layers' routing embeddings",
      "cosine");
  std::vector<int64_t> flagged;
  int64_t most = 0;
  for (int64_t step = 0; step < steps; ++step) {
    int64_t here = 0;
    for (int64_t p = 0; p < prompts; ++p)
      here += joined["flagged" + suffix].number(step * prompts + p) > 0 ? 1 : 0;
    flagged.push_back(here);
    most = std::max(most, here);
  }
  series.set("flagged",
             titled({"step"}, {steps}, flagged,
                    "samples without a consistency: no positive cosine, or a zero embedding", "samples"));
  if (most > 0)
    series.notes.push_back(
        fmt::format("At the worst step {} of {} samples have no consistency (no positive cosine, "
                    "or a zero routing embedding); they are left out of its means.",
                    most, prompts));
  if (joined.extent("layer") < 3)
    series.notes.push_back("Fewer than three layers have experts: inconsistency is zero by construction.");
  series.set_coord("group", group_names(names));
}

Dataset over_the_series(const Dataset& joined, const Inputs& inputs, const SettingValues& values,
                        Task& task) {
  const Params params = read_settings<Params>(values, "pathways");
  const Dataset* given = find_input(inputs, "weights");
  Array named;
  if (given) {
    named = only_array(inputs, "weights");
    // Files of plain arrays name no axes; the order is the one that is asked for.
    if (named.axes().size() == 4 && !named.axis("prompt"))
      named = Array({"step", "layer", "prompt", "expert"}, named.shape(), named.values());
  }
  const Array& weights = given ? named : joined[params.weights == "full-softmax" ? "weight" : "weight_topk"];
  const Groups groups = groups_of(inputs, weights.extent("prompt"));
  const PathwayConfig config{params.theta, params.tie,    params.pairs,
                             params.draws, params.matrix, static_cast<uint64_t>(params.seed)};
  Task measuring = task.part(0, 0.9), averaging = task.part(0.9, 1);
  Dataset series = pathway_distances(weights, groups, config, measuring);
  const Dataset& source = given ? *given : joined;
  for (const char* axis : {"step", "layer"})
    if (const Array* ticks = source.coord(axis)) series.set_coord(axis, *ticks);
  if (given) {
    series.notes.push_back("Weights were imported without router matrices, so there is no consistency.");
  } else {
    add_consistency(series, joined, groups, params, averaging);
    if (const std::string note = tie_note(joined, params.tie); !note.empty()) series.notes.push_back(note);
    series.notes.insert(series.notes.end(), joined.notes.begin(), joined.notes.end());
    series.checks.insert(series.checks.end(), joined.checks.begin(), joined.checks.end());
  }
  return series;
}

}  // namespace

void add_pathways(AnalysisCatalog& catalog) {
  Analysis pathways;
  pathways.name = "pathways";
  pathways.summary = "how far apart samples' paths through the experts are, and how smooth they are";
  pathways.help =
      "A sample's path: in each layer the experts by falling mean weight whose sum exceeds theta, as in "
      "3,1,5-9,1. "
      "Distance: Levenshtein over the string's characters, over experts, and layer by layer in experts, for "
      "the "
      "same random pairs at every checkpoint, within and across groups, with intervals over samples; of some "
      "samples also each with each other, 0 to 1. "
      "Inconsistency "
      "C = 1 - mean cos / max cos of neighbouring layers' routing embeddings; consistency is 1 - C and grows "
      "as "
      "paths get smoother. Routing entropy in nats stands beside it as a control. Example: varve run "
      "pathways "
      "moe.varve --tokens samples.npz:ids --with groups=samples.npz:domain --set theta=0.7";
  pathways.version = 2;
  pathways.settings = declared_settings<Params>();
  pathways.cells_of = "routing";
  pathways.inputs = {
      {"groups", "one label a sample; distances are then given within each group and across"},
      {"weights", "mean router weights [step, layer, prompt, expert] in place of the model's", false, true}};
  pathways.reduce_with = over_the_series;
  pathways.reduce_reads = {"weight",      "weight_topk",      "inconsistency", "inconsistency_topk",
                           "mean_cosine", "mean_cosine_topk", "flagged",       "flagged_topk",
                           "near_ties",   "margin_least"};
  catalog.add(std::move(pathways));
}

}  // namespace varve
