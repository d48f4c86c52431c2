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

// Whether one of the names that models are published under is there: model.safetensors, pytorch_model.bin or
// an index of either.
bool has_published_weights(const std::filesystem::path& folder);

// By its ending, a file of tensors that is not known to be something else (an optimizer, a trainer's
// arguments).
bool is_weight_file(const std::filesystem::path& file);

// Tensor name -> shard name, where the folder's weights are described by an index.
std::optional<std::map<std::string, std::string>> weight_map(const std::filesystem::path& folder);

}  // namespace varve
