// Curves of massive activations that others measured: no weights, numbers by step and layer.
#pragma once

#include <filesystem>

#include "analysis/core/dataset.h"

namespace varve {

// True for a folder of published statistics and for a JSONL log that begins with a line {"_meta": ...}; reads
// at most the first line.
bool is_curve_source(const std::filesystem::path& source);

// top [step, layer, prompt, rank] and median [step, layer, prompt], or arrays [step, layer]; with the model's
// sizes where the source tells them. Throws Error; sizes in the files are not trusted.
Dataset read_curves(const std::filesystem::path& source);

}  // namespace varve
