// Which checkpoints of a source an import takes, and under which branch.
#pragma once

#include <vector>

#include "loaders/import.h"

namespace varve {

// --steps and --branch applied. Throws Error (usage) where two would have the same place.
std::vector<CheckpointSource> chosen(const ImportRequest& request, const SeriesSource& series);

}  // namespace varve
