// The sizes of a model that its massive activations are compared by.
#pragma once

#include <cstdint>
#include <optional>

#include "analysis/core/dataset.h"

namespace varve {

class Study;

struct Architecture {
  int64_t layers = 0, d_model = 0, heads = 0, d_mlp = 0;
  int64_t parameters = 0;  // 0: unknown
};

Architecture architecture_of(const Study& study);

// As numbers without axes (or along `step`, once cells were joined) under their own names.
void put_architecture(Dataset& data, const Architecture& architecture);
std::optional<Architecture> architecture_in(const Dataset& data);  // none where the data does not say

}  // namespace varve
