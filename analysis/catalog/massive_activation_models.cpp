// Massive activations of several models side by side.
#include "analysis/analysis.h"
#include "analysis/massive/growth_models.h"

namespace varve {
namespace {

struct ModelParams {
  std::string array = "ratio";
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which fitted curve to compare: ratio, top1, median or another");
  }
};

}  // namespace

void add_massive_activation_models(AnalysisCatalog& catalog) {
  Analysis models;
  models.name = "massive-activation-models";
  models.summary = "final ratio against size, peaks and R2 by layer, over several models";
  models.help =
      "Reads results of massive-activation-fit, each with the label of its model, and lays them side by "
      "side, "
      "smallest model first: parameters, block_weights (by the sizes alone, where no weights were seen), "
      "final_ratio (the largest of a layer at the last step) and its "
      "layer; "
      "by layer the step and value of the fitted peak, R2 and the last value. Empty where a model has no "
      "such "
      "layer or a layer no fit. "
      "Example: varve run massive-activation-models a.varve --with fit.70m=70m.h5 --with fit.160m=160m.h5";
  models.version = 2;
  models.settings = declared_settings<ModelParams>();
  models.needs_probes = false;
  models.inputs = {
      {"fit", "a result of massive-activation-fit, as fit.NAME for each model", true, true, true}};
  models.reduce_with = [](const Dataset&, const Inputs& inputs, const SettingValues& values, Task&) {
    return compare_growth(named_fits(inputs),
                          read_settings<ModelParams>(values, "massive-activation-models").array);
  };
  catalog.add(std::move(models));
}

}  // namespace varve
