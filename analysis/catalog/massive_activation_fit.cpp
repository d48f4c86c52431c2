// Five-parameter fits of massive activations over training, with intervals, classes and rivals.
#include "analysis/massive/architecture.h"
#include "analysis/massive/growth_series.h"
#include "analysis/massive/massive_cell.h"
#include "analysis/massive/massive_series.h"

namespace varve {
namespace {

struct FitParams : MassiveParams {
  std::string arrays;
  int64_t resamples = 200;
  int64_t starts = 3;

  template <class Visit>
  void each(Visit&& visit) {
    MassiveParams::each(visit);
    visit("arrays", arrays, "which curves to fit, with commas between; empty: ratio,top1,median");
    visit("resamples", resamples, "bootstrap samples behind each interval of a fit", Range{20, 100000});
    visit("starts", starts, "from how many places the search sets out", Range{1, 144});
  }
};

Dataset fitted(const Dataset& joined, const Inputs& inputs, const SettingValues& values, Task& task) {
  const auto params = read_settings<FitParams>(values, "massive-activation-fit");
  const Dataset* given = find_input(inputs, "curves");
  Task measuring = task.part(0, 0.2), fitting = task.part(0.2, 1);
  const auto seed = static_cast<uint64_t>(params.seed);
  Dataset curves = given ? *given : massive_over_the_series(joined, params.bootstrap, seed, measuring);
  // Statistics that others published come sequence by sequence.
  if (!curves.has("ratio") && curves.has("top") && curves.has("median") &&
      curves["top"].axes() == std::vector<std::string>{"step", "layer", "prompt", "rank"} &&
      curves["median"].axes() == std::vector<std::string>{"step", "layer", "prompt"}) {
    Dataset ratios;
    add_ratios(ratios, curves["top"], curves["median"], params.bootstrap, seed, measuring);
    ratios.set_coord("step", *curves.coord("step"));
    ratios.notes = curves.notes;
    if (const auto architecture = architecture_in(curves)) put_architecture(ratios, *architecture);
    curves = std::move(ratios);
  }
  return fit_series(curves, {arrays_to_fit(curves, params.arrays), params.resamples, params.starts, seed},
                    fitting);
}

}  // namespace

void add_massive_activation_fit(AnalysisCatalog& catalog) {
  Analysis fit;
  fit.name = "massive-activation-fit";
  fit.summary = "fits how massive activations grow over training, layer by layer, and against simpler curves";
  fit.help =
      "f(t) = A exp(-lambda x) ln x + K with x = gamma t + t0, t in steps (arXiv 2508.03616). Fitted by "
      "variable "
      "projection on the form exp(-beta t) (A1 ln(t + tau) + A2) + K and Levenberg-Marquardt from several "
      "starts. Per layer: the five parameters, R2, AIC, the step of the peak (exp(W(1/lambda)) - t0) / "
      "gamma, 95 "
      "% wild-bootstrap intervals, and a class: early peak (peak before 0.9 of the last step, and down by "
      "more "
      "than 5 % of the range since), log increase (peak at the last step or later), other. Rivals: step "
      "responses of first and second order, a constant. Too few points or a flat series gives no numbers but "
      "says so. Reads the cells of massive-activations, or curves given with --with curves=FILE (arrays "
      "[step, layer]). Example: varve run massive-activation-fit pythia-70m.varve --tokens blocks.npz:ids";
  fit.version = 2;
  fit.settings = declared_settings<FitParams>();
  fit.begin = begin_massive;
  fit.cost = massive_cost;
  fit.cells_of = "massive-activations";
  fit.reduce_reads = massive_reads();
  fit.inputs = {{"curves", "curves to fit in place of the store's own: arrays [step, layer]", false, true}};
  fit.reduce_with = fitted;
  catalog.add(std::move(fit));
}

}  // namespace varve
