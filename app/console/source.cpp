// What a verb's STORE, MODEL_DIR or tokenizer.json argument stands for.
#include "app/console/source.h"

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/study.h"
#include "loaders/import.h"
#include "loaders/series.h"

namespace varve {
namespace {

constexpr int64_t tokenizer_limit_bytes = 256 << 20;

template <class Checkpoint>
const Checkpoint& pick(const std::vector<const Checkpoint*>& all, std::optional<int64_t> step,
                       const std::filesystem::path& path) {
  if (!step) return *all.back();
  std::vector<int64_t> steps;
  for (const Checkpoint* one : all) {
    if (one->step == *step) return *one;
    steps.push_back(one->step);
  }
  fail_usage("{}: there is no step {}; there are {}", path.string(), *step, fmt::join(steps, ", "));
}

template <class Checkpoint>
std::vector<const Checkpoint*> of_branch(const std::vector<Checkpoint>& all, const std::string& branch) {
  std::vector<const Checkpoint*> found;
  std::set<std::string> branches;
  for (const Checkpoint& one : all) {
    branches.insert(one.branch);
    if (one.branch == branch) found.push_back(&one);
  }
  if (all.empty()) fail("the series holds no checkpoints yet; import some with varve import");
  if (found.empty()) fail_usage("there is no branch '{}'; there are {}", branch, fmt::join(branches, ", "));
  std::stable_sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->step < b->step; });
  return found;
}

}  // namespace

void require_exists(const std::filesystem::path& path) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) fail("{}: no such file or folder", path.string());
}

std::shared_ptr<RunStore> open_store(const std::filesystem::path& path) {
  require_exists(path);
  if (!RunStore::is_store(path))
    fail("{}: not a run store; make one with varve import {} -o NAME.varve", path.string(), path.string());
  return RunStore::open(path);
}

std::vector<const CheckpointRecord*> checkpoints_of(const SeriesRecord& series, const std::string& branch) {
  return of_branch(series.checkpoints, branch);
}

OpenedCheckpoint open_checkpoint(const std::filesystem::path& path, std::optional<int64_t> step,
                                 const std::string& branch) {
  require_exists(path);
  if (RunStore::is_store(path)) {
    const std::shared_ptr<const RunStore> store = RunStore::open(path);
    const CheckpointRecord& record = pick(checkpoints_of(store->series(), branch), step, path);
    return {record, std::make_shared<const Weights>(weights_of(store, record)), store->series().tokenizer};
  }
  const SeriesSource series = find_series(path);
  OpenedModel model = open_model(series, pick(of_branch(series.checkpoints, branch), step, path));
  return {std::move(model.checkpoint), std::move(model.weights), std::move(model.tokenizer)};
}

std::string tokenizer_text(const std::filesystem::path& path) {
  require_exists(path);
  if (std::filesystem::is_regular_file(path)) return read_file(path, tokenizer_limit_bytes);
  if (RunStore::is_store(path)) {
    const std::string text = RunStore::open(path)->series().tokenizer;
    if (text.empty())
      fail("{}: the series came without a tokenizer.json; give that file instead", path.string());
    return text;
  }
  if (std::filesystem::exists(path / "tokenizer.json"))
    return read_file(path / "tokenizer.json", tokenizer_limit_bytes);
  const SeriesSource series = find_series(path);
  if (!series.tokenizer) fail("{}: no tokenizer.json found there; give the file itself", path.string());
  return read_file(*series.tokenizer, tokenizer_limit_bytes);
}

Compute compute_mode(const std::string& name) { return compute_from(name); }

}  // namespace varve
