// One checkpoint of a source, opened: its files, its tensors by name, its config and what its family makes of
// them.
#include "loaders/checkpoint_files.h"

#include <algorithm>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/import.h"
#include "loaders/map.h"
#include "loaders/weight_files.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr int64_t config_limit = 16'000'000;
constexpr int64_t tokenizer_limit = 512'000'000;

nlohmann::json parse_config(const fs::path& file, const std::string& text) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not JSON ({})", file.string(), error.what());
  }
}

bool is_float(TensorType type) {
  return type == TensorType::f64 || type == TensorType::f32 || type == TensorType::f16 ||
         type == TensorType::bf16;
}

RawType raw_type(TensorType type) {
  if (type == TensorType::f64) return RawType::f64;
  if (type == TensorType::f16) return RawType::f16;
  return type == TensorType::bf16 ? RawType::bf16 : RawType::f32;
}

// An index that sends a tensor to a shard that does not hold it belongs to other files.
void check_weight_map(const OpenCheckpoint& checkpoint) {
  const fs::path& folder = checkpoint.source.folder;
  const auto map = weight_map(folder);
  if (!map) return;
  std::map<std::string, fs::path> resolved;
  for (const auto& [name, shard] : *map) {
    if (!resolved.contains(shard)) resolved[shard] = fs::canonical(folder / shard);
    const OpenTensor* tensor = checkpoint.find(name);
    if (!tensor || tensor->file != resolved[shard])
      fail(
          "{}: the index says that {} holds tensor '{}', but it does not. Do index and shards belong "
          "together?",
          folder.string(), shard, name);
  }
}

const FilePart& part_of(const TensorFile& file, const CheckpointSource& source, const fs::path& path) {
  const std::vector<FilePart>& parts = file.parts();
  if (static_cast<size_t>(source.part) >= parts.size())
    fail("{}: holds {} checkpoints now, fewer than when it was looked at first", path.string(), parts.size());
  if (parts.size() > 1 && source.weights.size() > 1)
    fail("{}: one of several files of a model, yet it holds {} checkpoints itself", path.string(),
         parts.size());
  return parts[static_cast<size_t>(source.part)];
}

}  // namespace

const OpenTensor* OpenCheckpoint::find(const std::string& name) const {
  const auto found =
      std::lower_bound(tensors.begin(), tensors.end(), name,
                       [](const OpenTensor& tensor, const std::string& key) { return tensor.name < key; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

std::unique_ptr<TensorFile> open_tensor_file(const fs::path& path) {
  std::string names;
  for (const Format& format : formats().items()) {
    for (const std::string& ending : format.endings)
      if (path.filename().string().ends_with(ending)) return format.open(path);
    names += (names.empty() ? "" : ", ") + format.name;
  }
  for (const Format& format : formats().items())
    if (format.recognises(path)) return format.open(path);
  fail("{}: not a file of weights that is read; these formats are: {}", path.string(), names);
}

std::vector<fs::path> files_of(const CheckpointSource& source) {
  std::vector<fs::path> files = source.weights;
  if (!source.map) files.push_back(fs::weakly_canonical(source.folder / "config.json"));
  files.push_back(fmt::format("part {}", source.part));
  return files;
}

void check_bytes(const OpenCheckpoint& checkpoint, std::set<fs::path>& checked,
                 const std::function<void()>& passed) {
  for (size_t i = 0; i < checkpoint.files.size(); ++i)
    if (checked.insert(checkpoint.source.weights[i]).second)
      checkpoint.files[i]->check_bytes([&passed](int64_t) { passed(); });
}

std::string read_tokenizer(const fs::path& path) {
  if (path.extension() != ".gguf") return read_file(path, tokenizer_limit);
  return open_tensor_file(path)->parts().front().tokenizer;
}

namespace {

// Files and tensors, before anything is known of the network.
OpenCheckpoint open_tensors(const CheckpointSource& source) {
  OpenCheckpoint checkpoint;
  checkpoint.source = source;
  for (const fs::path& path : source.weights) {
    checkpoint.files.push_back(open_tensor_file(path));
    const FilePart& part = part_of(*checkpoint.files.back(), source, path);
    if (!part.config.empty()) checkpoint.config = part.config;
    for (const FileTensor& tensor : part.tensors) {
      checkpoint.tensors.push_back({tensor.name, tensor.view, path, tensor.offset});
      checkpoint.bytes += static_cast<int64_t>(tensor.view.bytes.size());
    }
  }
  std::vector<OpenTensor>& tensors = checkpoint.tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const OpenTensor& a, const OpenTensor& b) { return a.name < b.name; });
  for (size_t i = 1; i < tensors.size(); ++i)
    if (tensors[i].name == tensors[i - 1].name)
      fail("{}: tensor '{}' is in {} and in {}", source.folder.string(), tensors[i].name,
           tensors[i - 1].file.filename().string(), tensors[i].file.filename().string());
  check_weight_map(checkpoint);
  return checkpoint;
}

TensorShapes shapes_of(const OpenCheckpoint& checkpoint) {
  TensorShapes shapes;
  for (const OpenTensor& tensor : checkpoint.tensors) shapes[tensor.name] = tensor.view.shape;
  return shapes;
}

void read_network(OpenCheckpoint& checkpoint) {
  const CheckpointSource& source = checkpoint.source;
  if (source.map) {
    checkpoint.config = nlohmann::json{{"map", source.map->text}}.dump();
    checkpoint.reading = read_mapped(*source.map, shapes_of(checkpoint));
    return;
  }
  const fs::path config_file = source.folder / "config.json";
  const bool beside = fs::exists(config_file);
  if (!beside && checkpoint.config.empty())
    fail(
        "{}: there is no config.json, which says what network these weights are. Put it beside them, or "
        "describe a network of your own with --map",
        source.folder.string());
  if (beside) checkpoint.config = read_file(config_file, config_limit);
  const nlohmann::json config = parse_config(config_file, checkpoint.config);
  try {
    checkpoint.reading = read_family(config, shapes_of(checkpoint));
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}: {}", source.folder.string(), error.what()));
  } catch (const nlohmann::json::exception& error) {
    fail("{}: {}", config_file.string(), error.what());
  }
}

}  // namespace

TensorShapes tensor_shapes(const CheckpointSource& source) { return shapes_of(open_tensors(source)); }

OpenCheckpoint open_checkpoint(const CheckpointSource& source) {
  OpenCheckpoint checkpoint = open_tensors(source);
  read_network(checkpoint);
  for (const auto& [canonical, take] : checkpoint.reading.recipe)
    if (const OpenTensor* tensor = checkpoint.find(take.source); tensor && !is_float(tensor->view.type))
      fail("{}: tensor '{}' is {}, and weights must be f64, f32, f16 or bf16", source.folder.string(),
           take.source, name_of(tensor->view.type));
  return checkpoint;
}

OpenedModel open_model(const SeriesSource& series, const CheckpointSource& source) {
  const auto files = std::make_shared<const OpenCheckpoint>(open_checkpoint(source));
  OpenedModel model;
  CheckpointRecord& record = model.checkpoint;
  record.step = source.step;
  record.tokens = source.tokens;
  record.branch = source.branch;
  record.label = source.label;
  record.source = source.folder.string();
  record.config = files->config;
  record.spec = to_json(files->reading.spec);
  record.recipe = to_json(files->reading.recipe);
  record.bytes = files->bytes;
  for (const OpenTensor& tensor : files->tensors) {
    TensorRecord entry;
    entry.name = tensor.name;
    entry.type = tensor.view.type;
    entry.shape = tensor.view.shape;
    entry.link_path = tensor.file.string();
    entry.link_offset = tensor.offset;
    record.tensors.push_back(std::move(entry));
  }
  if (series.tokenizer) model.tokenizer = read_tokenizer(*series.tokenizer);
  // The source keeps the files mapped for as long as the weights live.
  const auto found = [files](const std::string& name) -> const TensorView& {
    const OpenTensor* tensor = files->find(name);
    if (!tensor) fail("{}: there is no tensor '{}'", files->source.folder.string(), name);
    return tensor->view;
  };
  const auto source_of = [found](const std::string& name) {
    const TensorView& view = found(name);
    return RawTensor{raw_type(view.type), view.shape, view.bytes, view.mapped, view.owned};
  };
  const auto stretches = [found](const std::string& name) {
    const TensorView& view = found(name);
    return view.mapped ? std::vector<std::span<const std::byte>>{view.bytes}
                       : std::vector<std::span<const std::byte>>{};
  };
  model.weights = std::make_shared<Weights>(files->reading.spec, files->reading.recipe, source_of, stretches);
  return model;
}

}  // namespace varve
