// How a folder, a Hugging Face cache repository or a manifest becomes an ordered series of checkpoints.
#include "loaders/series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/core/error.h"
#include "analysis/store/run_store.h"
#include "loaders/checkpoint_files.h"
#include "loaders/series_parts.h"
#include "loaders/weight_files.h"

namespace varve {

namespace fs = std::filesystem;

CheckpointSource checkpoint_in(const fs::path& folder, const std::string& label) {
  CheckpointSource checkpoint;
  checkpoint.label = label;
  checkpoint.folder = folder;
  checkpoint.weights = weight_files(folder);
  if (const std::optional<RevisionName> name = parse_revision(label)) {
    checkpoint.step = std::max<int64_t>(0, name->step);
    checkpoint.tokens = name->tokens;
    checkpoint.branch = name->branch;
  }
  return checkpoint;
}

bool holds_model(const fs::path& folder, Described described) {
  if (fs::exists(folder / "config.json") && described == Described::by_config) return true;
  if (has_published_weights(folder) && described == Described::by_map) return true;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    // GGUF files say themselves what network they are.
    if (is_weight_file(entry.path()) &&
        (described == Described::by_map || entry.path().extension() == ".gguf"))
      return true;
  return false;
}

namespace {

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool names_a_step(const fs::path& path) {
  const std::optional<RevisionName> name = parse_revision(path.filename().string());
  return name && name->step >= 0;
}

std::vector<fs::path> step_folders(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::path& entry : sorted_entries(folder))
    if (fs::is_directory(entry) && names_a_step(entry)) found.push_back(entry);
  return found;
}

std::string shortened(const std::vector<std::string>& names) {
  constexpr size_t shown = 5;
  const size_t count = std::min(names.size(), shown);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(count), ", "));
  return names.size() > shown ? text + fmt::format(" and {} more", names.size() - shown) : text;
}

SeriesSource read_step_folders(const fs::path& folder, Described described) {
  SeriesSource series;
  series.kind = "folder of steps";
  std::set<std::string> used = {"tokenizer.json", "metrics.jsonl", "trainer_state.json"};
  for (const fs::path& entry : step_folders(folder)) {
    used.insert(entry.filename().string());
    if (holds_model(entry, described)) {
      series.checkpoints.push_back(checkpoint_in(entry, entry.filename().string()));
    } else {
      series.notes.push_back(fmt::format("{} has no {}; left out", entry.filename().string(),
                                         described == Described::by_map ? "weights" : "config.json"));
    }
  }
  std::vector<std::string> others;
  for (const fs::path& entry : sorted_entries(folder)) {
    const std::string name = entry.filename().string();
    if (!used.contains(name) && !name.starts_with('.')) others.push_back(name);
  }
  if (!others.empty()) series.notes.push_back("no step in the name; left out: " + shortened(others));
  if (series.checkpoints.empty())
    fail("{}: none of its {} step folders holds a config.json{}{}", folder.string(), series.notes.size(),
         series.notes.empty() ? "" : ": ", fmt::join(series.notes, "; "));
  return series;
}

SeriesSource read_model_folder(const fs::path& folder) {
  SeriesSource series;
  series.kind = "model folder";
  CheckpointSource whole = checkpoint_in(folder, folder.filename().string());
  // One file may hold the whole run. Safetensors files never do, and need not be opened to know it.
  const bool several = whole.weights.size() == 1 && whole.weights.front().extension() != ".safetensors";
  if (several) series.checkpoints = checkpoints_in_file(whole.weights.front(), folder, series.notes);
  if (series.checkpoints.size() <= 1) series.checkpoints = {std::move(whole)};
  return series;
}

SeriesSource read_step_files(const fs::path& folder) {
  SeriesSource series;
  series.kind = "folder of files";
  for (const fs::path& file : step_files(folder))
    for (CheckpointSource& checkpoint : checkpoints_in_file(file, folder, series.notes))
      series.checkpoints.push_back(std::move(checkpoint));
  return series;
}

SeriesSource read_weight_file(const fs::path& file) {
  SeriesSource series;
  series.kind = "file";
  series.name = file.stem().string();
  series.checkpoints = checkpoints_in_file(file, file.parent_path(), series.notes);
  return series;
}

SeriesSource read_folder(const fs::path& folder, Described described) {
  if (RunStore::is_store(folder))
    fail(
        "{}: is a store already; import takes a model folder, a folder of steps, a Hugging Face cache "
        "repository or a "
        "series.toml",
        folder.string());
  if (fs::exists(folder / "series.toml")) return read_manifest(folder / "series.toml", described);
  if (is_hub_cache(folder)) return read_hub_cache(folder);
  // A trainer leaves its last model beside the steps; the steps are the series then.
  if (!step_folders(folder).empty()) return read_step_folders(folder, described);
  if (!has_published_weights(folder) && !step_files(folder).empty()) return read_step_files(folder);
  if (holds_model(folder, described)) return read_model_folder(folder);
  std::vector<std::string> names;
  for (const fs::path& entry : sorted_entries(folder)) names.push_back(entry.filename().string());
  fail(
      "{}: no checkpoints found. Looked for config.json, folders like step1000/ or checkpoint-500/, refs/ "
      "with "
      "snapshots/ and series.toml; found {}",
      folder.string(), names.empty() ? "an empty folder" : shortened(names));
}

// Names of one series agree on how many tokens a step has, whatever that number is; only those that leave the
// series' own median by more than a unit of the name are worth a warning.
void cross_check_tokens(SeriesSource& series) {
  constexpr double unit = 1e9;
  std::map<std::string, std::vector<double>> rates;
  for (const CheckpointSource& checkpoint : series.checkpoints)
    if (checkpoint.tokens > 0 && checkpoint.step > 0)
      rates[checkpoint.branch].push_back(static_cast<double>(checkpoint.tokens) /
                                         static_cast<double>(checkpoint.step));
  for (auto& [branch, all] : rates) std::sort(all.begin(), all.end());
  for (const CheckpointSource& checkpoint : series.checkpoints) {
    const std::optional<RevisionName> name = parse_revision(checkpoint.label);
    if (!name || name->note.empty()) continue;
    const std::vector<double>& all = rates[checkpoint.branch];
    const double expected = all.empty() ? 0 : all[all.size() / 2] * static_cast<double>(checkpoint.step);
    const bool agrees = all.size() > 2 && std::abs(expected - static_cast<double>(checkpoint.tokens)) <= unit;
    if (!agrees) series.notes.push_back(name->note);
  }
}

void order(SeriesSource& series) {
  std::stable_sort(series.checkpoints.begin(), series.checkpoints.end(),
                   [](const CheckpointSource& a, const CheckpointSource& b) {
                     return a.branch != b.branch ? a.branch < b.branch : a.step < b.step;
                   });
  for (size_t i = 1; i < series.checkpoints.size(); ++i) {
    const CheckpointSource &a = series.checkpoints[i - 1], &b = series.checkpoints[i];
    if (a.branch == b.branch && a.step == b.step)
      fail(
          "{}: '{}' and '{}' both are step {} of branch {}; give them other steps or branches in a "
          "series.toml",
          series.root.string(), a.label, b.label, a.step, a.branch);
  }
}

// Links that lead to the same files hold the same weights; not a byte has to be read to know it.
void find_equal_links(SeriesSource& series) {
  std::map<std::pair<std::vector<fs::path>, int64_t>, std::string> first;
  for (CheckpointSource& checkpoint : series.checkpoints) {
    std::vector<fs::path> targets = checkpoint.weights;
    targets.push_back(fs::weakly_canonical(checkpoint.folder / "config.json"));
    const auto [found, fresh] =
        first.emplace(std::pair(std::move(targets), checkpoint.part), checkpoint.label);
    if (!fresh) checkpoint.same_as = found->second;
  }
}

void find_companions(SeriesSource& series) {
  if (!series.tokenizer && fs::is_regular_file(series.root / "tokenizer.json"))
    series.tokenizer = series.root / "tokenizer.json";
  for (const CheckpointSource& checkpoint : series.checkpoints)
    if (!series.tokenizer && fs::is_regular_file(checkpoint.folder / "tokenizer.json"))
      series.tokenizer = checkpoint.folder / "tokenizer.json";
  for (const CheckpointSource& checkpoint : series.checkpoints) {
    const fs::path& file = checkpoint.weights.front();
    if (series.tokenizer || file.extension() != ".gguf") continue;
    if (!read_tokenizer(file).empty()) {
      series.tokenizer = file;
      continue;
    }
    // Of a folder's file nothing else has been said yet.
    const auto opened = open_tensor_file(file);
    for (const std::string& text : opened->parts().front().notes) {
      const std::string note = fmt::format("{}: {}", file.filename().string(), text);
      if (std::find(series.notes.begin(), series.notes.end(), note) == series.notes.end())
        series.notes.push_back(note);
    }
  }
  if (fs::is_regular_file(series.root / "metrics.jsonl"))
    series.logs.push_back(series.root / "metrics.jsonl");
  // A trainer writes its whole history again into every checkpoint; the last one says all.
  fs::path state = series.root / "trainer_state.json";
  int64_t last = -1;
  if (!fs::is_regular_file(state))
    for (const CheckpointSource& checkpoint : series.checkpoints)
      if (checkpoint.step > last && fs::is_regular_file(checkpoint.folder / "trainer_state.json")) {
        last = checkpoint.step;
        state = checkpoint.folder / "trainer_state.json";
      }
  if (fs::is_regular_file(state)) series.logs.push_back(state);
}

}  // namespace

SeriesSource find_series(const fs::path& source, std::shared_ptr<const NetworkMap> map) {
  const Described described = map ? Described::by_map : Described::by_config;
  try {
    if (!fs::exists(source)) fail("{}: there is no such file or folder", source.string());
    const bool folder = fs::is_directory(source), manifest = source.extension() == ".toml";
    if (!folder && !manifest && !is_weight_file(source) && source.extension() != ".npy")
      fail("{}: is no file of weights; give a model folder, a file like pytorch_model.bin or a series.toml",
           source.string());
    const fs::path whole = fs::absolute(source).lexically_normal();
    const fs::path path = whole.has_filename() ? whole : whole.parent_path();
    SeriesSource series = folder     ? read_folder(path, described)
                          : manifest ? read_manifest(path, described)
                                     : read_weight_file(path);
    series.root = folder ? path : path.parent_path();
    if (series.name.empty()) series.name = series.root.filename().string();
    for (CheckpointSource& checkpoint : series.checkpoints) checkpoint.map = map;
    order(series);
    cross_check_tokens(series);
    find_equal_links(series);
    find_companions(series);
    return series;
  } catch (const fs::filesystem_error& error) {
    fail("{}: cannot be read: {}", source.string(), error.what());
  }
}

}  // namespace varve
