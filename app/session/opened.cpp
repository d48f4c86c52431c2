// Opening a series: the store, its tokenizer, the stops of its main branch and the loss curve beside it.
#include "app/session/opened.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "loaders/import.h"

namespace varve {

namespace {

// The steps of a log's rows: the coordinate of `row`, or an array named step.
const Array* steps_of(const Dataset& log) {
  if (const Array* ticks = log.coord("row")) return ticks;
  if (const Array* ticks = log.coord("step")) return ticks;
  return log.has("step") ? &log["step"] : nullptr;
}

std::optional<std::string> loss_array(const Dataset& log) {
  for (const char* name : {"loss", "train_loss"})
    if (log.has(name) && log[name].dtype() != Dtype::text) return name;
  return std::nullopt;
}

void read_loss(Opened& opened) {
  for (const auto& [name, log] : opened.store->logs()) {
    const std::optional<std::string> array = loss_array(log);
    const Array* steps = steps_of(log);
    if (!array || !steps || steps->size() != log[*array].size()) continue;
    std::vector<LossPoint> points;
    for (int64_t row = 0; row < steps->size(); ++row) {
      const double nats = log[*array].number(row);
      const double step = steps->number(row);
      if (std::isfinite(nats) && std::isfinite(step)) points.push_back({static_cast<int64_t>(step), nats});
    }
    if (points.size() <= opened.loss.size()) continue;
    opened.loss = std::move(points);
    opened.loss_name = *array;
  }
  std::stable_sort(opened.loss.begin(), opened.loss.end(),
                   [](const LossPoint& a, const LossPoint& b) { return a.step < b.step; });
}

void read_stops(Opened& opened) {
  const SeriesRecord& series = opened.store->series();
  for (const CheckpointRecord& checkpoint : series.checkpoints)
    if (std::find(opened.branches.begin(), opened.branches.end(), checkpoint.branch) == opened.branches.end())
      opened.branches.push_back(checkpoint.branch);
  const auto main = std::find(opened.branches.begin(), opened.branches.end(), "main");
  opened.branch = main == opened.branches.end() ? opened.branches.front() : *main;
  for (const CheckpointRecord& checkpoint : series.checkpoints)
    opened.lanes[checkpoint.branch].push_back({.step = checkpoint.step,
                                               .tokens = checkpoint.tokens,
                                               .change = checkpoint.change,
                                               .nonfinite = checkpoint.nonfinite,
                                               .label = checkpoint.label});
  for (auto& [branch, stops] : opened.lanes)
    std::sort(stops.begin(), stops.end(), [](const Stop& a, const Stop& b) { return a.step < b.step; });
  opened.stops = opened.lanes.at(opened.branch);
}

void read_tokenizer(Opened& opened) {
  const std::string& json = opened.store->series().tokenizer;
  if (json.empty()) {
    opened.tokenizer_problem = "This series has no tokenizer.json: write token ids, as in 0 17 42.";
    return;
  }
  // A series whose tokenizer is of a kind we do not read is still worth opening: prompts are ids then.
  try {
    opened.tokenizer = std::make_shared<const Tokenizer>(json);
  } catch (const Error& error) {
    opened.tokenizer_problem = std::string(error.what()) + " Write token ids, as in 0 17 42.";
  }
}

std::shared_ptr<const Opened> open_store(const std::filesystem::path& folder,
                                         const std::filesystem::path& asked, Task& task) {
  auto opened = std::make_shared<Opened>();
  opened->asked = asked;
  task.doing("reading the index");
  opened->store = RunStore::open(folder);
  const SeriesRecord& series = opened->store->series();
  if (series.checkpoints.empty())
    fail("{} holds no checkpoints. Import some with: varve import SOURCE -o {}", folder.string(),
         folder.string());
  opened->spec = spec_from_json(series.checkpoints.front().spec);
  opened->notes = series.notes;
  read_stops(*opened);
  task.doing("reading the tokenizer");
  read_tokenizer(*opened);
  task.doing("reading the logs");
  read_loss(*opened);
  task.step(1, 1);
  return opened;
}

}  // namespace

std::string Opened::name() const {
  const std::string& given = store->series().name;
  return given.empty() ? store->folder().stem().string() : given;
}

int64_t nearest_stop(const std::vector<Stop>& stops, int64_t step) {
  int64_t best = 0;
  for (size_t i = 1; i < stops.size(); ++i)
    if (std::llabs(stops[i].step - step) < std::llabs(stops[static_cast<size_t>(best)].step - step))
      best = static_cast<int64_t>(i);
  return best;
}

int64_t Opened::nearest_stop(int64_t step) const { return varve::nearest_stop(stops, step); }

const std::vector<Stop>& Opened::stops_of(const std::string& wanted) const {
  const auto lane = lanes.find(wanted);
  return lane == lanes.end() ? stops : lane->second;
}

const LossPoint* Opened::loss_at(int64_t step) const {
  const auto after =
      std::upper_bound(loss.begin(), loss.end(), step,
                       [](int64_t value, const LossPoint& point) { return value < point.step; });
  return after == loss.begin() ? nullptr : &*std::prev(after);
}

std::shared_ptr<const Opened> import_and_open(const std::filesystem::path& source,
                                              const std::filesystem::path& store, bool link, Task& task) {
  Task import = task.part(0, 0.95);
  const ImportReport report =
      import_series({.source = source, .store = store, .link = link, .steps = "", .branch = ""}, import);
  for (const std::string& note : report.notes) task.note(note);
  Task open = task.part(0.95, 1);
  return open_store(store, source, open);
}

std::shared_ptr<const Opened> open_series(const std::filesystem::path& what,
                                          const std::filesystem::path& cache, Task& task) {
  if (!std::filesystem::exists(what))
    fail("{} does not exist. Was it moved or is its disk not mounted?", what.string());
  if (RunStore::is_store(what)) return open_store(what, what, task);
  std::filesystem::path source = std::filesystem::canonical(what);
  const std::string text = source.string();
  // The digest of the whole path keeps two folders of one name apart.
  const std::string digest = digest_of(text.data(), text.size()).substr(0, 12);
  const std::string stem = source.filename() == "series.toml" ? source.parent_path().filename().string()
                                                              : source.filename().string();
  std::filesystem::create_directories(cache);
  return import_and_open(source, cache / (stem + "-" + digest + ".varve"), true, task);
}

std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::filesystem::path(cache) / "varve";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::filesystem::path(home) / ".cache" / "varve";
  return std::filesystem::temp_directory_path() / "varve";
}

}  // namespace varve
