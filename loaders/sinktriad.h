// Logs of spikes, sinks and drains by step and layer, as the sink-triad experiments write them.
#pragma once

#include <filesystem>

#include "analysis/core/dataset.h"

namespace varve {

bool is_sinktriad(const std::filesystem::path& file);  // by its first line

// Columns NAME_l0, NAME_l1 ... become NAME [step, layer], the others [step]. `_meta` gives the model's sizes.
Dataset read_sinktriad(const std::filesystem::path& file);

}  // namespace varve
