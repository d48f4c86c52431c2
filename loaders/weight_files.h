// Which files of a model folder hold its weights.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace varve {

// The weight files of a model folder with all links resolved, in name order. Throws Error: none, a missing
// shard, a shard outside the folder, only files of a kind that is not read.
std::vector<std::filesystem::path> weight_files(const std::filesystem::path& folder);

// Tensor name -> shard name, where the folder's weights are described by model.safetensors.index.json.
std::optional<std::map<std::string, std::string>> weight_map(const std::filesystem::path& folder);

}  // namespace varve
