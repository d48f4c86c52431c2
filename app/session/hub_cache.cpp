// Looking through cached repositories without opening them.
#include "app/session/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/family.h"

namespace varve {

namespace {

namespace fs = std::filesystem;
constexpr int64_t config_limit_bytes = 4 << 20;
constexpr size_t most_models = 500;  // more could not be looked through on a page

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code problem;  // a folder that cannot be read is as good as empty here
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    all.push_back(at->path());
  std::sort(all.begin(), all.end());
  return all;
}

bool is_folder(const fs::path& path) {
  std::error_code problem;
  return fs::is_directory(path, problem);
}

bool has_weights(const fs::path& snapshot) {
  for (const fs::path& file : entries_of(snapshot)) {
    const std::string ending = file.extension().string();
    std::error_code gone;
    if ((ending == ".safetensors" || ending == ".bin" || ending == ".pt" || ending == ".pth" ||
         ending == ".gguf" || ending == ".npz") &&
        fs::exists(file, gone))
      return true;
  }
  return false;
}

bool reads(const nlohmann::json& config) {
  const std::string type = config.contains("model_type") && config["model_type"].is_string()
                               ? config["model_type"].get<std::string>()
                               : "";
  std::set<std::string> architectures;
  if (config.contains("architectures") && config["architectures"].is_array())
    for (const nlohmann::json& one : config["architectures"])
      if (one.is_string()) architectures.insert(one.get<std::string>());
  for (const Family& family : families().items()) {
    for (const std::string& known : family.model_types)
      if (known == type) return true;
    for (const std::string& known : family.architectures)
      if (architectures.contains(known)) return true;
  }
  return false;
}

std::string type_of(const nlohmann::json& config) {
  if (config.contains("model_type") && config["model_type"].is_string())
    return config["model_type"].get<std::string>();
  if (config.contains("architectures") && config["architectures"].is_array() &&
      !config["architectures"].empty() && config["architectures"][0].is_string())
    return config["architectures"][0].get<std::string>();
  return "unnamed";
}

void judge(HubModel& model, const fs::path& snapshot) {
  nlohmann::json config;
  try {
    config = nlohmann::json::parse(read_file(snapshot / "config.json", config_limit_bytes), nullptr, false);
  } catch (const Error& error) {
    model.problem = "config.json unreadable";
    model.detail = error.what();
    return;
  }
  if (!config.is_object()) {
    model.problem = "config.json damaged";
    model.detail = (snapshot / "config.json").string() + " is no JSON object. Download the repository again.";
  } else if (config.contains("quantization_config")) {
    model.problem = "not supported: quantised";
    model.detail =
        "Its weights are quantised; Varve reads f32, f16 and bf16. Take the repository it was made from.";
  } else if (!reads(config)) {
    model.problem = "not supported: " + type_of(config);
    model.detail = "No model family here reads '" + type_of(config) +
                   "'. `varve list families` names those that are; a map (--map) can describe others.";
  } else if (!has_weights(snapshot)) {
    model.problem = "weights not downloaded";
    model.detail = snapshot.string() + " holds a config.json and no weights. Download them first.";
  }
}

HubModel read_model(const fs::path& path) {
  HubModel model;
  model.path = path;
  model.name = path.filename().string().substr(std::string_view("models--").size());
  if (const size_t bar = model.name.find("--"); bar != std::string::npos) model.name.replace(bar, 2, " / ");
  fs::path described;
  for (const fs::path& snapshot : entries_of(path / "snapshots")) {
    std::error_code gone;
    if (!fs::exists(snapshot / "config.json", gone)) continue;
    ++model.revisions;
    // Any revision says which network it is; one with weights is what would be opened.
    if (described.empty() || (!has_weights(described) && has_weights(snapshot))) described = snapshot;
  }
  if (!described.empty()) {
    judge(model, described);
  } else if (entries_of(path / "snapshots").empty()) {
    model.problem = "not downloaded";
    model.detail = path.string() + " has no snapshots. Download the repository first.";
  } else {
    model.problem = "no config.json";
    model.detail = "No snapshot of it holds a config.json, so nothing says what network it is.";
  }
  return model;
}

}  // namespace

std::vector<fs::path> hub_folders() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value && *value ? fs::path(value) : fs::path();
  };
  std::vector<fs::path> folders;
  const auto add = [&folders](const fs::path& base, const char* rest) {
    if (base.empty()) return;
    const fs::path folder = *rest ? base / rest : base;
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
  };
  add(variable("HF_HUB_CACHE"), "");
  add(variable("HF_HOME"), "hub");
  add(variable("XDG_CACHE_HOME"), "huggingface/hub");
  add(variable("HOME"), ".cache/huggingface/hub");
  return folders;
}

std::vector<HubModel> look_into_hub(const std::vector<fs::path>& folders, Task& task) {
  std::vector<HubModel> models;
  for (const fs::path& folder : folders)
    for (const fs::path& path : entries_of(folder)) {
      if (!path.filename().string().starts_with("models--") || !is_folder(path)) continue;
      if (models.size() >= most_models) break;
      models.push_back(read_model(path));
      task.step(0, 1);
    }
  std::stable_sort(models.begin(), models.end(), [](const HubModel& a, const HubModel& b) {
    return a.problem.empty() != b.problem.empty() ? a.problem.empty() : a.name < b.name;
  });
  return models;
}

}  // namespace varve
