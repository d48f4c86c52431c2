// Massive activations taken away: set to zero, set to their mean, and a control.
#include "analysis/massive/intervention_cell.h"

namespace varve {

void add_massive_activation_intervention(AnalysisCatalog& catalog) {
  Analysis change;
  change.name = "massive-activation-intervention";
  change.summary = "loss and perplexity when the largest activations are set to zero or to their mean";
  change.help =
      "Changes the largest |resid_post| of each sequence at one block and reads the loss (arXiv 2402.17762, "
      "section 3.3): zero; mean, over sequences, of such activations of the same feature and sign; and "
      "random, "
      "as many numbers at the same positions set to zero as a control. Loss is the mean over sequences in "
      "nats "
      "per predicted token, with a 95 % bootstrap over sequences; perplexity is its exponential; increase is "
      "paired with the unchanged loss of the same sequence. "
      "Example: varve run massive-activation-intervention pythia-70m.varve --tokens blocks.npz:ids --set "
      "count=3";
  change.settings = declared_settings<MassiveChangeParams>();
  change.begin = begin_massive_change;
  change.cost = massive_change_cost;
  change.reduce = massive_change_over_the_series;
  change.reduce_reads = {"loss", "changed_layer"};
  catalog.add(std::move(change));
}

}  // namespace varve
