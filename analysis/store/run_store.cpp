// The run store: one folder that holds a series, its weights and its results.
#include "analysis/store/run_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <unordered_set>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/core/pool.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/packed.h"
#include "analysis/store/published_file.h"
#include "analysis/store/seal.h"
#include "analysis/store/series_file.h"
#include "analysis/store/store_inner.h"
#include "analysis/store/tensor_bytes.h"
#include "analysis/store/weights_file.h"

namespace varve {

namespace fs = std::filesystem;

namespace {

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// What an import killed at once may have left, and nothing else.
bool may_become_store(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    // series.h5: another process was faster.
    const bool ours = name == "series.h5" || name == "weights" || name == "results" || name == "logs" ||
                      name == ".import.lock" || is_temporary(entry.path());
    if (!ours) return false;
  }
  return true;
}

void write_series(const fs::path& file, const SeriesRecord& series) {
  write_dataset(file, tables_of(series));
}

}  // namespace

RunStore::RunStore() = default;
RunStore::~RunStore() = default;

bool RunStore::is_store(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "series.h5", error);
}

std::shared_ptr<RunStore> RunStore::create(const fs::path& folder) {
  if (is_store(folder)) return open(folder);
  if (fs::exists(folder) && (!fs::is_directory(folder) || !may_become_store(folder)))
    fail("{}: something else lies there already. Choose a new name for the store, by custom NAME.varve.",
         folder.string());
  make_folder(folder);
  for (const char* part : {"weights", "results", "logs"}) make_folder(folder / part);
  SeriesRecord empty;
  empty.name = folder.stem().string();
  write_dataset_once(folder / "series.h5", tables_of(empty));
  return open(folder);
}

std::shared_ptr<RunStore> RunStore::open(const fs::path& folder) {
  if (!is_store(folder))
    fail("{}: this is no store: it holds no series.h5. Make one with: varve import SOURCE -o {}",
         folder.string(), folder.string());
  std::shared_ptr<RunStore> store(new RunStore);
  store->inner_ = std::make_unique<Inner>(folder);
  store->refresh();
  return store;
}

const fs::path& RunStore::folder() const { return inner_->folder; }

const SeriesRecord& RunStore::series() const { return *inner_->series.load(); }

void RunStore::refresh() {
  const std::lock_guard lock(inner_->mutex);
  struct stat now = {};
  const fs::path file = inner_->series_file();
  if (stat(file.c_str(), &now) != 0) fail("{}: could not be opened: {}", file.string(), std::strerror(errno));
  if (inner_->series.load() && same_file(now, inner_->seen)) return;
  inner_->states.push_back(read_series(file));
  inner_->series.store(&inner_->states.back());
  // Looked at before reading: a file replaced in between is read again next time.
  inner_->seen = now;
}

TensorView RunStore::tensor(const TensorRecord& record) const { return inner_->shelf.view(record); }

std::vector<std::span<const std::byte>> RunStore::stored(const TensorRecord& record) const {
  return inner_->shelf.stored(record);
}

bool RunStore::has_tensor(const std::string& digest) const { return inner_->shelf.holds(digest); }

bool RunStore::keeps_whole(const std::string& digest) const { return inner_->shelf.keeps_whole(digest); }

RunStore::NewWeights::NewWeights(std::unique_ptr<PublishedFile> file, int64_t bytes)
    : file_(std::move(file)), bytes_(bytes) {}
RunStore::NewWeights::~NewWeights() = default;
void RunStore::NewWeights::publish() { file_->publish(); }

void RunStore::add_weights(const std::vector<NewTensor>& tensors, Task& task) {
  if (const std::unique_ptr<NewWeights> fresh = write_weights(tensors, task)) fresh->publish();
}

std::unique_ptr<RunStore::NewWeights> RunStore::write_weights(const std::vector<NewTensor>& tensors,
                                                              Task& task) {
  std::vector<NewTensor> fresh;
  std::unordered_set<std::string> taken;
  std::vector<std::string> digests;
  for (const NewTensor& tensor : tensors) {
    const TensorRecord& record = tensor.record;
    const std::string whose = fmt::format("tensor '{}'", record.name);
    require_digest(record.digest, whose);
    if (bytes_needed(record.type, record.shape, whose) != static_cast<int64_t>(tensor.bytes.size()))
      fail("{}: its shape needs {} bytes, {} were given", whose,
           bytes_needed(record.type, record.shape, whose), tensor.bytes.size());
    if (has_tensor(record.digest) || !taken.insert(record.digest).second) continue;
    fresh.push_back(tensor);
    digests.push_back(record.digest);
  }
  if (fresh.empty()) return nullptr;
  make_folder(inner_->shelf.folder());
  const fs::path file = inner_->shelf.folder() / (weights_name(digests) + ".h5");
  int64_t to_pack = 0;
  for (const NewTensor& tensor : fresh)
    if (!tensor.base.empty()) to_pack += static_cast<int64_t>(tensor.bytes.size());
  Task packing = task.part(0, to_pack > 0 ? 0.7 : 0), writing = task.part(to_pack > 0 ? 0.7 : 0, 1);
  std::atomic<int64_t> done{0};
  std::vector<WeightsPayload> payloads(fresh.size());
  parallel_for(static_cast<int64_t>(fresh.size()), [&](int64_t which, int) {
    const NewTensor& tensor = fresh[static_cast<size_t>(which)];
    WeightsPayload& payload = payloads[static_cast<size_t>(which)];
    payload.record = tensor.record;
    payload.bytes = tensor.bytes;
    payload.mapped = tensor.mapped;
    if (tensor.base.empty()) return;
    TensorRecord base = tensor.record;
    base.digest = tensor.base;
    if (!keeps_whole(base.digest)) fail("tensor '{}': its base {} is not kept whole", base.name, base.digest);
    const TensorView old = this->tensor(base);
    payload.packed = pack(base.type, tensor.bytes, old.bytes,
                          [&](int64_t bytes) { packing.step(done += bytes, to_pack); });
    if (old.mapped) done_with(old.bytes);
    if (payload.packed.empty()) return;
    if (tensor.mapped) done_with(tensor.bytes);
    payload.mapped = false;
    payload.bytes = payload.packed;
    payload.base = base.digest;
  });
  int64_t bytes = 0;
  for (const WeightsPayload& payload : payloads) bytes += static_cast<int64_t>(payload.bytes.size());
  return std::make_unique<NewWeights>(varve::write_weights(file, payloads, writing), bytes);
}

void RunStore::publish_series(const SeriesRecord& series) {
  SeriesRecord complete = series;
  std::map<std::string, int64_t> sizes;
  for (CheckpointRecord& checkpoint : complete.checkpoints)
    for (TensorRecord& tensor : checkpoint.tensors) {
      if (tensor.link_path.empty() || tensor.link_file_bytes >= 0) continue;
      const fs::path source = link_target(folder(), tensor);
      if (!sizes.contains(source.string())) {
        std::error_code error;
        const auto size = static_cast<int64_t>(fs::file_size(source, error));
        if (error) fail("{}: cannot be linked to: {}", source.string(), error.message());
        sizes[source.string()] = size;
      }
      tensor.link_file_bytes = sizes[source.string()];
    }
  write_series(inner_->series_file(), complete);
  refresh();
}

fs::path RunStore::result_path(const std::string& analysis, const std::string& key) const {
  require_file_name(analysis, "an analysis");
  require_file_name(key, "a result's key");
  return inner_->folder / "results" / analysis / (key + ".h5");
}

bool RunStore::has_result(const std::string& analysis, const std::string& key) const {
  const fs::path file = result_path(analysis, key);
  return looks_sealed(file);
}

std::optional<Dataset> RunStore::result(const std::string& analysis, const std::string& key) const {
  const fs::path file = result_path(analysis, key);
  if (!fs::exists(file)) return std::nullopt;
  return read_dataset(file);
}

void RunStore::publish_result(const std::string& analysis, const std::string& key, const Dataset& data) {
  const fs::path file = result_path(analysis, key);
  // A file cut short by the outside world counts as absent and is replaced.
  if (looks_sealed(file)) return;
  make_folder(file.parent_path());
  write_dataset(file, data);
}

std::vector<ResultInfo> RunStore::results() const {
  std::vector<ResultInfo> all;
  for (const fs::path& folder_of_analysis : folders_in(inner_->folder / "results"))
    for (const fs::path& file : files_in(folder_of_analysis)) {
      std::error_code gone;
      const auto bytes = static_cast<int64_t>(fs::file_size(file, gone));
      if (gone || !looks_sealed(file)) continue;
      try {
        const h5::Summary summary = h5::read_summary(read_seal(file).note, file.string());
        all.push_back({folder_of_analysis.filename().string(), file.stem().string(), summary.title, bytes,
                       summary.provenance});
      } catch (const Error&) {
        continue;  // a damaged file is no result; `varve verify` names it
      }
    }
  return all;
}

void RunStore::publish_log(const std::string& name, const Dataset& log) {
  make_folder(inner_->folder / "logs");
  write_dataset(inner_->folder / "logs" / (as_file_name(name) + ".h5"), log);
}

std::vector<std::pair<std::string, Dataset>> RunStore::logs() const {
  std::vector<std::pair<std::string, Dataset>> all;
  for (const fs::path& file : files_in(inner_->folder / "logs"))
    all.emplace_back(from_file_name(file.stem().string()), read_dataset(file));
  return all;
}

void RunStore::sweep() {
  sweep_folder(inner_->folder);
  for (const char* part : {"weights", "logs"}) sweep_folder(inner_->folder / part);
  for (const fs::path& each : folders_in(inner_->folder / "results")) sweep_folder(each);
}

}  // namespace varve
