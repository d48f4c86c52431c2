// What lies in the Hugging Face cache of this machine: which models can be opened, and why others cannot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/core/task.h"

namespace varve {

struct HubModel {
  std::string name;            // "org / model"
  std::filesystem::path path;  // models--org--model
  int64_t revisions = 0;       // that were downloaded
  std::string problem;         // "not supported: vit"; empty where it can be opened
  std::string detail;          // the same in a sentence, with what to try
};

// Where the cache may lie: $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub,
// ~/.cache/huggingface/hub.
std::vector<std::filesystem::path> hub_folders();

// Reads names and config.json only, no weights; those that can be opened come first. Throws Stopped.
std::vector<HubModel> look_into_hub(const std::vector<std::filesystem::path>& folders, Task& task);

}  // namespace varve
