// Expert counts as routing scripts pickle them: per domain a list with one mapping a layer.
#include <algorithm>
#include <filesystem>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/pickle/unpickler.h"
#include "loaders/table.h"

namespace varve {
namespace {

constexpr int64_t file_limit = 500'000'000, expert_limit = 4096;

struct Count {
  int64_t expert = 0, after = -1;  // after: of the later layer, where pairs are counted
  double count = 0;
};
using LayerCounts = std::vector<Count>;

int64_t expert_in(const PickleTree& tree, PickleId id, const std::string& what) {
  if (!tree.is_integer(id) || tree.integer(id) < 0 || tree.integer(id) >= expert_limit)
    fail("{}: a key is no expert number from 0 to {}", what, expert_limit - 1);
  return tree.integer(id);
}

std::vector<LayerCounts> counts_in(const std::string& file) {
  const std::string bytes = read_file(file, file_limit);
  const PickleTree tree = read_pickle(bytes, file);
  if (!tree.is_sequence(tree.root)) fail("{}: expected a list with one mapping of counts a layer", file);
  std::vector<LayerCounts> layers;
  for (const PickleId layer : tree.items(tree.root)) {
    if (tree.kind(layer) != PickleKind::dict)
      fail("{}: expected a mapping from expert to count in the list's place {}", file, layers.size());
    LayerCounts& counts = layers.emplace_back();
    const std::span<const PickleId> items = tree.items(layer);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      Count one;
      if (tree.is_sequence(items[i]) && tree.items(items[i]).size() == 2) {
        one.expert = expert_in(tree, tree.items(items[i])[0], file);
        one.after = expert_in(tree, tree.items(items[i])[1], file);
      } else {
        one.expert = expert_in(tree, items[i], file);
      }
      if (tree.is_integer(items[i + 1]))
        one.count = static_cast<double>(tree.integer(items[i + 1]));
      else if (tree.kind(items[i + 1]) == PickleKind::real)
        one.count = tree.real(items[i + 1]);
      else
        fail("{}: a count is no number", file);
      counts.push_back(one);
    }
  }
  if (layers.empty()) fail("{}: holds no layer", file);
  return layers;
}

}  // namespace

Dataset read_expert_counts(const std::string& folder) {
  std::map<std::string, std::vector<LayerCounts>> groups;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".pkl")
      groups.emplace(entry.path().stem().string(), counts_in(entry.path().string()));
  if (groups.empty()) fail("{}: holds no .pkl file of expert counts", folder);
  int64_t experts = 0, layers = static_cast<int64_t>(groups.begin()->second.size());
  bool pairs = false, single = false;
  std::vector<std::string> names;
  for (const auto& [name, all] : groups) {
    names.push_back(name);
    if (static_cast<int64_t>(all.size()) != layers)
      fail("{}: {} has {} layers but {} has {}; give folders of one model", folder, name, all.size(),
           groups.begin()->first, layers);
    for (const LayerCounts& layer : all)
      for (const Count& one : layer) {
        experts = std::max({experts, one.expert + 1, one.after + 1});
        (one.after >= 0 ? pairs : single) = true;
      }
  }
  if (pairs && single) fail("{}: holds counts of experts and of pairs; give a folder of one kind", folder);
  const int64_t width = pairs ? experts * experts : experts, count = static_cast<int64_t>(names.size());
  std::vector<double> values(static_cast<size_t>(layers * count * width), 0);
  int64_t group = 0;
  for (const auto& [name, all] : groups) {
    for (int64_t layer = 0; layer < layers; ++layer)
      for (const Count& one : all[static_cast<size_t>(layer)])
        values[static_cast<size_t>((layer * count + group) * width +
                                   (pairs ? one.expert * experts + one.after : one.expert))] += one.count;
    ++group;
  }
  Dataset data;
  data.title = "Expert counts of " + std::filesystem::path(folder).filename().string();
  if (pairs)
    data.set("joint", Array({"layer", "group", "expert", "expert_after"}, {layers, count, experts, experts},
                            std::move(values)));
  else
    data.set("counts", Array({"layer", "group", "expert"}, {layers, count, experts}, std::move(values)));
  data.set_coord("group", Array({"group"}, {count}, std::move(names)));
  data.notes.push_back(
      "Layers are numbered as their places in the file; the file does not say which blocks they are.");
  return data;
}

}  // namespace varve
