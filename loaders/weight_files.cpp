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
constexpr const char* single_file = "model.safetensors";
constexpr const char* index_file = "model.safetensors.index.json";

// An index is somebody else's file: it may name files beside itself and nothing else.
void refuse_outside(const fs::path& index, const std::string& shard) {
  const fs::path path(shard);
  const bool climbs =
      std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
  if (shard.empty() || path.is_absolute() || climbs || shard.find('\0') != std::string::npos)
    fail("{}: names the shard '{}', which lies outside its folder; refused", index.string(), shard);
}

std::vector<fs::path> files_ending(const fs::path& folder, const std::vector<std::string>& endings) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (std::find(endings.begin(), endings.end(), entry.path().extension().string()) != endings.end())
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::optional<std::map<std::string, std::string>> weight_map(const fs::path& folder) {
  const fs::path index = folder / index_file;
  // One whole file wins over an index, as in transformers.
  if (fs::exists(folder / single_file) || !fs::exists(index)) return std::nullopt;
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
  if (fs::exists(folder / single_file)) return {fs::canonical(folder / single_file)};
  if (const auto map = weight_map(folder)) {
    std::set<std::string> shards;
    for (const auto& [name, shard] : *map) shards.insert(shard);
    std::vector<fs::path> files;
    for (const std::string& shard : shards) {
      if (!fs::is_regular_file(folder / shard))
        fail("{}: the shard '{}' that {} names is missing; download or copy it as well", folder.string(),
             shard, index_file);
      files.push_back(fs::canonical(folder / shard));
    }
    return files;
  }
  const std::vector<fs::path> loose = files_ending(folder, {".safetensors"});
  if (loose.size() == 1) return {fs::canonical(loose.front())};
  if (!loose.empty())
    fail("{}: {} safetensors files but neither {} nor {} says which hold the weights", folder.string(),
         loose.size(), single_file, index_file);
  const std::vector<fs::path> torch = files_ending(folder, {".bin", ".pt", ".pth", ".ckpt"});
  if (!torch.empty())
    fail("{}: only {} is there; PyTorch .bin is not read yet. Convert it to safetensors", folder.string(),
         torch.front().filename().string());
  fail("{}: no weights found; looked for {}, {} and its shards", folder.string(), single_file, index_file);
}

}  // namespace varve
