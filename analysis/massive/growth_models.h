// Several models' fits side by side: final ratio against size, peaks and quality by layer.
#pragma once

#include "analysis/massive/growth_predict.h"

namespace varve {

// Along `model`, smallest first: parameters, final_ratio (largest over layers at the last step, from the
// curve itself), final_layer; along model and layer: peak_step, peak_value, r2, final. Layers a model lacks
// are empty.
Dataset compare_growth(const std::vector<NamedFit>& fits, const std::string& array);

}  // namespace varve
