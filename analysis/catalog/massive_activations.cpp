// Massive activations: the few largest numbers of the residual stream, where they lie and how long they last.
#include "analysis/massive/massive_cell.h"
#include "analysis/massive/massive_series.h"

namespace varve {

void add_massive_activations(AnalysisCatalog& catalog) {
  Analysis massive;
  massive.name = "massive-activations";
  massive.summary = "the largest sizes in each layer's stream against its median, over training";
  massive.help =
      "Reads |resid_post| of every block (layer 0 is the first block) over all positions and features of a "
      "sequence: the three largest with position and feature, and the lower median. Over the series: ratio = "
      "mean top-1 / mean median (arXiv 2508.03616, equation 8) with a 95 % bootstrap over sequences, "
      "ratio_each = mean of top-1 / median with CV and SEM in %, massive_share by the loose rule (above 100 "
      "and "
      "1000 x median; arXiv 2402.17762), how much of top-1's feature and position is kept until the last "
      "step. "
      "Beside it sink mass (attention on the first position, a share), value drain (norm of the first "
      "position's value over the mean of the later ones) and residual peak (largest norm of a position over "
      "the mean). Sizes have the stream's own unit. "
      "Example: varve run massive-activations pythia-70m.varve --tokens blocks.npz:ids";
  massive.settings = declared_settings<MassiveParams>();
  massive.begin = begin_massive;
  massive.cost = massive_cost;
  massive.reduce = [](const Dataset& joined, const SettingValues& values, Task& task) {
    const auto params = read_settings<MassiveParams>(values, "massive-activations");
    return massive_over_the_series(joined, params.bootstrap, static_cast<uint64_t>(params.seed), task);
  };
  massive.reduce_reads = massive_reads();
  catalog.add(std::move(massive));
}

}  // namespace varve
