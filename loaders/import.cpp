// Import: the only place where format, family, series and store meet.
#include "loaders/import.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "loaders/checkpoint_files.h"
#include "loaders/choice.h"
#include "loaders/map.h"
#include "loaders/tensor_scan.h"
#include "loaders/weight_writer.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

using Place = std::pair<std::string, int64_t>;  // branch and step: what names a checkpoint in a store
using Views = std::map<std::string, TensorView>;

bool before(const CheckpointRecord& a, const CheckpointRecord& b) {
  return a.branch != b.branch ? a.branch < b.branch : a.step < b.step;
}

std::string checkpoint_digest(const CheckpointRecord& record) {
  Digest digest;
  for (const TensorRecord& tensor : record.tensors) {
    digest.add(tensor.name);
    digest.add(tensor.digest);
  }
  digest.add(record.spec);
  digest.add(record.recipe);
  return digest.hex();
}

// The whole of one import while it runs.
class Import {
 public:
  Import(const ImportRequest& request, const SeriesSource& source, std::shared_ptr<RunStore> store,
         int64_t total_bytes, Task& task)
      : request_(request),
        store_(std::move(store)),
        weights_(*store_, request.compress),
        series_(store_->series()),
        task_(task),
        total_bytes_(std::max<int64_t>(1, total_bytes)) {
    std::error_code absent;
    series_time_ = fs::last_write_time(store_->folder() / "series.h5", absent);
    for (const CheckpointRecord& record : series_.checkpoints)
      for (const TensorRecord& tensor : record.tensors) known_.insert(tensor.digest);
    if (series_.checkpoints.empty()) series_.name = source.name;
    if (series_.tokenizer.empty() && source.tokenizer) {
      series_.tokenizer = read_tokenizer(*source.tokenizer);
      unpublished_ = true;
    }
    for (const std::string& text : source.notes) note(text);
  }

  ImportReport report() const {
    ImportReport report = report_;
    report.bytes_written = weights_.bytes_written();
    return report;
  }

  void run(const std::vector<CheckpointSource>& checkpoints) {
    try {
      for (size_t i = 0; i < checkpoints.size(); ++i) {
        task_.doing(fmt::format("step {} \u00b7 {} of {}", checkpoints[i].step, i + 1, checkpoints.size()));
        add(checkpoints[i]);
        publish_now_and_then();
      }
      measure_changes();
    } catch (...) {
      // Stopped or failed half way: what is whole stays.
      publish();
      throw;
    }
    publish();
  }

  void note(const std::string& text) {
    task_.note(text);
    report_.notes.push_back(text);
  }

 private:
  CheckpointRecord* find(const Place& place) {
    for (CheckpointRecord& record : series_.checkpoints)
      if (record.branch == place.first && record.step == place.second) return &record;
    return nullptr;
  }

  const CheckpointRecord* predecessor(const Place& place) const {
    const CheckpointRecord* last = nullptr;
    for (const CheckpointRecord& record : series_.checkpoints)
      if (record.branch == place.first && record.step < place.second) last = &record;
    return last;
  }

  // The same table of tensors from the same files, none of them written since the series was: not read again.
  // The price: a file changed and given its old date back goes unseen here; `varve verify` would see it in
  // linked stores.
  bool untouched(const CheckpointRecord& record, const OpenCheckpoint& open) const {
    if (record.source != fs::canonical(open.source.folder).string() || record.config != open.config ||
        record.bytes != open.bytes || record.tensors.size() != open.tensors.size())
      return false;
    for (const fs::path& file : open.source.weights)
      if (fs::last_write_time(file) > series_time_) return false;
    for (size_t i = 0; i < open.tensors.size(); ++i) {
      const TensorRecord& tensor = record.tensors[i];
      const OpenTensor& found = open.tensors[i];
      if (tensor.name != found.name || tensor.type != found.view.type || tensor.shape != found.view.shape)
        return false;
    }
    return true;
  }

  void add(const CheckpointSource& source) {
    auto open = std::make_unique<OpenCheckpoint>(open_checkpoint(source));
    const Place place{source.branch, source.step};
    CheckpointRecord* existing = find(place);
    const int64_t began = done_bytes_;
    const int64_t end = began + open->bytes * (request_.link ? 1 : 2);
    if (existing && untouched(*existing, *open)) {
      ++report_.already;
    } else {
      check_bytes(*open, checked_, [this] { task_.step(done_bytes_, total_bytes_); });
      CheckpointRecord record = describe(*open);
      const auto twin = source.same_as.empty() ? placed_.end() : placed_.find(files_of(source));
      if (!existing && twin != placed_.end()) {
        take_twin(record, *find(twin->second));
      } else {
        read(record, *open, existing == nullptr);
      }
      record.digest = checkpoint_digest(record);
      if (existing) {
        confirm_same(*existing, record);
      } else {
        insert(std::move(record), *open);
      }
    }
    placed_.emplace(files_of(source), place);
    previous_ = std::move(open);
    done_bytes_ = end;
    task_.step(done_bytes_, total_bytes_);
  }

  void confirm_same(const CheckpointRecord& existing, const CheckpointRecord& record) {
    // Config and tensors, not spec and recipe: those are this program's reading, which a newer version may
    // word differently.
    const bool same = existing.config == record.config &&
                      std::equal(existing.tensors.begin(), existing.tensors.end(), record.tensors.begin(),
                                 record.tensors.end(), [](const TensorRecord& a, const TensorRecord& b) {
                                   return a.name == b.name && a.digest == b.digest;
                                 });
    if (!same)
      fail(
          "{}: step {} of branch {} is already there with other content, imported from {}. To keep both, "
          "import this one with --branch NAME",
          store_->folder().string(), record.step, record.branch, existing.source);
    ++report_.already;
  }

  CheckpointRecord describe(const OpenCheckpoint& open) const {
    CheckpointRecord record;
    record.step = open.source.step;
    record.tokens = open.source.tokens;
    record.branch = open.source.branch;
    record.label = open.source.label;
    record.source = fs::canonical(open.source.folder).string();
    record.config = open.config;
    record.spec = to_json(open.reading.spec);
    record.recipe = to_json(open.reading.recipe);
    record.bytes = open.bytes;
    for (const OpenTensor& tensor : open.tensors) {
      TensorRecord entry;
      entry.name = tensor.name;
      entry.type = tensor.view.type;
      entry.shape = tensor.view.shape;
      if (request_.link) {
        if (tensor.offset < 0)
          fail(
              "{}: tensor '{}' does not lie in the file as it is, so it cannot be linked; import without "
              "--link",
              tensor.file.string(), tensor.name);
        entry.link_path = tensor.file.string();
        entry.link_offset = tensor.offset;
      }
      record.tensors.push_back(std::move(entry));
    }
    return record;
  }

  // Equal links: the tensors are those of a checkpoint that was just read or found untouched.
  void take_twin(CheckpointRecord& record, const CheckpointRecord& twin) {
    record.tensors = twin.tensors;
    record.nonfinite = twin.nonfinite;
    report_.tensors_shared += static_cast<int64_t>(twin.tensors.size());
    const CheckpointRecord* last = predecessor({record.branch, record.step});
    record.change = !last ? std::nan("") : last == &twin ? 0 : -1;
  }

  // The tensors of a checkpoint the store holds; from the source's own mapping where that is still open.
  Views views_of(const CheckpointRecord& record) {
    Views views;
    const bool open =
        previous_ && previous_->source.branch == record.branch && previous_->source.step == record.step;
    if (open) {
      for (const OpenTensor& tensor : previous_->tensors) views.emplace(tensor.name, tensor.view);
    } else {
      weights_.publish();
      for (const TensorRecord& tensor : record.tensors) views.emplace(tensor.name, store_->tensor(tensor));
    }
    return views;
  }

  // Fills in digests, non-finite counts and the change to the predecessor.
  void read(CheckpointRecord& record, const OpenCheckpoint& open, bool compare) {
    const CheckpointRecord* last = compare ? predecessor({record.branch, record.step}) : nullptr;
    const Views old = last ? views_of(*last) : Views{};
    const std::vector<OpenTensor>& tensors = open.tensors;
    std::vector<TensorScan> scans(tensors.size());
    // Large ones first: the last piece to finish is then a small one.
    std::vector<size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return tensors[a].view.bytes.size() > tensors[b].view.bytes.size();
    });
    std::atomic<int64_t> passed{done_bytes_};
    parallel_for(static_cast<int64_t>(order.size()), [&](int64_t piece, int) {
      const size_t i = order[static_cast<size_t>(piece)];
      const auto match = old.find(tensors[i].name);
      const bool comparable = match != old.end() && is_comparable(tensors[i].view, match->second);
      scans[i] = scan_tensor(tensors[i].view, comparable ? &match->second : nullptr,
                             [&](int64_t bytes) { task_.step(passed += bytes, total_bytes_); });
    });
    // In name order, so that the sums do not depend on which thread was first.
    WeightChange change;
    for (size_t i = 0; i < tensors.size(); ++i) {
      record.tensors[i].digest = scans[i].digest;
      record.tensors[i].nonfinite = scans[i].nonfinite;
      record.nonfinite += scans[i].nonfinite;
      change.difference += scans[i].change.difference;
      change.before += scans[i].change.before;
    }
    record.change = last ? change.relative() : std::nan("");
    report_.bytes_read += open.bytes;
    done_bytes_ += open.bytes;
  }

  void insert(CheckpointRecord record, const OpenCheckpoint& open) {
    warn(record, open);
    std::vector<RunStore::NewTensor> fresh;
    for (size_t i = 0; i < record.tensors.size(); ++i) {
      const TensorRecord& tensor = record.tensors[i];
      const bool held = request_.link ? !known_.insert(tensor.digest).second : weights_.holds(tensor.digest);
      if (held) {
        ++report_.tensors_shared;
      } else if (!request_.link) {
        fresh.push_back({tensor, open.tensors[i].view.bytes, {}, open.tensors[i].view.mapped});
      }
    }
    Task writing = task_.part(fraction(done_bytes_), fraction(done_bytes_ + open.bytes));
    weights_.write(std::move(fresh), record, series_, writing);
    // The one behind it now follows another checkpoint; -1 has its change measured again, even by a later
    // import.
    auto at = std::upper_bound(series_.checkpoints.begin(), series_.checkpoints.end(), record, before);
    if (at != series_.checkpoints.end() && at->branch == record.branch) at->change = -1;
    series_.checkpoints.insert(at, std::move(record));
    unpublished_ = true;
    ++report_.added;
  }

  void warn(const CheckpointRecord& record, const OpenCheckpoint& open) {
    for (const TensorRecord& tensor : record.tensors)
      if (tensor.nonfinite > 0) {
        note(fmt::format("step {}: {} weights are NaN or infinite, the first in '{}'; imported as they are",
                         record.step, show_count(record.nonfinite), tensor.name));
        break;
      }
    // Tied by the config, yet stored twice: the embedding counts, as in transformers.
    const auto unembed = open.reading.recipe.find("unembed.W_U");
    if (!open.reading.spec.tied || unembed == open.reading.recipe.end()) return;
    const auto digest_named = [&](const std::string& name) {
      const auto found = std::find_if(record.tensors.begin(), record.tensors.end(),
                                      [&](const TensorRecord& tensor) { return tensor.name == name; });
      return found == record.tensors.end() ? std::string() : found->digest;
    };
    for (const char* head : {"lm_head.weight", "embed_out.weight"})
      if (const std::string digest = digest_named(head);
          !digest.empty() && digest != digest_named(unembed->second.source))
        note(fmt::format("step {}: '{}' differs from the embedding it is tied to and is not used",
                         record.step, head));
  }

  void measure_changes() {
    for (CheckpointRecord& record : series_.checkpoints) {
      const CheckpointRecord* last = predecessor({record.branch, record.step});
      if (!(record.change < 0) || !last) continue;
      const Views now = views_of(record), old = views_of(*last);
      WeightChange change;
      for (const auto& [name, view] : now) {
        const auto match = old.find(name);
        if (match == old.end() || !is_comparable(view, match->second)) continue;
        const WeightChange part =
            compare_tensors(view, match->second, [&](int64_t) { task_.step(done_bytes_, total_bytes_); });
        change.difference += part.difference;
        change.before += part.before;
      }
      record.change = change.relative();
      unpublished_ = true;
    }
  }

  double fraction(int64_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(total_bytes_);
  }

  // The tables of a long series take a while to write; once a second loses little to a kill.
  void publish_now_and_then() {
    const auto now = std::chrono::steady_clock::now();
    if (now - published_at_ < std::chrono::seconds(1)) return;
    publish();
    published_at_ = std::chrono::steady_clock::now();
  }

  void publish() {
    weights_.publish();
    if (!unpublished_) return;
    store_->publish_series(series_);
    unpublished_ = false;
  }

  const ImportRequest& request_;
  std::shared_ptr<RunStore> store_;
  WeightWriter weights_;
  SeriesRecord series_;
  Task& task_;
  int64_t total_bytes_, done_bytes_ = 0;
  fs::file_time_type series_time_;
  bool unpublished_ = false;
  std::chrono::steady_clock::time_point published_at_ = std::chrono::steady_clock::now();
  std::set<fs::path> checked_;
  std::set<std::string> known_;                    // digests of all tensors of the series
  std::map<std::vector<fs::path>, Place> placed_;  // files of those seen in this run -> where they are
  std::unique_ptr<OpenCheckpoint> previous_;
  ImportReport report_;
};

void import_logs(const SeriesSource& source, RunStore& store, Import& job) {
  for (const fs::path& file : source.logs) try {
      store.publish_log(file.stem().string(), read_log(file));
    } catch (const Error& error) {
      job.note(fmt::format("training log left out: {}", error.what()));
    }
}

}  // namespace

ImportReport import_series(const ImportRequest& request, Task& task) try {
  task.doing("looking for checkpoints");
  std::shared_ptr<const NetworkMap> map;
  if (!request.map.empty()) map = std::make_shared<NetworkMap>(read_map(request.map));
  const SeriesSource source = find_series(request.source, map);
  const std::vector<CheckpointSource> checkpoints = chosen(request, source);
  // Every table of tensors is checked before the first byte is written: a bad last shard is known at once.
  int64_t total = 0;
  for (const CheckpointSource& checkpoint : checkpoints) {
    task.step(0, 1);
    total += open_checkpoint(checkpoint).bytes * (request.link ? 1 : 2);
  }
  const std::shared_ptr<RunStore> store =
      RunStore::is_store(request.store) ? RunStore::open(request.store) : RunStore::create(request.store);
  const std::unique_ptr<RunStore::ImportLock> lock = store->lock_for_import(task);
  store->refresh();
  store->sweep();
  Import job(request, source, store, total, task);
  job.run(checkpoints);
  import_logs(source, *store, job);
  task.step(1, 1);
  return job.report();
} catch (const fs::filesystem_error& error) {
  fail("{}: cannot be read: {}", request.source.string(), error.what());
}

}  // namespace varve
