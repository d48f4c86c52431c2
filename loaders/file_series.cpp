// Series made of files instead of folders: one file that holds several checkpoints, or one file a step.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/checkpoint_files.h"
#include "loaders/series_parts.h"
#include "loaders/weight_files.h"

namespace varve {

namespace fs = std::filesystem;

std::vector<CheckpointSource> checkpoints_in_file(const fs::path& file, const fs::path& folder,
                                                  std::vector<std::string>& notes) {
  const std::unique_ptr<TensorFile> opened = open_tensor_file(file);
  const std::vector<FilePart>& parts = opened->parts();
  const std::string stem = file.stem().string();
  const std::optional<RevisionName> named = parse_revision(stem);
  std::vector<CheckpointSource> checkpoints;
  for (size_t i = 0; i < parts.size(); ++i) {
    CheckpointSource checkpoint;
    checkpoint.folder = folder;
    checkpoint.weights = {fs::canonical(file)};
    checkpoint.part = static_cast<int64_t>(i);
    checkpoint.label = parts.size() == 1 ? stem : stem + ":" + parts[i].label;
    // The name is what people sort by; what is inside may count epochs.
    if (parts.size() == 1 && named && named->step >= 0) {
      checkpoint.step = named->step;
      checkpoint.tokens = named->tokens;
      checkpoint.branch = named->branch;
    } else {
      checkpoint.step = parts[i].step >= 0 ? parts[i].step : static_cast<int64_t>(i);
    }
    for (const std::string& note : parts[i].notes)
      notes.push_back(fmt::format("{}: {}", file.filename().string(), note));
    checkpoints.push_back(std::move(checkpoint));
  }
  return checkpoints;
}

std::vector<fs::path> step_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() || !is_weight_file(entry.path())) continue;
    const std::optional<RevisionName> name = parse_revision(entry.path().stem().string());
    if (name && name->step >= 0) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace varve
