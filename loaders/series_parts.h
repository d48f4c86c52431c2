// The kinds of series a source can be; find_series picks one and then orders what it found.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "loaders/series.h"

namespace varve {

// Who says what network the weights are: a config.json beside them, or a map for all.
enum class Described { by_config, by_map };

bool is_hub_cache(const std::filesystem::path& folder);
SeriesSource read_hub_cache(const std::filesystem::path& folder);
SeriesSource read_manifest(const std::filesystem::path& file, Described described);

// What the source has to say which network its weights are.
bool holds_model(const std::filesystem::path& folder, Described described);

// One checkpoint from a folder that holds config.json; step, tokens and branch from `label` where it names
// them.
CheckpointSource checkpoint_in(const std::filesystem::path& folder, const std::string& label);

// The checkpoints of one file of weights: one, or the several it holds. `folder` may hold their config.json.
// What else lies in the file is told in `notes`. Throws Error where the file cannot be read.
std::vector<CheckpointSource> checkpoints_in_file(const std::filesystem::path& file,
                                                  const std::filesystem::path& folder,
                                                  std::vector<std::string>& notes);

// Files of weights with a step in their names (ckpt_100.pt, step200.npz), in name order.
std::vector<std::filesystem::path> step_files(const std::filesystem::path& folder);

}  // namespace varve
