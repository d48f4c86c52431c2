// The five parameters of a layer's curve, predicted from the sizes of a model.
#include "analysis/analysis.h"
#include "analysis/core/text.h"
#include "analysis/massive/growth_predict.h"

namespace varve {
namespace {

constexpr int64_t config_bytes = 64 << 20;

struct PredictParams {
  std::string array = "ratio", config;
  double level = 0.9;
  int64_t permutations = 20, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "whose fits to learn from: ratio, top1, median or another curve that was fitted");
    visit("config", config, "a config.json to predict for, of a model that need not exist; empty: none");
    visit("level", level, "share of new layers that an interval is to hold", Range{0.5, 0.99});
    visit("permutations", permutations, "shuffles behind each importance", Range{1, 10000});
    visit("seed", seed, "seed of the split, the trees and the shuffles", Range{0, 1e15});
  }
};

}  // namespace

void add_massive_activation_predict(AnalysisCatalog& catalog) {
  Analysis predict;
  predict.name = "massive-activation-predict";
  predict.summary = "predicts how massive activations will grow from a model's sizes alone";
  predict.help =
      "Learns A, lambda, gamma, t0 and K of every fitted layer from ten features of its model: l/L, its "
      "square, "
      "cube and root, H/d, d_ff/d, d/L, H/L, log d, l L (arXiv 2508.03616, section 6). Ridge, lasso, a "
      "random "
      "forest and gradient boosting; R2 on a random fifth of the layers and, because layers of one model are "
      "alike, on each model left out in turn; importance of a feature by permutation; intervals calibrated "
      "on "
      "errors of models left out. Fits are results of massive-activation-fit, each with the label of its "
      "model. "
      "Example: varve run massive-activation-predict a.varve --with fit.70m=70m.h5 --with fit.160m=160m.h5 "
      "--set "
      "config=new/config.json";
  predict.settings = declared_settings<PredictParams>();
  predict.needs_probes = false;
  predict.file_settings = {"config"};
  predict.inputs = {
      {"fit", "a result of massive-activation-fit, as fit.NAME for each model", true, true, true}};
  predict.reduce_with = [](const Dataset&, const Inputs& inputs, const SettingValues& values, Task& task) {
    const auto params = read_settings<PredictParams>(values, "massive-activation-predict");
    PredictOptions options{params.array, params.level, params.permutations,
                           static_cast<uint64_t>(params.seed), std::nullopt};
    if (!params.config.empty())
      options.config = architecture_from_config(read_file(params.config, config_bytes), params.config);
    return predict_growth(named_fits(inputs), options, task);
  };
  catalog.add(std::move(predict));
}

}  // namespace varve
