// The sizes of a model that its massive activations are compared by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// Out of a config.json, whatever its family calls them. Throws Error naming what is missing.
Architecture architecture_from_config(const std::string& json, const std::string& where);

// The ten features of the paper's section 6, for layer 0 to layers - 1 (its l is one more).
inline constexpr std::array<std::string_view, 10> architecture_feature_names = {
    "l/L", "(l/L)^2", "(l/L)^3", "sqrt(l/L)", "H/d", "d_ff/d", "d/L", "H/L", "log d", "l L"};
std::vector<double> architecture_features(const Architecture& architecture, int64_t layer);

}  // namespace varve
