// One checkpoint of a source, opened: its files, its tensors by name, its config and what its family makes of
// them.
#include "loaders/checkpoint_files.h"

#include <algorithm>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/import.h"
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

OpenCheckpoint open_checkpoint(const CheckpointSource& source) {
  OpenCheckpoint checkpoint;
  checkpoint.source = source;
  const fs::path config_file = source.folder / "config.json";
  checkpoint.config = read_file(config_file, config_limit);
  const nlohmann::json config = parse_config(config_file, checkpoint.config);
  for (const fs::path& path : source.weights) {
    checkpoint.files.push_back(open_tensor_file(path));
    for (const FileTensor& tensor : checkpoint.files.back()->tensors()) {
      checkpoint.tensors.push_back({tensor.name, tensor.view, path, tensor.offset});
      checkpoint.bytes += static_cast<int64_t>(tensor.view.bytes.size());
    }
  }
  std::vector<OpenTensor>& tensors = checkpoint.tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const OpenTensor& a, const OpenTensor& b) { return a.name < b.name; });
  TensorShapes shapes;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (i > 0 && tensors[i].name == tensors[i - 1].name)
      fail("{}: tensor '{}' is in {} and in {}", source.folder.string(), tensors[i].name,
           tensors[i - 1].file.filename().string(), tensors[i].file.filename().string());
    shapes[tensors[i].name] = tensors[i].view.shape;
  }
  check_weight_map(checkpoint);
  try {
    checkpoint.reading = read_family(config, shapes);
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}: {}", source.folder.string(), error.what()));
  } catch (const nlohmann::json::exception& error) {
    fail("{}: {}", config_file.string(), error.what());
  }
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
  if (series.tokenizer) model.tokenizer = read_file(*series.tokenizer, tokenizer_limit);
  // The source keeps the files mapped for as long as the weights live.
  model.weights =
      std::make_shared<Weights>(files->reading.spec, files->reading.recipe, [files](const std::string& name) {
        const OpenTensor* tensor = files->find(name);
        if (!tensor) fail("{}: there is no tensor '{}'", files->source.folder.string(), name);
        return RawTensor{raw_type(tensor->view.type), tensor->view.shape, tensor->view.bytes};
      });
  return model;
}

}  // namespace varve
