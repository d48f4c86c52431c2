// Which files of a model folder hold its weights.
#include "loaders/weight_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr int64_t index_limit = 256'000'000;
// In the order in which transformers looks for them: safetensors first, a whole file before an index.
constexpr const char* single_files[] = {"model.safetensors", "pytorch_model.bin"};
constexpr const char* index_files[] = {"model.safetensors.index.json", "pytorch_model.bin.index.json"};

// An index is somebody else's file: it may name files beside itself and nothing else.
void refuse_outside(const fs::path& index, const std::string& shard) {
  const fs::path path(shard);
  const bool climbs =
      std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
  if (shard.empty() || path.is_absolute() || climbs || shard.find('\0') != std::string::npos)
    fail("{}: names the shard '{}', which lies outside its folder; refused", index.string(), shard);
}

struct Published {
  fs::path file;
  bool index = false;
};

std::optional<Published> published_weights(const fs::path& folder) {
  for (size_t i = 0; i < std::size(single_files); ++i) {
    if (fs::exists(folder / single_files[i])) return Published{folder / single_files[i], false};
    if (fs::exists(folder / index_files[i])) return Published{folder / index_files[i], true};
  }
  return std::nullopt;
}

// Files with other names, where there is nothing to choose between.
std::vector<fs::path> loose_files(const fs::path& folder, bool safetensors) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (is_weight_file(entry.path()) && (entry.path().extension() == ".safetensors") == safetensors)
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

bool has_published_weights(const fs::path& folder) { return published_weights(folder).has_value(); }

bool is_weight_file(const fs::path& file) {
  static const std::set<std::string> endings = {".safetensors", ".bin",    ".pt",  ".pth", ".ckpt",
                                                ".pkl",         ".pickle", ".npz", ".gguf"};
  // What the usual trainers leave beside a model.
  static const std::set<std::string> others = {"training_args", "optimizer",     "scheduler",
                                               "scaler",        "trainer_state", "rng_state"};
  const std::string stem = file.stem().string();
  return endings.contains(file.extension().string()) && !others.contains(stem) &&
         !stem.starts_with("rng_state") && !stem.starts_with("optim");
}

std::optional<std::map<std::string, std::string>> weight_map(const fs::path& folder) {
  const std::optional<Published> published = published_weights(folder);
  if (!published || !published->index) return std::nullopt;
  const fs::path& index = published->file;
  std::map<std::string, std::string> map;
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(index, index_limit));
    const auto entries = json.is_object() ? json.find("weight_map") : json.end();
    if (entries == json.end() || !entries->is_object() || entries->empty())
      fail("{}: has no 'weight_map' from tensor names to files", index.string());
    for (const auto& [name, shard] : entries->items()) {
      if (!shard.is_string()) fail("{}: the shard of tensor '{}' is not a name", index.string(), name);
      refuse_outside(index, shard.get<std::string>());
      map[name] = shard.get<std::string>();
    }
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not JSON ({})", index.string(), error.what());
  }
  return map;
}

std::vector<fs::path> weight_files(const fs::path& folder) {
  const std::optional<Published> published = published_weights(folder);
  if (published && !published->index) return {fs::canonical(published->file)};
  if (const auto map = weight_map(folder)) {
    std::set<std::string> shards;
    for (const auto& [name, shard] : *map) shards.insert(shard);
    std::vector<fs::path> files;
    for (const std::string& shard : shards) {
      if (!fs::is_regular_file(folder / shard))
        fail("{}: the shard '{}' that {} names is missing; download or copy it as well", folder.string(),
             shard, published->file.filename().string());
      files.push_back(fs::canonical(folder / shard));
    }
    return files;
  }
  for (const bool safetensors : {true, false}) {
    const std::vector<fs::path> loose = loose_files(folder, safetensors);
    if (loose.size() == 1) return {fs::canonical(loose.front())};
    if (!loose.empty())
      fail(
          "{}: {} and {} other files of weights, but none is named {} or {}, nor is there an index that says "
          "which hold the model",
          folder.string(), loose.front().filename().string(), loose.size() - 1, single_files[0],
          single_files[1]);
  }
  fail(
      "{}: no weights found; looked for {}, {}, their shards, and any single .safetensors, .bin, .pt, .pth, "
      ".ckpt, .npz or .gguf",
      folder.string(), single_files[0], single_files[1]);
}

}  // namespace varve
