// The kinds of series a source can be; find_series picks one and then orders what it found.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "loaders/series.h"

namespace varve {

bool is_hub_cache(const std::filesystem::path& folder);
SeriesSource read_hub_cache(const std::filesystem::path& folder);
SeriesSource read_manifest(const std::filesystem::path& file);

// One checkpoint from a folder that holds config.json; step, tokens and branch from `label` where it names
// them.
CheckpointSource checkpoint_in(const std::filesystem::path& folder, const std::string& label);

}  // namespace varve
